"""To the Hugging Face hub and back, through its own client (the extra `hub`)."""

import re
import tempfile
from pathlib import Path

import convatlas
from convatlas.errors import PublishingError, first_line
from convatlas.model_file import Saved, load_model
from convatlas.publishing.card import card
from convatlas.publishing.facts import facts_of
from convatlas.publishing.files import files_of, write
from convatlas.weights.fetching import HUB_FILE, fetch

REPO = re.compile(r"[\w.-]+/[\w.-]+")
LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]*")


def model_card(
    model: "str | Path | Saved | convatlas.Network", repo: str = "", license: str = ""
) -> str:
    """The model card of a finished run's folder, or of a network with weights, as Markdown with
    YAML in front; `repo` and `license` as push_to_hub takes them.

    Raises ModelFileError or PublishingError for what cannot be read or said.
    """
    _require_words(repo, license)
    return card(facts_of(model), repo, license)


def push_to_hub(
    model: "str | Path | Saved | convatlas.Network",
    repo: str,
    *,
    license: str = "",
    private: bool = False,
    message: str = "",
    folder: str | Path | None = None,
) -> str:
    """Publish a finished run's folder, or a network with weights, as "owner/name" on the Hugging
    Face hub: weights, description, recipe and model card. Returns where it is.

    `license` is a word of the hub's, such as "apache-2.0". With `folder` the files are written
    there, and nothing is sent. Who may write is known by `hf auth login` or HF_TOKEN. Raises
    ModelFileError for a run that cannot be read, PublishingError for all else.
    """
    if not repo:
        raise PublishingError("where to? give owner/name")
    _require_words(repo, license)
    files = files_of(facts_of(model), repo, license)
    if folder is not None:
        write(files, Path(folder).expanduser())
        return str(folder)
    with tempfile.TemporaryDirectory() as place:
        write(files, Path(place))
        return _send(Path(place), repo, private, message or "Published by convatlas")


def from_pretrained(repo: str | Path, device: str = "cpu") -> Saved:
    """What push_to_hub published: "owner/name" or "owner/name@revision", fetched once and kept; or
    a folder of such files, as of a finished run.

    Raises WeightsError where it cannot be had, ModelFileError where it is damaged, PublishingError
    where nothing there says which network it is.
    """
    if Path(repo).expanduser().is_dir():
        return load_model(repo, device)
    words = str(repo).removeprefix("hub:")
    folder = fetch(f"hub:{words}", "").parent
    if not (folder / "model.json").exists():
        raise PublishingError(
            f"{words} has no model.json, so that nothing says which network {HUB_FILE} is for; "
            f'if you know, give create_model(NAME, weights="hub:{words}")'
        )
    return load_model(folder, device)


def _require_words(repo: str, license: str) -> None:
    if repo and not REPO.fullmatch(repo):
        raise PublishingError(f"cannot publish as {repo!r}; write owner/name")
    if license and not LICENSE.fullmatch(license):
        raise PublishingError(
            f"{license!r} is no licence of the hub's; write it as the hub does, such as apache-2.0"
        )


def _send(place: Path, repo: str, private: bool, message: str) -> str:
    try:
        from huggingface_hub import HfApi
    except ImportError:
        raise PublishingError(
            "the Hugging Face hub needs its client: pip install 'convatlas[hub]'"
        ) from None
    try:
        hub = HfApi(library_name="convatlas", library_version=convatlas.__version__)
        where = hub.create_repo(repo, private=private, exist_ok=True)
        hub.upload_folder(repo_id=repo, folder_path=place, commit_message=message)
    except Exception as error:  # the client's own, and those of whatever library it calls with
        raise PublishingError(
            f"the hub did not take {repo} ({first_line(error):.200}); log in with `hf auth login` "
            "or HF_TOKEN as one who may write there, or write the files with folder=DIR (on the "
            "command line --folder DIR)"
        ) from None
    return str(where)
