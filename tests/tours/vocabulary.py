"""What a figure of a tour may be made of: docs/tours/figures.toml writes it with these functions.

All of it stands in the index, so that nothing here builds a network.
"""

import json
import re
from functools import cache
from importlib import resources
from math import log, prod

from convatlas.anatomy.table import COLUMNS
from convatlas.registry import stored_facts


@cache
def table(name: str) -> dict:
    """The stored layer table of a network: what its parts give out, and its rows."""
    stored = json.loads((resources.files("convatlas") / f"index/layers/{name}.json").read_bytes())
    return {
        "ends": stored["ends"],
        "rows": [dict(zip(COLUMNS, r, strict=True)) for r in stored["rows"]],
    }


def rows(name: str, *parts: str, kind: str = "") -> list[dict]:
    """The rows of these parts, or of the whole network; of layers of one class."""
    for part in parts:
        assert part in paths(name), f"{name} has no {part}"
    return [
        row
        for row in table(name)["rows"]
        if (not parts or any(f"{row['name']}.".startswith(f"{part}.") for part in parts))
        and kind in ("", row["kind"])
    ]


@cache
def paths(name: str) -> set[str]:
    """Every part that has an address: layers, and what they stand in."""
    words = [row["name"].split(".") for row in table(name)["rows"]]
    return {".".join(path[:n]) for path in words for n in range(1, len(path) + 1)}


def macs(name: str, *parts: str) -> int:
    return sum(row["macs"] for row in rows(name, *parts)) if parts else stored_facts()[name]["macs"]


def params(name: str, *parts: str, kind: str = "") -> int:
    """Of a whole network with the heads that only train."""
    if parts or kind:
        return sum(row["params"] for row in rows(name, *parts, kind=kind))
    return stored_facts()[name]["params"]


def read(name: str) -> int:
    """Parameters without those of heads that only train."""
    return stored_facts()[name]["params"] - stored_facts()[name]["idle"]


def depth(name: str) -> int:
    return stored_facts()[name]["depth"]


def year(name: str) -> int:
    return stored_facts()[name]["paper"]["year"]


def pixels(name: str) -> int:
    return stored_facts()[name]["input_size"][1]


def output(name: str, part: str) -> list[int]:
    """What a part gives out, or the last layer in it."""
    ends = table(name)["ends"]
    return ends[part][0] if part in ends else rows(name, part)[-1]["output"]


def channels(name: str, part: str) -> int:
    return output(name, part)[0]


def side(name: str, part: str) -> str:
    """The map: "14x14"."""
    return "x".join(map(str, output(name, part)[1:]))


def size(name: str, part: str) -> str:
    return "x".join(map(str, output(name, part)))


def field(name: str, part: str) -> int:
    ends = table(name)["ends"]
    return ends[part][1] if part in ends else rows(name, part)[-1]["field"]


def count(name: str, *parts: str, kind: str) -> int:
    return len(rows(name, *parts, kind=kind))


def values(name: str, *parts: str, kind: str = "") -> int:
    """How many numbers layers give out."""
    return sum(prod(row["output"]) for row in rows(name, *parts, kind=kind))


def is_depthwise(row: dict) -> bool:
    return row["kind"] == "Conv2d" and row["groups"] == row["output"][0] > 1


def chosen(name: str, sort: str) -> list[dict]:
    """Rows of one sort: a kernel ("1x1"), "depthwise", "5x5 depthwise", "conv" for every
    convolution, or a layer's class.
    """
    kernel, _, depthwise = sort.partition(" ")
    if sort == "depthwise":
        return [row for row in rows(name) if is_depthwise(row)]
    if sort == "conv" or not kernel[0].isdigit():
        return [row for row in rows(name) if row["kind"] == sort.replace("conv", "Conv2d")]
    return [
        row
        for row in rows(name, kind="Conv2d")
        if "x".join(map(str, row["kernel"])) == kernel and (is_depthwise(row) or not depthwise)
    ]


def units(name: str, *stages: str) -> int:
    """How many units stand one after the other in these stages, or in all of a network's."""
    stages = stages or tuple(s["name"] for s in stored_facts()[name]["stages"])
    inside = {tuple(path.split(".")) for path in paths(name)}
    found = {path[:2] for path in inside for stage in stages if path[0] == stage and len(path) > 1}
    return sum(bool(re.fullmatch(r"\d+|(layer|block|b)\d+", path[1])) for path in found)


def moved(name: str, layer: str = "", width: int = 0) -> int:
    """Numbers that convolutions read and write, with their weights (ShuffleNetV2, Sec. 2): of one
    that reads `width` channels of a map as large as its own, or of every 1x1 of a network.
    """
    total = 0
    for row in [r for r in rows(name) if r["name"] == layer] if layer else chosen(name, "1x1"):
        channels, *map_ = row["output"]
        weights = row["params"] - channels * row["bias"]
        read = width or weights * row["groups"] // channels
        total += prod(map_) * (read + channels) + weights
    return total


def share(what: str, name: str, layer: str) -> float:
    """Percent of a network's "macs" or "params" in layers of one sort."""
    return 100 * sum(row[what] for row in chosen(name, layer)) / sum(r[what] for r in rows(name))


def claim(name: str, quantity: str, part: str = "", source: str = "", value: str = "") -> dict:
    """The one claim of a network on this quantity whose source begins so, and that prints this."""
    (found,) = [
        claim
        for claim in stored_facts()[name]["claims"]
        if (claim["quantity"], claim["part"]) == (quantity, part)
        and claim["source"].startswith(source)
        and claim["printed"].startswith(value)
    ]
    return found


def printed(name: str, *which: str, **more: str) -> str:
    """As it stands in the paper."""
    return claim(name, *which, **more)["printed"]


def measured(name: str, *which: str, **more: str) -> str:
    return claim(name, *which, **more)["measured"]


def at(name: str, quantity: str, size: str) -> float:
    """What was measured at another size of image, to hold it against a claim, in millions."""
    (text,) = {
        claim["measured"]
        for claim in stored_facts()[name]["claims"]
        if (claim["quantity"], claim["at"], claim["by"]) == (quantity, size, "")
    }
    return float(text.removesuffix("M"))


def remark(name: str, quantity: str, number: str, **more: str) -> float:
    """A number that the reason tells why a claim does not hold."""
    assert number in claim(name, quantity, **more)["remark"]["why"]
    return float(number)


def told(name: str, number: str) -> float:
    """A number that stands in what the atlas tells of a network's paper."""
    paper = stored_facts()[name]["paper"]
    text = " ".join(str(paper[field]) for field in ("results", "recipe", "silent", "elsewhere"))
    assert number in text, f"{name}: nothing tells {number}"
    return float(number.replace(",", ""))


WORDS = {
    word.__name__: word
    for word in (
        *(macs, params, read, depth, year, pixels, channels, side, size, field, count, values),
        *(
            share,
            units,
            moved,
            at,
            claim,
            printed,
            measured,
            remark,
            told,
            output,
            log,
            round,
            float,
        ),
    )
}


def worked_out(expression: str) -> int | float | str:
    """What an expression of docs/tours/figures.toml comes to; of what is printed, the number."""
    found = eval(expression, {"__builtins__": {}}, WORDS)
    if isinstance(found, str) and not re.fullmatch(r"\d+(x\d+)+", found):
        return float(re.match(r"[\d.,]+", found)[0].replace(",", ""))
    return found
