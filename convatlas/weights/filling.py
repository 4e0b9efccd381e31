"""A checkpoint's tensors into a network: all or none, in its precision, and certified."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from convatlas.errors import WeightsError
from convatlas.weights import probe
from convatlas.weights.fitting import AUXILIARY, Found, matters, twin_of
from convatlas.weights.known import COUNTER, Known
from convatlas.weights.names import Pixels, Twin
from convatlas.weights.reading import Checkpoint
from convatlas.weights.standardised import advice, begins_with_background, expected
from convatlas.weights.translating import taken

TOLERANCE = 1e-8  # of the largest logit, in double precision
FOLDED = (
    "its norms were folded into its convolutions: it answers as the file's network, but has no "
    "statistics of its own; train it with its norms frozen"
)
FEW = 8  # names that are printed of a long list


@dataclass(frozen=True)
class Certificate:
    """What was loaded, from where, and what is known of its correctness. `str` says it in a few
    lines.
    """

    network: str
    path: Path
    sha256: str
    kind: str  # "torchvision's resnet50"
    tensors: int  # read from the file into the network
    adapted: tuple[str, ...] = ()  # the first convolution, where it was given other channels
    fresh: tuple[str, ...] = ()  # weights of the network that the file did not give
    unread: tuple[str, ...] = ()  # weights of the file that have no place in the network
    difference: float | None = (
        None  # of the file's weights from the answer recorded in it, over its largest logit
    )
    rounded: str = ""  # the network's precision, where it is less than the file's
    where: str = ""  # in the file: its section, and the prefix of its names
    average: str = ""  # in words, where an average was read, or lies beside what was
    # mean and std, of pixels in 0..1, that the weights expect, where these are not ImageNet's
    standardised: Pixels | None = None
    background: bool = False  # whether class 0 is none, and the first of the thousand is 1
    folded: bool = False  # whether the file's norms were folded into its convolutions
    pictures: str = ""  # in words, who says how pictures are prepared for the weights

    def __str__(self) -> str:
        lines = [
            f"{self.network} holds {self.kind}: {self.tensors} tensors of {self.path.name}",
            f"sha256 {self.sha256}",
        ]
        if self.where:
            lines.append(f"read from {self.where}")
        if self.average:
            lines.append(self.average)
        lines += [f"adapted to other channels: {name}" for name in self.adapted]
        if self.fresh:
            lines.append(f"not from the file, as they were: {_listed(self.fresh)}")
        if self.unread:
            lines.append(f"in the file, but not read: {_listed(self.unread)}")
        lines.append(self._answer())
        if self.standardised:
            lines.append(advice(self.standardised, self.network))
        if self.background:
            lines.append("class 0 is the background; the classes of ImageNet begin at 1")
        if self.folded:
            lines.append(FOLDED)
        if self.rounded:
            lines.append(f"then rounded to {self.rounded}, the network's precision")
        return "\n".join(lines)

    def _answer(self) -> str:
        if self.difference is not None:
            return f"answers as recorded, within {self.difference:.1e} of the largest logit"
        if self.adapted or self.fresh or self.unread:
            return "no answer is compared, for it is another network than the file's"
        return "no answer is recorded in the file"


@dataclass
class _Parts:
    """Where each tensor of the network and of the file goes."""

    loaded: dict[str, Tensor] = field(default_factory=dict)  # by our names
    constant: dict[str, Tensor] = field(default_factory=dict)  # what no such file holds
    adapted: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)

    @property
    def are_all(self) -> bool:
        return not (self.adapted or self.fresh or self.unread)


def fill(
    net: nn.Module,
    found: Found,
    *,
    adapt_classes: bool = False,
    adapt_channels: bool = False,
) -> Certificate:
    """Load what was found in a file into the network, all or none; see load_weights."""
    state, file, kind = net.state_dict(), found.file, found.kind
    parts = _sorted(state, found, adapt_classes, adapt_channels)
    on_meta = [key for key in state if state[key].is_meta]
    if left := [key for key in parts.fresh if key in on_meta]:
        raise WeightsError(
            f"{file.path} does not give {left[0]}, and on the meta device the network has no "
            f"weights of its own; create this {kind.ours} without torch.device('meta')"
        )
    difference = _difference(net, file, kind, parts.loaded) if parts.are_all else None
    cast = {key: _cast(tensor, state[key], key, file) for key, tensor in parts.loaded.items()}
    cast |= parts.constant
    net.load_state_dict(cast, strict=False, assign=bool(on_meta))
    net.certificate = Certificate(
        kind.ours,
        file.path,
        file.sha256,
        str(kind),
        len(parts.loaded),
        tuple(parts.adapted),
        tuple(parts.fresh),
        tuple(parts.unread),
        difference,
        _rounded(parts.loaded, cast),
        _where(found),
        found.average,
        expected(found),
        begins_with_background(found, _classes(parts.loaded, kind, twin_of(kind).names(state))),
        bool(parts.constant),
    )
    return net.certificate


def _sorted(
    state: Mapping[str, Tensor], found: Found, adapt_classes: bool, adapt_channels: bool
) -> _Parts:
    file, kind = found.file, found.kind
    twin = twin_of(kind)
    names = twin.names(state)
    own = [key for key in names if names[key] not in file.tensors and not key.endswith(COUNTER)]
    known = {*names.values(), *map(twin.bias, names.values())}
    unread = [name for name in file.tensors if name not in known and matters(name)]
    _refuse_half(found, [key for key in own if not AUXILIARY.search(key)], unread, adapt_classes)
    constant = _constant(twin, state)
    parts = _Parts(
        constant=constant,
        fresh=[*(key for key in state if key not in names and key not in constant), *own],
        unread=[*unread, *found.fit.beside],
    )
    for key, name in names.items():
        if name not in file.tensors:
            continue
        tensor, wanted = taken(twin, key, file.tensors), state[key].shape
        if tensor.shape == wanted:
            parts.loaded[key] = tensor
        elif name in kind.head and adapt_classes:
            parts.fresh.append(key)
        elif name == kind.stem and adapt_channels and _but(1, tensor.shape) == _but(1, wanted):
            parts.loaded[key] = _with_channels(tensor, wanted[1])
            parts.adapted.append(key)
        else:
            raise WeightsError(_mismatch(file, kind, name, tensor.shape, wanted))
    return parts


def _constant(twin: Twin, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What no file of this kind holds, for it is the same in all of them."""
    values = {key: twin.value(key) for key in state}
    return {
        key: torch.full(state[key].shape, value, dtype=state[key].dtype)
        for key, value in values.items()
        if value is not None
    }


def _refuse_half(found: Found, own: list[str], unread: list[str], adapt_classes: bool) -> None:
    """Raises WeightsError where the file lacks something of the network (`own`) or has more than it
    (`unread`), unless that is a classifier, and such may stay fresh.
    """
    file, kind, fit = found.file, found.kind, found.fit
    of_the_head = {*unread} <= {*kind.head}
    if fit.own or fit.lacks:
        if own or fit.own:
            if adapt_classes:
                return
            missing = [name for name in fit.lacks if not AUXILIARY.search(name)]
            raise WeightsError(_trunk(found, missing))
    elif (own or unread) and not (adapt_classes and of_the_head):
        raise WeightsError(_changed(file, kind, (own or unread)[0], of_the_head))


def _difference(
    net: nn.Module, file: Checkpoint, kind: Known, weights: Mapping[str, Tensor]
) -> float | None:
    """From the answer recorded in the file, of the file's own numbers: what the network's precision
    makes of them is no fault of theirs.
    """
    recorded = probe.recorded(file.metadata)
    if recorded is None:
        return None
    difference = probe.difference(net, recorded, weights)
    if difference <= TOLERANCE:
        return difference
    raise WeightsError(
        f"{file.path} does not answer as recorded in it: {difference:.1e} of the largest logit "
        f"off; if this {kind.ours} was changed, load it into a new one, else write the file again "
        "with this version of convatlas"
    )


def _classes(loaded: Mapping[str, Tensor], kind: Known, names: Mapping[str, str]) -> int:
    """How many classes the head that was read tells apart; 0 where none was."""
    return next((len(loaded[key]) for key in loaded if names[key] in kind.head), 0)


def _but(dim: int, shape: torch.Size) -> tuple[int, ...]:
    return (*shape[:dim], *shape[dim + 1 :])


def _with_channels(weight: Tensor, channels: int) -> Tensor:
    """A first convolution for other images: every channel gets the mean slice, so that a grey image
    answers alike.

    (c_out, c_in, kh, kw) -> (c_out, channels, kh, kw)
    """
    mean = weight.to(torch.float64).sum(1, keepdim=True) / channels
    return mean.expand(-1, channels, -1, -1).to(weight.dtype).contiguous()


def _cast(tensor: Tensor, like: Tensor, key: str, file: Checkpoint) -> Tensor:
    """The tensor in the network's precision; WeightsError where that cannot hold it."""
    cast = tensor.to(like.dtype)
    if cast.is_floating_point() and not cast.isfinite().all():
        raise WeightsError(
            f"{file.path} holds values in {key} that {_precision(cast)} cannot; load it into a "
            "network of float32 or bfloat16"
        )
    return cast


def _rounded(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> str:
    found = {
        _precision(after[key])
        for key, tensor in before.items()
        if after[key].is_floating_point()
        and torch.finfo(after[key].dtype).eps > torch.finfo(tensor.dtype).eps
    }
    return " and ".join(sorted(found))


def _precision(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - FEW
    return ", ".join(names[:FEW]) + (f" and {more} more" if more > 0 else "")


def _where(found: Found) -> str:
    section, prefix = found.file.section, found.fit.under
    return ", ".join([*([section] if section else []), *([f"{prefix}*"] if prefix else [])])


def _trunk(found: Found, missing: list[str]) -> str:
    """A file that holds the layers of a network, but another classifier or none."""
    lacks = f" but {_listed(tuple(missing))}" if missing else ""
    besides = f", and beside it {_listed(found.fit.beside)}" if found.fit.beside else ""
    return (
        f"{found.file.path} holds all of {found.kind}{lacks}{besides}; to take its layers and "
        "leave the classifier fresh, give num_classes to create_model, or adapt_classes=True to "
        f"load_weights (on the command line, convatlas train {found.kind.ours} --weights "
        f"{found.file.path})"
    )


def _changed(file: Checkpoint, kind: Known, name: str, in_the_classifier: bool) -> str:
    remedy = (
        "adapt_classes=True loads what has a place in it"
        if in_the_classifier
        else "load the file first, and change the network then"
    )
    return f"{file.path} holds {kind}, but this {kind.ours} was changed ({name}); {remedy}"


def _mismatch(
    file: Checkpoint, kind: Known, name: str, shape: torch.Size, wanted: torch.Size
) -> str:
    if name in kind.head and _but(0, shape) == _but(0, wanted):
        return (
            f"{file.path} tells {shape[0]} classes apart, this {kind.ours} {wanted[0]}; "
            f"give num_classes={shape[0]} to create_model, or adapt_classes=True for a "
            "fresh classifier"
        )
    if name == kind.stem and _but(1, shape) == _but(1, wanted):
        return (
            f"{file.path} reads images of {shape[1]} channels, this {kind.ours} of {wanted[1]}; "
            f"give in_channels={shape[1]} to create_model, or adapt_channels=True"
        )
    return _changed(file, kind, name, name in kind.head)
