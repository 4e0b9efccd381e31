"""The table of a network: a row a stage and a row a unit, with what the paper prints of each."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from itertools import accumulate, combinations

from convatlas.anatomy import Layer, fold
from convatlas.anatomy.folding import Line
from convatlas.anatomy.network_graph import NetworkGraph
from convatlas.anatomy.table import by
from convatlas.explorer import sources, steps

HEADS = (  # key of the word, the word
    ("row.unit", "unit"),
    ("row.made", "made of"),
    ("row.output", "output"),
    ("facts.params", "parameters"),
    ("facts.macs", "multiply-adds"),
    ("row.field", "receptive field"),
    ("row.printed", "printed"),
)


@dataclass(frozen=True)
class Row:
    """A line of the folded table, and the paths of the units that it stands for."""

    units: tuple[str, ...]
    line: Line

    @property
    def path(self) -> str:
        return self.units[0]


def rows(layers: dict) -> list[Row]:
    """The folded table of a stored layer table."""
    names = [row[0].split(".") for row in layers["rows"]]
    found, stage = [], ""
    for line in fold(map(Layer.from_row, layers["rows"]), layers["ends"]):
        if not line.indent:
            stage = line.name
            found.append(Row((stage,), line))
            continue
        inside = dict.fromkeys(parts[1] for parts in names if parts[0] == stage and parts[1:])
        units = _units(line, list(inside))
        found.append(Row(tuple(f"{stage}.{unit}" for unit in units), line))
    return found


def _units(line: Line, inside: list[str]) -> list[str]:
    """The names of the units that a line stands for, of all in its stage: "1-3" is 1, 2 and 3."""
    if line.repeats == 1:
        return [line.name]
    for first, last in combinations(range(len(inside)), 2):
        if line.name == f"{inside[first]}-{inside[last]}":
            return inside[first : last + 1]
    return [line.name]


def table(facts: dict, graph: NetworkGraph) -> str:
    """The rows as HTML, each with the claims that name exactly its unit."""
    whole, seen = facts["macs"] or 1, set()
    said, found = _claims_of(facts["claims"]), rows(facts["layers"])
    up = sources.rounded_up(facts["family"])
    way = steps.steps(graph, facts["layers"]["rows"], up)
    lines, stage = [], ""
    for row, marks in zip(found, _sizes(found, facts["layers"]["rows"], way), strict=True):
        marks = marks if row.path in seen else f" id={row.path}{marks}"
        told = _lines(facts["family"], row.path)
        stage = stage if row.line.indent else told
        marks += told if told != stage or not row.line.indent else ""
        lines.append(_row(row, said.get(row.path, ()), whole, marks))
        seen.add(row.path)
    heads = "".join(f"<th scope=col data-word={key}>{text}" for key, text in HEADS)
    return (
        f"<table data-size={graph.size[1]}{_way(way, graph)}><thead><tr>{heads}"
        f"<tbody>{''.join(lines)}</table>"
    )


def _way(way: steps.Steps, graph: NetworkGraph) -> str:
    """The steps for the page's own arithmetic, and the layer that binds the size, if any."""
    each = [
        [step.after, step.kernel, step.stride]
        + ([] if step.rounding == steps.FLOOR else [step.padding, step.rounding])
        for step in way.steps
    ]
    bound = [name for name in steps.whole_maps(graph) if name]
    text = json.dumps(each, separators=(",", ":"))
    return f" data-steps='{text}'" + (f" data-bound={bound[0]}" if bound else "")


def _lines(family: str, path: str) -> str:
    """Which lines of the network's code name the unit."""
    file, lines = sources.lines(family, path)
    of = "" if file == family else f"{file}:"
    return f' data-l="{of}{" ".join(map(str, lines))}"' if lines else ""


def _sizes(found: list[Row], layers: list[list], way: steps.Steps) -> list[str]:
    """For each row the step of its map, and where its multiply-adds happen if not all there."""
    step_of = {row[0]: step for row, step in zip(layers, way.of_row, strict=True)}
    marks = []
    below = _below(layers)
    for row, after in zip(found, [*found[1:], None], strict=True):
        inside = [layers[place] for place in sorted({n for unit in row.units for n in below[unit]})]
        last = step_of[inside[-1][0]] if inside else steps.NOWHERE
        work = Counter()
        for each in inside:
            work[step_of[each[0]]] += each[9]
        there = {step: macs for step, macs in work.items() if macs}
        parted = not row.line.indent and after is not None and after.line.indent  # into units
        told = (
            ""
            if parted or set(there) <= {last}
            else " ".join(f"{n}:{macs}" for n, macs in there.items())
        )
        marks.append(f" data-n={last}" + (f' data-m="{told}"' if told else ""))
    return marks


def _below(layers: list[list]) -> dict[str, list[int]]:
    """The numbers of the layers that lie in each module, by its path, and of the layer itself."""
    found = defaultdict(list)
    for number, (name, *_) in enumerate(layers):
        for path in accumulate(name.split("."), "{}.{}".format):
            found[path].append(number)
    return found


def _claims_of(claims: list[dict]) -> dict[str, list[tuple[int, dict]]]:
    """Unit -> (number, claim), of the paper's own as the network stands."""
    found: dict[str, list[tuple[int, dict]]] = {}
    for number, claim in enumerate(claims, 1):
        if claim["part"] and not claim["by"] and not claim["at"]:
            found.setdefault(claim["part"], []).append((number, claim))
    return found


def _row(row: Row, said: Iterable[tuple[int, dict]], whole: int, marks: str) -> str:
    line = row.line
    marks += f' data-also="{" ".join(row.units[1:])}"' if row.units[1:] else ""
    marks += "" if line.indent else " class=stage"
    share = round(100 * line.macs / whole)
    bar = f" style=--s:{share}%" if share else ""
    times = f" <b>&times;{line.repeats}</b>" if line.repeats > 1 else ""
    return (
        f"<tr{marks}><th scope=row><a href=#{row.path}>{line.name}</a>{times}"
        f"<td>{escape(line.made_of, quote=False)}<td>{by(line.output)}"
        f"<td>{_count(line.params)}<td{bar}>{_count(line.macs)}"
        f"<td>{line.receptive_field or ''}<td>{' '.join(_mark(*each) for each in said)}"
    )


def _count(number: int) -> str:
    return f"{number:,}" if number else ""


def _mark(number: int, claim: dict) -> str:
    good = claim["status"] == "holds"
    return (
        f"<a href=#claim-{number}{'' if good else ' class=odd'}>"
        f"{escape(claim['printed'], quote=False)}{'✓' if good else '✗'}</a>"
    )
