"""What a figure of a tour may be made of: docs/tours/figures.toml writes it with these functions.

All of it stands in the index, so that nothing here builds a network.
"""

import json
from functools import cache
from importlib import resources
from math import prod

from convatlas.anatomy.table import COLUMNS
from convatlas.registry import stored_facts


@cache
def table(name: str) -> dict:
    """The stored layer table of a network: what its parts give out, and its rows."""
    stored = json.loads((resources.files("convatlas") / f"index/layers/{name}.json").read_bytes())
    return {"ends": stored["ends"], "rows": [dict(zip(COLUMNS, r)) for r in stored["rows"]]}


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


def params(name: str, *parts: str) -> int:
    """Of a whole network with the heads that only train."""
    if parts:
        return sum(row["params"] for row in rows(name, *parts))
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
    """What a part gives out; of a layer, at its last call."""
    named = [row["output"] for row in table(name)["rows"] if row["name"] == part]
    return named[-1] if named else table(name)["ends"][part][0]


def channels(name: str, part: str) -> int:
    return output(name, part)[0]


def side(name: str, part: str) -> str:
    """The map: "14x14"."""
    return "x".join(map(str, output(name, part)[1:]))


def size(name: str, part: str) -> str:
    return "x".join(map(str, output(name, part)))


def field(name: str, part: str) -> int:
    named = [row["field"] for row in table(name)["rows"] if row["name"] == part]
    return named[-1] if named else table(name)["ends"][part][1]


def count(name: str, *parts: str, kind: str) -> int:
    return len(rows(name, *parts, kind=kind))


def values(name: str, *parts: str, kind: str = "") -> int:
    """How many numbers layers give out."""
    return sum(prod(row["output"]) for row in rows(name, *parts, kind=kind))


def is_depthwise(row: dict) -> bool:
    return row["kind"] == "Conv2d" and row["groups"] == row["output"][0] > 1


def is_pointwise(row: dict) -> bool:
    return row["kind"] == "Conv2d" and row["kernel"] == [1, 1]


def chosen(name: str, layer: str) -> list[dict]:
    """Rows of one sort: "1x1", "depthwise", "conv" for every convolution, or a layer's class."""
    sorts = {
        "1x1": is_pointwise,
        "depthwise": is_depthwise,
        "conv": lambda row: row["kind"].endswith("Conv2d"),
    }
    return [row for row in rows(name) if sorts.get(layer, lambda row: row["kind"] == layer)(row)]


def share(what: str, name: str, layer: str) -> float:
    """Percent of a network's "macs" or "params" in layers of one sort."""
    return 100 * sum(row[what] for row in chosen(name, layer)) / sum(r[what] for r in rows(name))


def claim(name: str, quantity: str, part: str = "", source: str = "") -> dict:
    """The one claim of a network on this quantity whose source begins so."""
    (found,) = [
        claim
        for claim in stored_facts()[name]["claims"]
        if (claim["quantity"], claim["part"]) == (quantity, part)
        and claim["source"].startswith(source)
    ]
    return found


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
        *(share, told, sum, len, min, max, prod),
    )
}


def printed(name: str, quantity: str, part: str = "", source: str = "") -> str:
    """As the paper has it: digits, and no unit."""
    return claim(name, quantity, part, source)["printed"]


def measured(name: str, quantity: str, part: str = "", source: str = "") -> str:
    return claim(name, quantity, part, source)["measured"]


WORDS |= {"printed": printed, "measured": measured}


def worked_out(expression: str) -> int | float | str:
    """What an expression of docs/tours/figures.toml comes to."""
    return eval(expression, {"__builtins__": {}}, dict(WORDS))
