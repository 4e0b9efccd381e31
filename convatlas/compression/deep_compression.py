"""Deep Compression (Han, Mao, Dally; ICLR 2016) as SqueezeNet's paper used it: prune and retrain,
share weights and train the values, Huffman.

What the papers leave open is decided here: every convolution and fully connected layer is pruned by
the same share; a weight that is kept may become any value; training is by Adam, at a tenth of
`rate` once weights are shared.
"""

import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import nn

from convatlas.compression import retraining
from convatlas.compression.compressed_file import pack, unpack
from convatlas.compression.sharing import Shared, kept, share
from convatlas.data import Loader
from convatlas.errors import InputError, ModelFileError
from convatlas.model_file import Saved, describe_model, weights_file

KEEP = 0.33  # of the weights, Sec. 4 of SqueezeNet's paper
CONV_BITS = 6  # the same
LINEAR_BITS = 5  # Deep Compression's for AlexNet
EPOCHS = 5
RATE = 1e-3


@dataclass(frozen=True)
class Settings:
    """How much is kept, in how few values, and how long it is trained. InputError for what cannot
    be.
    """

    keep: float = KEEP
    bits: int = CONV_BITS
    linear_bits: int = LINEAR_BITS
    epochs: int = EPOCHS  # after pruning, and as many after sharing
    rate: float = RATE

    def __post_init__(self):
        if not 0 < self.keep <= 1:
            raise InputError(
                f"the share of weights that stays (--keep) is above 0 and at most 1, not "
                f"{self.keep}"
            )
        for flag, bits in (("--bits", self.bits), ("--linear-bits", self.linear_bits)):
            if bits not in range(1, 9):
                raise InputError(f"codes have 1 to 8 bits ({flag}), not {bits}")
        if self.epochs < 0 or not 0 < self.rate < 100:
            raise InputError(
                "--epochs is 0 or more and --lr a number above 0, not "
                f"{self.epochs} and {self.rate}"
            )


@dataclass(frozen=True)
class Teaching:
    """What a network is trained with again."""

    loader: Loader
    loss: Callable[..., torch.Tensor]


@dataclass(frozen=True)
class Compressed:
    """A compressed network and what became of it."""

    saved: Saved  # answers from the compressed weights
    content: bytes  # of the file
    weights: int  # of the layers that were pruned
    kept: int
    plain: int  # bytes of model.safetensors


def prunable(net: nn.Module) -> dict[str, nn.Module]:
    """The convolutions and fully connected layers with weights of their own, by the weight's
    name.
    """
    own = {name for name, _ in net.named_parameters()}
    layers = {f"{name}.weight".lstrip("."): part for name, part in net.named_modules()}
    kinds = (nn.Conv2d, nn.Linear)
    return {name: part for name, part in layers.items() if isinstance(part, kinds) and name in own}


def compress(
    saved: Saved, settings: Settings | None = None, teaching: Teaching | None = None
) -> Compressed:
    """The network pruned, its weights shared, and the bytes of its file; `saved` stays as it is.

    Without `teaching` nothing is trained, and the answers suffer. Raises InputError for a network
    without a convolution or fully connected layer, RunError where the loss is no number.
    """
    settings = settings or Settings()
    net = deepcopy(saved.net).cpu().float()
    layers = prunable(net)
    if not layers:
        raise InputError(f"{saved.network} has no convolution or fully connected layer to prune")
    masks = _prune(net, layers, settings, teaching)
    parts = _share(net, layers, masks, settings, teaching)
    state = dict(net.state_dict())
    weights = weights_file(state)
    said = asdict(settings if teaching else replace(settings, epochs=0))
    about = saved.provenance | {"compressed": said}
    model = describe_model(
        *(saved.network, saved.classes, saved.preprocess, about, weights, saved.widths)
    )
    return Compressed(
        replace(saved, net=net.eval(), provenance=about),
        pack(model, state, parts),
        sum(part.weight.numel() for part in layers.values()),
        sum(len(part.places) for part in parts.values()),
        len(weights),
    )


def _prune(
    net: nn.Module, layers: dict[str, nn.Module], settings: Settings, teaching: Teaching | None
) -> dict[str, torch.Tensor]:
    """Which weights stay, by name; the others are zero from here on."""
    masks = {
        name: torch.from_numpy(kept(part.weight.detach().numpy(), settings.keep))
        for name, part in layers.items()
    }
    if teaching and settings.epochs:
        trained, made = retraining.masked(net, masks)
        retraining.train(
            *(net, trained, made, teaching.loader, teaching.loss),
            *(settings.epochs, settings.rate),
        )
    with torch.no_grad():
        for name, part in layers.items():
            part.weight.mul_(masks[name])
    return masks


def _share(
    net: nn.Module,
    layers: dict[str, nn.Module],
    masks: dict[str, torch.Tensor],
    settings: Settings,
    teaching: Teaching | None,
) -> dict[str, Shared]:
    """The shared weights by name, which the network has from here on."""
    parts = {}
    for name, part in layers.items():
        bits = settings.bits if isinstance(part, nn.Conv2d) else settings.linear_bits
        parts[name] = share(part.weight.detach().numpy(), masks[name].numpy(), bits)
    if teaching and settings.epochs:
        trained, made, books = retraining.shared(net, parts)
        retraining.train(
            *(net, trained, made, teaching.loader, teaching.loss),
            *(settings.epochs, settings.rate / 10, settings.epochs),
        )
        parts = {
            name: replace(one, codebook=books[name].detach().numpy()) for name, one in parts.items()
        }
    with torch.no_grad():
        for name, part in layers.items():
            part.weight.copy_(torch.from_numpy(parts[name].tensor()))
    return parts


def require_free(path: Path) -> None:
    """ModelFileError where there is such a file, so that nobody trains for nothing."""
    if path.exists():
        raise ModelFileError(f"{path} exists; give another name with --output")


def write(compressed: Compressed, path: Path) -> None:
    """The file, whole or not at all, read back before it gets its name. ModelFileError where it
    exists or cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(compressed.content)
        tensors = unpack(part).tensors
        state = compressed.saved.net.state_dict()
        if weights_file(tensors) != weights_file(state):
            raise ModelFileError(f"{path} does not give its tensors back; nothing was written")
        path.open("xb").close()  # its name is ours, and no file of another is replaced
        os.replace(part, path)
    except FileExistsError:
        raise ModelFileError(f"{path} exists; give another name with --output") from None
    except OSError as error:
        raise ModelFileError(
            f"cannot write {path} ({error.strerror}); check the folder and its free space"
        ) from None
    finally:
        part.unlink(missing_ok=True)
