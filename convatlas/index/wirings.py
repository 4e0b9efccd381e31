"""The wiring of each network as the index holds it, wirings.json: a signature of its graph, plain
and with batch norms folded, and a profile of its operations. So what somebody brings is looked up
without building any network, and where no signature agrees, the nearest is known before one is.

The number of classes and of input channels is no part of either: they change with the data.
"""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from convatlas import registry, wiring
from convatlas.anatomy.function import fixed_buffers as has_constants
from convatlas.verification import blueprint
from convatlas.wiring import Graph, Node, Weight

STORED = Path(__file__).with_name("wirings.json")
ANY = 1  # stands for the number of classes, and of channels
WEIGHING = ("conv", "linear", "transposed conv")
TOLD = (*WEIGHING, "max pool", "average pool")  # whose settings are part of a profile
NORM = "batch norm"
APART = ("kernel", "bias")  # settings that are told otherwise
HEAVY = 4  # of the weight of other operations has one with weights

Profile = Mapping[str, int]  # how often each operation comes


@dataclass(frozen=True)
class Wiring:
    """What is stored of a network."""

    size: tuple[int, ...]
    plain: str  # signatures
    folded: str  # with a bias in every layer
    exact: Profile  # by operation, settings and width
    coarse: Profile  # by operation and window


def neutral(graph: Graph) -> Graph:
    """The same with any number of classes and of input channels."""
    nodes = list(graph.nodes)
    for place in graph.outputs:
        _without_classes(nodes, place)
    for place in graph.inputs:
        _without_channels(graph, nodes, place)
    return replace(graph, nodes=tuple(nodes), size=(ANY, *graph.size[1:]))


def _without_classes(nodes: list[Node], place: int) -> None:
    """Back from an answer to the layer that is as wide."""
    classes = nodes[place].output[:1]
    while nodes[place].output[:1] == classes and classes:
        node = nodes[place]
        weights = node.weights
        if node.op in WEIGHING:
            weights = tuple(Weight(w.name, (ANY, *w.shape[1:])) for w in weights)
        nodes[place] = replace(node, output=(ANY, *node.output[1:]), weights=weights)
        if node.op in WEIGHING or len(node.reads) != 1:
            return
        place = node.reads[0]


def _without_channels(graph: Graph, nodes: list[Node], place: int) -> None:
    """On from the image, through what keeps its channels, to the layers that read it."""
    channels = graph.nodes[place].output[:1]
    waiting = [place]
    while waiting:
        place = waiting.pop()
        nodes[place] = replace(nodes[place], output=(ANY, *nodes[place].output[1:]))
        for reader in graph.readers[place]:
            node = nodes[reader]
            if node.op in WEIGHING:
                weights = tuple(_with_any_channels(w) for w in node.weights)
                nodes[reader] = replace(node, weights=weights)
            elif len(node.reads) == 1 and not node.weights and node.output[:1] == channels:
                waiting.append(reader)


def _with_any_channels(weight: Weight) -> Weight:
    if len(weight.shape) < 2:
        return weight
    return Weight(weight.name, (weight.shape[0], ANY, *weight.shape[2:]))


def folded(graph: Graph) -> Graph:
    """The same with its batch norms folded into the layers before them, as wiring.of gives it with
    `fold`, without another pass.
    """
    uses = Counter([*graph.outputs, *(read for node in graph.nodes for read in node.reads)])
    nodes = dict(enumerate(graph.nodes))
    for place, norm in enumerate(graph.nodes):
        layer = nodes.get(norm.reads[0]) if norm.op == NORM else None
        if layer is None or layer.op not in WEIGHING or not layer.weights:
            continue
        if uses[norm.reads[0]] == 1:
            del nodes[norm.reads[0]]
            shift = layer.weights[1] if layer.own["bias"] else norm.weights[-1]
            own = {**layer.own, "bias": True}
            nodes[place] = replace(layer, own=own, weights=(layer.weights[0], shift))
    new = {place: i for i, place in enumerate(sorted(nodes))}
    return replace(
        graph,
        nodes=tuple(
            replace(nodes[place], reads=tuple(new[read] for read in nodes[place].reads))
            for place in new
        ),
        inputs=tuple(new[i] for i in graph.inputs),
        outputs=tuple(new[o] for o in graph.outputs),
    )


def biased(graph: Graph) -> Graph:
    """The same where every layer with weights has a bias: programs that fold norms leave those out
    that come to zero.
    """

    def one(node: Node) -> Node:
        if node.op not in WEIGHING or not node.weights or node.own.get("bias"):
            return node
        bias = Weight(f"{node.weights[0].name}, its bias", node.weights[0].shape[:1])
        return replace(node, own={**node.own, "bias": True}, weights=(*node.weights, bias))

    return replace(graph, nodes=tuple(map(one, graph.nodes)))


def profile(graph: Graph) -> tuple[Profile, Profile]:
    """How often each operation comes in a neutral graph: exact, with settings and width, and
    coarse. Map sizes are in neither, so that it hardly changes with the image.
    """
    exact, coarse = Counter(), Counter()
    for node in graph.nodes:
        if node.op in ("input", "parameter", "constant"):
            continue
        own = node.own if node.op in TOLD else {}
        window = "x".join(map(str, own.get("kernel", ())))
        few = f"{node.op} {window}".strip()
        width = node.output[0] if node.op in WEIGHING and node.output else ""
        settings = ", ".join(f"{key} {own[key]}" for key in sorted(own) if key not in APART)
        exact[f"{few} {width} {settings}".strip()] += 1
        exact["bias"] += bool(own.get("bias"))
        coarse[few] += 1
    return exact, coarse


def likeness(a: tuple[Profile, Profile], b: tuple[Profile, Profile]) -> float:
    """From 0 to 1: the share of operations that both have, one half exactly, one half coarsely."""
    return sum(map(_shared, a, b)) / 2


def _shared(a: Profile, b: Profile) -> float:
    both = sum(min(count, b.get(word, 0)) * _weight(word) for word, count in a.items())
    all_of = sum(count * _weight(word) for each in (a, b) for word, count in each.items())
    return both / max(all_of - both, 1)


@cache
def _weight(word: str) -> int:
    return HEAVY if word.startswith(WEIGHING) else 1


def measured(name: str) -> Wiring:
    """The wiring of a network, measured now."""
    net = blueprint(name)
    if has_constants(net):  # whose numbers count
        net = registry.create_model(name)
    plain = neutral(wiring.of(net, net.input_size))
    signatures = map(wiring.signature, (plain, biased(folded(plain))))
    return Wiring(tuple(net.input_size), *signatures, *profile(plain))


@cache
def stored(file: Path = STORED) -> dict[str, Wiring]:
    """What the index holds of every network, in the order of the catalogue; nothing where it was
    never made.
    """
    if not file.is_file():
        return {}
    kept = json.loads(file.read_bytes())
    words = kept["words"]
    return {
        name: Wiring(
            *(tuple(row[0]), row[1], row[2]),
            *({words[i]: count for i, count in counts} for counts in row[3:]),
        )
        for name, row in kept["networks"].items()
    }


def text(found: Mapping[str, Wiring], order: Iterable[str]) -> str:
    """wirings.json: all words once, then a network a line."""
    words = {
        word: i
        for i, word in enumerate(
            sorted({w for each in found.values() for w in (*each.exact, *each.coarse)})
        )
    }

    def counts(profile: Profile) -> list:
        return sorted([words[word], count] for word, count in profile.items())

    rows = ",\n".join(
        json.dumps(name)
        + ": "
        + json.dumps(
            [each.size, each.plain, each.folded, counts(each.exact), counts(each.coarse)],
            separators=(",", ":"),
        )
        for name in order
        if (each := found.get(name))
    )
    listed = ",\n".join(json.dumps(word) for word in words)
    return f'{{"words": [\n{listed}],\n"networks": {{\n{rows}}}}}\n'


def write(
    names: Collection[str] | None = None,
    file: Path = STORED,
    tell: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Renew what wirings.json holds of `names`, by default of all networks, and drop what is gone.
    Returns the names of all networks.
    """
    entries = registry.entries()
    found = dict(stored(file)) if names is not None and file.is_file() else {}
    for name in entries if names is None else names:
        found[name] = measured(name)
        tell(name)
    known = [name for name in registry.stored_facts() if name in entries]
    order = [*known, *(name for name in entries if name not in known)]
    file.write_bytes(text(found, order).encode())
    stored.cache_clear()
    return order
