"""A cost in words: the paragraph that answers where it goes."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from convatlas.anatomy.difference_words import listed
from convatlas.anatomy.spending import BYTES, FULLY, NORM, POOL, Share
from convatlas.anatomy.table import by

if TYPE_CHECKING:
    from convatlas.anatomy.cost import Cost

MOST = 0.9  # of so much of a total the kinds are named
FEW = 3  # kinds at most
HELD = 0.1  # a layer with such a share of the parameters is worth a sentence
CHEAP = 0.1  # where its share of the multiply-adds is not more than this part of it
PLURAL = {FULLY: "fully connected layers", NORM: "norms", POOL: "poolings"}


def paragraph(cost: "Cost") -> str:
    """Multiply-adds by kind, parameters by kind, the costliest stages, and what must be held."""
    return " ".join(_sentences(cost))


def _sentences(cost: "Cost") -> Iterator[str]:
    whole = cost.total
    if whole.macs:
        yield f"Of the multiply-adds {_kinds(cost.kinds, 'macs', whole)}."
    if whole.params:
        by_params = sorted(cost.kinds, key=lambda share: -share.params)
        yield f"Of the parameters {_kinds(by_params, 'params', whole)}."
    yield from _contrasts(cost)
    if whole.macs and len(cost.stages) > 1:
        dearest = max(cost.stages, key=lambda share: share.macs)
        yield (
            f"No stage computes more than {dearest.name or 'the network itself'} "
            f"({percent(dearest.macs / whole.macs)}, {by(dearest.output)})."
        )
    most = cost.peak
    where = f"when {most.name} has written {by(most.output)}" if most.name else "at the input"
    yield (
        f"The weights take {megabytes(whole.params)} in single precision; of maps at most "
        f"{megabytes(most.values)} are held at a time, {where}, or "
        f"{megabytes(cost.peak_in_place.values)} if norms, activations and sums write over what "
        "they read."
    )


def _kinds(shares: Sequence[Share], of: str, whole: Share) -> str:
    """ "94.9 % are in 1x1 convolutions and 3.1 % in depthwise 3x3 convolutions" """
    told, covered = [], 0.0
    for share in shares[:FEW]:
        part = getattr(share, of) / getattr(whole, of)
        if covered >= MOST and told and part < HELD:
            break
        verb = "" if told else "are "
        told.append(f"{percent(part)} {verb}in {spoken(share.name)}")
        covered += part
    return listed(told)


def _contrasts(cost: "Cost") -> Iterator[str]:
    """Layers that hold much and compute little, as the classifiers of AlexNet and VGG."""
    whole = cost.total
    for share in cost.kinds:
        held, computed = share.params / max(whole.params, 1), share.macs / max(whole.macs, 1)
        if held >= HELD and computed <= CHEAP * held:
            yield (
                f"For these {percent(held)} of the parameters {spoken(share.name)} compute "
                f"{percent(computed)} of the multiply-adds."
            )


def beside(one: "Cost", other: "Cost") -> str:
    """What another network costs for 1 of the first: "mobilenet_v2 computes 0.53 ..." """
    parts = [
        f"{_times(getattr(other.total, of), getattr(one.total, of))} of the {what}"
        for of, what in (("macs", "multiply-adds"), ("params", "parameters"))
    ]
    held = _times(other.peak.values, one.peak.values)
    return f"{other.network} takes {' and '.join(parts)} of {one.network}, and {held} of its peak."


def _times(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


def percent(part: float) -> str:
    """0.9486 -> "94.9 %" """
    if 0 < part < 0.0005:
        return "less than 0.1 %"
    return f"{100 * part:.1f} %"


def megabytes(values: int) -> str:
    """Of values in single precision, 10^6 bytes in one."""
    size = values * BYTES / 1e6
    if size < 0.9995:
        return f"{1000 * size:.3g} kB"
    return f"{size:.3g} MB" if size < 999.5 else f"{size:,.0f} MB"


def spoken(kind: str) -> str:
    """ "1x1" -> "1x1 convolutions" """
    return PLURAL.get(kind, f"{kind} convolutions" if kind[-1:].isdigit() else kind)
