"""From a word to a file: published weights of torchvision and of the Hugging Face hub, each checked
by its hash.
"""

import hashlib
import re
from contextlib import suppress
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlparse

from convatlas.errors import WeightsError, first_line
from convatlas.weights import torchvision

HUB = re.compile(r"hub:(?P<repo>[\w.-]+/[\w.-]+)(?:@(?P<revision>[\w./-]+))?")
HUB_FILE = "model.safetensors"
# timm's and ours: they tell variants apart and say how pictures are prepared, where they are there
DESCRIPTIONS = ("config.json", "model.json")


def fetch(weights: str | Path, network: str) -> Path:
    """The file that `weights` means for the network: itself, or downloaded once and kept where its
    source keeps it.

    Raises WeightsError where it cannot be had; offline, with the address and where to put the file.
    """
    library, _, entry = str(weights).partition(":")
    if library == "torchvision" and not Path(weights).is_file():
        return _from_torchvision(network, entry)
    if str(weights).startswith("hub:"):
        return _from_hub(str(weights))
    return Path(weights).expanduser()


def _from_torchvision(network: str, entry: str) -> Path:
    import torch

    theirs = next((name for name, twin in torchvision.TWINS.items() if twin.ours == network), None)
    if theirs is None:
        near = torchvision.TWINS.get(network)
        hint = f"; its {network} is {near.ours} here" if near else ""
        raise WeightsError(f"torchvision publishes no weights for {network}{hint}")
    url = _published(theirs, network, entry).url
    name = Path(urlparse(url).path).name
    path = Path(torch.hub.get_dir()) / "checkpoints" / name
    prefix = re.search(r"-([0-9a-f]{8,})\.", name)[1]
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(url, str(path), hash_prefix=prefix)
        except (URLError, OSError) as error:
            raise WeightsError(
                f"cannot download {url} ({getattr(error, 'reason', error)}); fetch it elsewhere "
                f"and put it at {path}"
            ) from None
        except RuntimeError:
            raise WeightsError(
                f"{url} gave another file than its name promises (sha256 {prefix}…); try again "
                f"later"
            ) from None
    if not _sha256(path).startswith(prefix):
        raise WeightsError(
            f"{path} is not the published file (its sha256 does not begin with {prefix}); delete it"
        )
    return path


def _published(theirs: str, network: str, entry: str):
    """torchvision's entry of that name among its weights for the model; "" is the best of them."""
    from torchvision.models import get_model_weights

    published = get_model_weights(theirs)
    if entry in ("", "DEFAULT"):
        return published.DEFAULT
    named = {one.name: one for one in published}
    if entry not in named:
        raise WeightsError(
            f"torchvision publishes no {entry!r} of {network}; give "
            f"{' or '.join(f'torchvision:{name}' for name in named)}"
        )
    return named[entry]


def _from_hub(weights: str) -> Path:
    match = HUB.fullmatch(weights)
    if not match:
        raise WeightsError(
            f"cannot read {weights!r}; write hub:owner/name, or hub:owner/name@revision"
        )
    try:
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
        from huggingface_hub.utils import logging
    except ImportError:
        raise WeightsError(
            "the Hugging Face hub needs its client: pip install huggingface_hub"
        ) from None
    logging.set_verbosity_error()  # its retries are not news; their end is one sentence below
    repo, revision = match["repo"], match["revision"]
    try:
        path = _kept_or_new(repo, revision)
    except LocalEntryNotFoundError:
        raise WeightsError(
            f"cannot download {HUB_FILE} of {repo}; fetch https://huggingface.co/{repo}/resolve/"
            f"{revision or 'main'}/{HUB_FILE} elsewhere and give the file instead"
        ) from None
    except (HfHubHTTPError, OSError, ValueError) as error:
        raise WeightsError(f"{repo} gives no {HUB_FILE} ({first_line(error):.120})") from None
    promised = path.resolve().name  # the client names what it keeps by its sha256
    if re.fullmatch(r"[0-9a-f]{64}", promised) and _sha256(path) != promised:
        raise WeightsError(
            f"{path} is not the file that the hub promised (its sha256 differs); delete it"
        )
    return path


def _kept_or_new(repo: str, revision: str | None) -> Path:
    """The file as it was downloaded before, which needs no network, else from the hub with what
    describes it.
    """
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import EntryNotFoundError, LocalEntryNotFoundError

    try:
        return Path(hf_hub_download(repo, HUB_FILE, revision=revision, local_files_only=True))
    except LocalEntryNotFoundError:
        path = Path(hf_hub_download(repo, HUB_FILE, revision=revision))
    for name in DESCRIPTIONS:
        with suppress(EntryNotFoundError):
            hf_hub_download(repo, name, revision=revision)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
