"""A network's weights as a file for others: under our names, torchvision's or timm's."""

import json
import os
import tempfile
from pathlib import Path

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.errors import WeightsError
from convatlas.weights import probe
from convatlas.weights.known import OURS, identify
from convatlas.weights.names import Twin
from convatlas.weights.pictures import record
from convatlas.weights.sources import TABLES
from convatlas.weights.standardised import BACKGROUND, KEY
from convatlas.weights.translating import translated
from convatlas.weights.wrappers import unwrapped

ENDINGS = {"safetensors": ".safetensors", "torchvision": ".pth", "timm": ".safetensors"}


def save_weights(net: nn.Module, path: str | Path, to: str = "safetensors") -> None:
    """Write the weights under our names ("safetensors", with an answer recorded in it),
    "torchvision"'s or "timm"'s. What is wrapped round the network (DataParallel, torch.compile)
    stays out.

    Raises WeightsError for a network with other weights than create_model gives it, since no file
    could give them back; for one that the other library does not have; or a file that exists or
    cannot be written.
    """
    if to not in ENDINGS:
        raise WeightsError(f"cannot write for {to!r}; known are {', '.join(ENDINGS)}")
    net = unwrapped(net)
    _refuse_what_none_could_read(net)
    state = {key: tensor.detach().cpu().contiguous() for key, tensor in net.state_dict().items()}
    metadata = _about(net) if to == "safetensors" else {"format": "pt"}
    _write(
        Path(path).expanduser(),
        state if to == "safetensors" else translated(twin_in(to, net.name), state),
        metadata,
        to,
    )


def _about(net: nn.Module) -> dict[str, str]:
    """The network and its answer, and how images must be standardised where that is peculiar."""
    read = net.certificate
    standardised = {KEY: json.dumps(read.standardised)} if read and read.standardised else {}
    background = {BACKGROUND: "0"} if read and read.background else {}
    seen = record(net.preprocess, net.classes)
    return probe.record(net) | standardised | background | seen


def twin_in(source: str, network: str) -> Twin:
    """The other library's model with the graph of our network; WeightsError where it has none."""
    for theirs, twin in TABLES[source].items():
        if twin.ours == network:
            return twin
        if theirs == network:
            raise WeightsError(f"{source}'s {theirs} is not {network} but {twin.ours} here")
    raise WeightsError(
        f"{source} has no network that is {network}; write it under our names with "
        "to='safetensors' (on the command line --to safetensors)"
    )


def _refuse_what_none_could_read(net: nn.Module) -> None:
    name, state = getattr(net, "name", ""), net.state_dict()
    called = name or type(net).__name__
    if any(tensor.is_meta for tensor in state.values()):
        raise WeightsError(
            f"{called} is on the meta device, which keeps no numbers; fill it with load_weights, "
            "or create it without torch.device('meta')"
        )
    kinds = identify({key: tuple(tensor.shape) for key, tensor in state.items()})
    if (OURS, name) not in {(kind.source, kind.ours) for kind in kinds}:
        raise WeightsError(
            f"this {called} is not as create_model makes it, and load_weights could not read its "
            "file; use torch.save(net.state_dict(), path), or `make index` for a new network"
        )


def _name(temporary: str, path: Path) -> None:
    """The finished file under its own name. FileExistsError where another has it already."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a memory stick, which knows no second name of a file
        path.open("xb").close()
        os.replace(temporary, path)


def _write(path: Path, tensors: dict[str, Tensor], metadata: dict[str, str], to: str) -> None:
    """Whole or not at all, and never over another file."""
    if path.exists():
        raise WeightsError(f"{path} exists; give another name")
    try:
        with tempfile.NamedTemporaryFile(
            dir=path.parent, prefix=f".{path.name}-", delete=False
        ) as file:
            if ENDINGS[to] == ".pth":
                torch.save(tensors, file)
            else:
                from safetensors.torch import save

                file.write(save(tensors, metadata))
        os.chmod(file.name, 0o644)
        _name(file.name, path)
    except FileExistsError:
        raise WeightsError(f"{path} exists; give another name") from None
    except OSError as error:
        raise WeightsError(
            f"cannot write {path} ({error.strerror}); check the folder and its free space"
        ) from None
    finally:
        if "file" in locals():
            Path(file.name).unlink(missing_ok=True)
