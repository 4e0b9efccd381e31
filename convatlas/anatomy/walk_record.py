"""A walk as a small record of plain values, and back: what the index keeps of every network, so
that two of them are compared without building either, here or in a browser.

A node is a row, [what it does, its name, its output, what it reads, what is unusual]; from the end
on, all that is usual is left out:

- what it does is a place in "words", where each operation with its settings stands once. A float
  that is whole is {"float": 2}: JSON knows one kind of number only.
- a name goes on from the row before: "2.conv1" is two words of that one's path, then conv1; a "+"
  behind the number makes the last of these words, a number, one more: "2+.conv1"
- the output is that of the first node that it reads; a number stands for other channels
- it reads the row before; else the list tells how many rows further up
- weights, parameters and multiply-adds are those that such an operation has; a number tells how
  many sides of one its weight has more, a linear layer that is written as a convolution
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import takewhile
from math import prod

from convatlas.anatomy.dropping import Drop
from convatlas.anatomy.habits import Habits
from convatlas.anatomy.parts import stages_of
from convatlas.anatomy.steps import Walk
from convatlas.wiring import Graph, Node, Weight

STATISTICS = ("running_mean", "running_var")  # weights that do not train
NORMS = {"batch norm": STATISTICS, "layer norm": ()}


def lean(walk: Walk) -> Walk:
    """The same without what no difference of fresh networks without numbers depends on: how weights
    were drawn, and the habits of modules that do not run.
    """
    stages = {part.path for part in stages_of(walk)}
    homes = dict.fromkeys(_home(node) for node in walk.graph.nodes if node.weights)
    momentum = walk.habits.momentum
    habits = replace(
        walk.habits,
        momentum={path: momentum[path] for path in homes if path in momentum},
        stacks=tuple(path for path in walk.habits.stacks if path in stages),
        draws={},
    )
    return Walk(walk.graph, habits)


def to_record(walk: Walk) -> dict:
    """Of a lean walk."""
    graph, habits = walk.graph, walk.habits
    words: dict[str, list] = {}
    places: dict[str, int] = {}
    rows, before = [], ""
    seen: set[str] = set()
    for place, node in enumerate(graph.nodes):
        word = [node.op, {key: _plain(value) for key, value in node.own.items()}]
        words.setdefault(repr(word), word)
        row = [places.setdefault(repr(word), len(places)), _step(before, node.name)]
        row += [_shape(graph, node), _reads(place, node), _unusual(graph, node, seen)]
        while row[-1] is None:
            row.pop()
        rows.append(row)
        before = node.name
        seen |= {weight.name for weight in node.weights}
    return {
        "kind": graph.kind,
        "size": [*graph.size],
        "inputs": [*graph.inputs],
        "outputs": [*graph.outputs],
        "words": [*words.values()],
        "nodes": rows,
        "drops": [
            [*drop[:3], {key: _plain(value) for key, value in drop.own.items()}]
            for drop in habits.drops
        ],
        "momentum": _momentum(graph, habits.momentum),
        "idle": dict(habits.idle),
        "opened": [*habits.opened],
        "stacks": [*habits.stacks],
    }


def from_record(record: Mapping) -> Walk:
    """The walk that `to_record` was given."""
    words = [(op, {k: _fixed(v) for k, v in own.items()}) for op, own in record["words"]]
    nodes: list[Node] = []
    seen: set[str] = set()
    for row in record["nodes"]:
        word, step, shape, offsets, unusual = [*row, *[None] * (5 - len(row))]
        nodes.append(_node(nodes, words[word], step, shape, offsets))
        if isinstance(unusual, list):
            nodes[-1] = _told(nodes[-1], unusual)
        else:
            nodes[-1] = _usual(nodes, nodes[-1], seen, unusual or 0)
        seen |= {weight.name for weight in nodes[-1].weights}
    size, inputs, outputs = (tuple(record[key]) for key in ("size", "inputs", "outputs"))
    habits = Habits(
        tuple(
            Drop(*drop[:3], {k: _fixed(v) for k, v in drop[3].items()}) for drop in record["drops"]
        ),
        _momenta(nodes, record["momentum"]),
        record["idle"],
        tuple(record["opened"]),
        tuple(record["stacks"]),
    )
    return Walk(Graph(record["kind"], size, tuple(nodes), inputs, outputs), habits)


def _plain(value):
    """A setting as JSON keeps it."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float) and value.is_integer():
        return {"float": int(value)}
    return value


def _fixed(value):
    if isinstance(value, list):
        return tuple(map(_fixed, value))
    return float(value["float"]) if isinstance(value, dict) else value


def _step(before: str, name: str) -> str:
    """What a path is, as the one before goes on."""
    old, new = before.split("."), name.split(".")
    kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))
    further = [words[kept] if len(words) > kept else "" for words in (old, new)]
    if all(map(str.isdecimal, further)) and int(further[1]) == int(further[0]) + 1:
        return ".".join([f"{kept + 1}+", *new[kept + 1 :]])
    return ".".join([str(kept), *new[kept:]])


def _stepped(before: str, step: str) -> str:
    head, *rest = step.split(".")
    kept = before.split(".")[: int(head.removesuffix("+"))]
    if head.endswith("+"):
        kept[-1] = str(int(kept[-1]) + 1)
    return ".".join([*kept, *rest])


def _shape(graph: Graph, node: Node) -> object:
    read = graph.nodes[node.reads[0]].output if node.reads else ()
    if node.output == read:
        return None
    same_map = read and node.output and node.output[1:] == read[1:]
    return node.output[0] if same_map else [*node.output]


def _reads(place: int, node: Node) -> list[int] | None:
    offsets = [place - read for read in node.reads]
    return None if offsets == [1] else offsets


def _node(nodes: list[Node], word: tuple, step: str, shape, offsets: list[int] | None) -> Node:
    """The next one, as yet without weights."""
    reads = tuple(len(nodes) - offset for offset in (offsets if offsets is not None else [1]))
    output = nodes[reads[0]].output if reads else ()
    if shape is not None:
        output = (shape, *output[1:]) if isinstance(shape, int) else tuple(shape)
    name = _stepped(nodes[-1].name if nodes else "", step)
    return Node(word[0], word[1], reads, (), output, name)


def _unusual(graph: Graph, node: Node, seen: set[str]) -> list | int | None:
    """Weights, parameters and multiply-adds, where such a node has others."""
    for ones in range(3):
        if _usual(graph.nodes, node, seen, ones) == node:
            return ones or None
    weights = [[weight.name, [*weight.shape]] for weight in node.weights]
    return [weights, node.params, node.macs]


def _told(node: Node, unusual: list) -> Node:
    weights, params, macs = unusual
    held = tuple(Weight(name, tuple(shape)) for name, shape in weights)
    return replace(node, weights=held, params=params, macs=macs)


def _usual(nodes, node: Node, seen: set[str], ones: int) -> Node:
    """With the weights that its operation has where its module holds them; those that train count
    where they are first used.
    """
    read = nodes[node.reads[0]].output if node.reads else ()
    prefix = f"{node.name}." if node.name else ""
    weights = tuple(Weight(f"{prefix}{name}", shape) for name, shape in _held(node, read, ones))
    trained = (w for w in weights if w.name not in seen and not w.name.endswith(STATISTICS))
    heavy = node.op in ("conv", "linear")
    macs = prod(weights[0].shape) * prod(node.output[1:]) if heavy else 0
    return replace(node, weights=weights, params=sum(prod(w.shape) for w in trained), macs=macs)


def _held(node: Node, read: tuple[int, ...], ones: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and shapes of the weights."""
    out = node.output[:1]
    if node.op == "conv":
        yield "weight", (*out, read[0] // node.own["groups"], *node.own["kernel"])
    elif node.op == "linear":
        yield "weight", (*out, prod(read), *[1] * ones)
    if node.own.get("bias"):
        yield "bias", out
    if node.op in NORMS:
        affine = {"scale": "weight", "shift": "bias"}
        names = [name for word, name in affine.items() if word in node.own["affine"]]
        yield from ((name, out) for name in (*names, *NORMS[node.op]))


def _home(node: Node) -> str:
    return node.weights[-1].name.rpartition(".")[0]


def _momentum(graph: Graph, momentum: Mapping[str, float]) -> list:
    """What most norms have, and those that have another, or none."""
    homes = _norms(graph.nodes)
    values = [momentum.get(home) for home in homes]
    usual = max(values, key=values.count) if values else None
    others = {home: momentum.get(home) for home in homes if momentum.get(home) != usual}
    others |= {home: value for home, value in momentum.items() if home not in homes}
    return [usual, others]


def _momenta(nodes: list[Node], kept: list) -> dict[str, float]:
    usual, others = kept
    found = dict.fromkeys(_norms(nodes), usual) | others
    return {home: value for home, value in found.items() if value is not None}


def _norms(nodes) -> list[str]:
    return list(
        dict.fromkeys(_home(node) for node in nodes if node.op == "batch norm" and node.weights)
    )
