"""The listings as docs/near_misses.md tells them. `python tests/listings/told.py` writes its tables
anew.
"""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import alexnets
import densenets
import efficientnets
import googlenets
import grouped
import lenets
import mobilenets
import mobilenets_v3
import nins
import preresnets
import resnets
import senets
import shufflenets
import vggs
from listing import TRAINING, Difference, Listing

PAGE = Path(__file__).parents[2] / "docs" / "near_misses.md"
SECTIONS: dict[str, tuple[ModuleType, ...]] = {
    "ResNet": (resnets, preresnets, grouped),
    "LeNet and AlexNet": (lenets, alexnets),
    "VGG, NiN and GoogLeNet": (vggs, nins, googlenets),
    "DenseNet": (densenets,),
    "SE-ResNet and SqueezeNet": (senets,),
    "MobileNet": (mobilenets, mobilenets_v3),
    "ShuffleNet": (shufflenets,),
    "EfficientNet": (efficientnets,),
}
HEAD = "| listing | parameters | what it is | what sets it apart |"
RULE = "| --- | ---: | --- | --- |"
PLURALS = {"swish": "swishes", "h-swish": "hard swishes"}
WORDS = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "conv": "convolution",
    "linear": "linear layer",
    "multiply": "product",
    "add": "sum",
    "pad": "zero padding",
    "rearrange": "shuffle",
    "local response norm": "local response normalisation",
    "h-swish": "hard swish",
    "half": "half the kernel",
}


def word(value: object) -> str:
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return WORDS.get(value, f"{value:g}" if isinstance(value, float) else str(value))


def several(op: str, times: int) -> str:
    """ "a max pool", "3 convolutions" """
    name = word(op)
    if times == 1:
        return f"a {name}"
    return f"{times} {PLURALS.get(op, f'{name}s')}"


def said(each: Difference) -> str:
    times = f" (x{each.times})" if each.times > 1 else ""
    if each.what == "momentum":
        return f"momentum {each.here:g} for {each.there:g}{times}"
    if each.what == "p":
        if None in (each.here, each.there):
            return f"no {each.op}" if each.here is None else f"{each.op} {word(each.here)}{times}"
        return f"{each.op} {word(each.here)} for {word(each.there)}{times}"
    if not each.what:
        return f"{several(each.op, each.times)} {'more' if each.there is None else 'fewer'}"
    if each.what == "bias":
        return f"{'biases' if each.here else 'no biases'} in {several(each.op, each.times)}"
    if each.what == "kind":
        return f"{word(each.here)} for {word(each.there)}{times}"
    if each.what == "ceil":
        return f"{each.op}: rounds {'up' if each.here else 'down'}{times}"
    if each.what == "eps":
        return f"epsilon {each.here:g} for {each.there:g}{times}"
    if each.what in ("order", "reads", "zeros"):
        what = f"{word(each.op)} reads" if each.what == "reads" else word(each.op)
        return f"{what} {word(each.here)}, not {word(each.there)}{times}"
    if each.what == "kernel":
        return f"{word(each.op)} {word(each.here)} for {word(each.there)}{times}"
    if each.what == "channels":
        return f"{each.here} channels for {each.there}{times}"
    return f"{each.what} {word(each.here)} for {word(each.there)}{times}"


def merged(differences: Iterable[Difference]) -> list[Difference]:
    """Equal ones, which have several reasons, as one."""
    found: dict[Difference, int] = {}
    for each in differences:
        key = replace(each, times=1)
        found[key] = found.get(key, 0) + each.times
    return [replace(each, times=times) for each, times in found.items()]


def apart(listing: Listing) -> str:
    told = merged(listing.differences)
    always = [said(each) for each in told if each.group != TRAINING]
    training = [said(each) for each in told if each.group == TRAINING]
    parts = [", ".join(always)] if always else []
    if training:
        parts.append(f"in training: {', '.join(training)}")
    if listing.remark:
        parts.append(listing.remark)
    return "; ".join(parts)


def row(listing: Listing) -> str:
    verdict = "the same as" if listing.same else "nearest to"
    source = f"{listing.source.repository}, {listing.source.path}"
    size = "x".join(map(str, listing.size))
    return (
        f"| `{listing.name}`: {source}, {size} | {listing.params:,} | "
        f"{verdict} `{listing.atlas}` | {apart(listing)} |"
    )


def table(section: str) -> list[str]:
    return [HEAD, RULE, *(row(one) for family in SECTIONS[section] for one in family.LISTINGS)]


def renewed(page: str) -> str:
    """The page with the table below each section's heading written anew."""
    lines = page.splitlines()
    for section in SECTIONS:
        heading = lines.index(f"### {section}")
        start = next(i for i in range(heading, len(lines)) if lines[i].startswith("|"))
        end = next(i for i in range(start, len(lines)) if not lines[i].startswith("|"))
        lines[start:end] = table(section)
    return "\n".join([*lines, ""])


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(renewed(page), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
