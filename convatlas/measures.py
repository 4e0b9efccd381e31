"""What a claim may speak of: each printed quantity, and how it is read off a network's summary."""

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from fnmatch import fnmatchcase
from math import prod

from convatlas.anatomy import Layer, Summary
from convatlas.anatomy.table import Part
from convatlas.claim import Claim
from convatlas.errors import ClaimError

NUMBERED = re.compile(r"(\D*)\d+")
ACTIVATIONS = {
    "RE": "ReLU",
    "HS": "Hardswish",
    "ReLU": "ReLU",
    "ReLU6": "ReLU6",
    "swish": "SiLU",
    "GELU": "GELU",
}
LAYER_NORMS = ("LayerNorm", "ChannelNorm")


def rows_of(claim: Claim, measured: Summary) -> list[Layer]:
    """The layers of a part, or of all parts that a pattern such as *.dw or branch? matches.
    ClaimError where there is none.
    """
    if not {"*", "?"} & {*claim.part}:
        part_of(claim, measured)
        return measured.under(claim.part)
    rows = [
        row
        for row in measured.rows
        if fnmatchcase(row.name, claim.part) or fnmatchcase(row.name, f"{claim.part}.*")
    ]
    if not rows:
        raise ClaimError(
            f"no part {claim.part!r} runs in the network; a * stands for any letters of a path"
        )
    return rows


def part_of(claim: Claim, measured: Summary) -> Part:
    """What the named module gives out. ClaimError where it does not run."""
    if claim.part == "input":
        return Part(measured.input_size, 1, 0)
    if claim.part not in measured.parts:
        raise ClaimError(
            f"no part {claim.part!r} runs in the network; name a module of it, such as conv1"
        )
    return measured.parts[claim.part]


def _params(rows: Iterable[Layer]) -> int:
    return sum(row.params for row in rows)


def _macs(rows: Iterable[Layer]) -> int:
    return sum(row.macs for row in rows)


def _share_of_pointwise(rows: list[Layer]) -> Decimal:
    """Of the multiply-adds of these layers, what 1x1 convolutions compute."""
    pointwise = _macs(row for row in rows if row.kernel == (1, 1))
    return Decimal(pointwise) / max(_macs(rows), 1)


def _convolutions(rows: Iterable[Layer]) -> int:
    return sum(row.groups is not None for row in rows)


def _is_norm(row: Layer) -> bool:
    return "BatchNorm" in row.kind or row.kind in LAYER_NORMS


def _statistics(rows: Iterable[Layer]) -> int:
    """Running means and variances, which a layer norm has not."""
    return sum(2 * row.output[0] for row in rows if "BatchNorm" in row.kind)


def _without_norms(rows: Iterable[Layer]) -> int:
    return sum(row.params for row in rows if not _is_norm(row))


def _weights(rows: Iterable[Layer]) -> int:
    """Without norms, and without the biases of convolutions and linear layers."""
    return sum(
        row.params - (row.output[0] if row.bias and row.params else 0)
        for row in rows
        if not _is_norm(row)
    )


def _macs_of_convolutions(rows: Iterable[Layer]) -> int:
    return sum(row.macs for row in rows if row.groups is not None)


def _last_macs(rows: list[Layer]) -> int:
    return next((row.macs for row in reversed(rows) if row.macs), 0)


def _is_pool_between_stages(row: Layer) -> bool:
    return "Pool" in row.kind and "." not in row.name


def _values_of_norms(rows: Iterable[Layer]) -> int:
    return sum(prod(row.output) for row in rows if _is_norm(row))


def _neurons(rows: Iterable[Layer]) -> int:
    """Outputs of the layers with weights."""
    return sum(prod(row.output) for row in rows if row.params and not _is_norm(row))


def _in_1024s(count: int) -> Decimal:
    """So that 1024 of them are printed as 1K."""
    return Decimal(count) * 1000 / 1024


def _fixed_bytes(rows: Iterable[Layer], bits: int) -> int:
    """What each layer has besides its kept weights in a compressed file as SqueezeNet's authors lay
    it out: a count, 2^bits values, and biases.
    """
    layers = [row for row in rows if row.params and not _is_norm(row)]
    return sum(4 + 4 * 2**bits + 4 * row.bias * row.output[0] for row in layers)


def _bytes_compressed(rows: Iterable[Layer], bits: int) -> Decimal:
    """In that layout, with 33% of the weights: a code each, and four bits for the zeros before."""
    return _fixed_bytes(rows, bits) + Decimal("0.33") * _weights(rows) * (bits + 4) / 8


def _share_in_660_kb(rows: Iterable[Layer]) -> Decimal:
    """Of the weights, what 660 times 1024 bytes have room for in that layout with 8 bits."""
    return (660 * 1024 - _fixed_bytes(rows, 8)) * 8 / (Decimal(12) * _weights(rows))


SUMS: dict[str, Callable[[list[Layer], Summary], int | Decimal]] = {  # over the layers of a part
    "params": lambda rows, net: _params(rows),  # as papers count: no auxiliary heads
    "params with heads": lambda rows, net: _params(rows) + net.idle,
    "params with statistics": lambda rows, net: _params(rows) + _statistics(rows),
    "params with statistics, no scales": lambda rows, net: (  # of norms that only shift
        _params(rows) + _statistics(rows) // 2
    ),
    "params without norms": lambda rows, net: _without_norms(rows),
    "params in 1024s": lambda rows, net: _in_1024s(_params(rows)),
    "weights": lambda rows, net: _weights(rows),
    "weights in 1024s": lambda rows, net: _in_1024s(_weights(rows)),
    "share of params": lambda rows, net: Decimal(_params(rows)) / _params(net.rows),
    "share of weights": lambda rows, net: Decimal(_weights(rows)) / _weights(net.rows),
    "bytes": lambda rows, net: 4 * _params(rows),  # in single precision
    "bytes at 33% and 8 bits": lambda rows, net: _bytes_compressed(rows, 8),
    "bytes at 33% and 6 bits": lambda rows, net: _bytes_compressed(rows, 6),
    "share of weights in 660KB": lambda rows, net: _share_in_660_kb(rows),
    "macs": lambda rows, net: _macs(rows),
    "macs with norms": lambda rows, net: _macs(rows) + _values_of_norms(rows),
    "macs without the last layer": lambda rows, net: _macs(rows) - _last_macs(rows),
    "macs of convolutions": lambda rows, net: _macs_of_convolutions(rows),
    "share of macs": lambda rows, net: Decimal(_macs(rows)) / net.macs,
    "share of its macs in 1x1": lambda rows, net: _share_of_pointwise(rows),
    "flops": lambda rows, net: 2 * _macs(rows),
    "connections": lambda rows, net: sum(row.connections for row in rows),
    "layers, conv1 as one": lambda rows, net: net.layers - net.parts["conv1"].layers + 1,
    "convolutions": lambda rows, net: _convolutions(rows),
    "layers as convolutions": lambda rows, net: _convolutions(rows),  # all, and nothing else
    "gates": lambda rows, net: sum(row.kind in ("Sigmoid", "Hardsigmoid") for row in rows),
    "neurons": lambda rows, net: _neurons(rows),
    "neurons and inputs": lambda rows, net: _neurons(rows) + prod(net.input_size),
    "layers and pools": lambda rows, net: net.layers + sum(map(_is_pool_between_stages, rows)),
}
USUAL = {
    "layers as convolutions": "layers",  # another way of counting -> the usual one
    "params with statistics": "params",
    "params with statistics, no scales": "params",
    "params without norms": "params",
    "params in 1024s": "params",
    "weights": "params",
    "weights in 1024s": "params",
    "share of weights": "share of params",
    "macs with norms": "macs",
    "macs without the last layer": "macs",
    "macs of convolutions": "macs",
    "layers, conv1 as one": "layers",
}
UNCOMPRESSED = {  # what another network, beside which this one is compressed, is measured by
    f"bytes at 33% and {bits} bits": "bytes" for bits in (6, 8)
}
OF_ONE_PART: dict[str, Callable[[Part], int]] = {
    "layers": lambda part: part.layers,
    "units": lambda part: prod(part.output),
    "channels": lambda part: part.output[0],
    "bytes in 16 bits": lambda part: 2 * prod(part.output),  # of the map
}


def _outputs_for_an_input(row: Layer) -> int | None:
    """Of a 1x1 convolution without biases."""
    return row.output[0] ** 2 // row.params if row.kernel == (1, 1) and row.groups == 1 else None


ALIKE: dict[str, Callable[[Layer], object]] = {  # of every layer of a part that has it
    "kernel": lambda row: row.kernel,
    "stride": lambda row: row.stride and _side(row.stride),
    "filters": lambda row: row.output[0] if row.groups is not None else None,
    "groups": lambda row: row.groups,
    "expansion": _outputs_for_an_input,
    "nonlinearity": lambda row: row.kind if row.kind in ACTIVATIONS.values() else None,
}
IN_ITS_PLACE = {  # what one plain convolution would cost in the place of a part -> its kernel
    f"{cost} of a {k}x{k} in its place": k for cost in ("params", "macs") for k in (3, 5)
}
QUANTITIES = ("size", "repeats", *SUMS, *OF_ONE_PART, *ALIKE, *IN_ITS_PLACE)


def _side(stride: tuple[int, int]) -> int:
    height, width = stride
    if height != width:
        raise ClaimError(f"the stride is {height}x{width}, no single number")
    return height


def in_its_place(claim: Claim, measured: Summary) -> int:
    """The weights or multiply-adds of one convolution without bias that reads what the part's first
    layer reads and gives as many channels as the part. ClaimError where that is no plain 1x1.
    """
    channels, height, width = part_of(claim, measured).output
    first = rows_of(claim, measured)[0]
    if (first.kernel, first.groups) != ((1, 1), 1):
        raise ClaimError(f"the first layer of {claim.part!r} is no plain 1x1 convolution")
    read = _weights([first]) // first.output[0]
    weights = IN_ITS_PLACE[claim.quantity] ** 2 * read * channels
    return weights * height * width if claim.quantity.startswith("macs") else weights


def repeats(claim: Claim, measured: Summary) -> int:
    """The numbered modules of a part: conv2_x.0, conv2_x.1, conv2_x.2 are three, and so are layer1,
    layer2, layer3. ClaimError where there is none, or more than one such row.
    """
    part_of(claim, measured)
    below = f"{claim.part}." if claim.part else ""
    names = {
        path.removeprefix(below).partition(".")[0]
        for path in measured.parts
        if path.startswith(below)
    }
    stems = [match[1] for name in names if (match := NUMBERED.fullmatch(name))]
    if len(set(stems)) != 1:
        raise ClaimError(f"{claim.part!r} holds no one row of numbered modules")
    return len(stems)


def alike(claim: Claim, measured: Summary) -> object:
    """What all layers of a part that have such a thing have in common. ClaimError where there is
    none, or where they differ.
    """
    found = {ALIKE[claim.quantity](row) for row in rows_of(claim, measured)} - {None}
    if not found:
        raise ClaimError(f"no layer of {claim.part!r} has a {claim.quantity}")
    if len(found) > 1:
        listed = ", ".join(sorted(map(str, found)))
        raise ClaimError(f"the layers of {claim.part!r} differ in {claim.quantity}: {listed}")
    return found.pop()
