"""Graphs as JSON: how they come out of the process that runs other people's code. What comes is
checked whole before it is a Graph, for that code may have written it.
"""

from collections.abc import Mapping

from convatlas.errors import IdentifyError
from convatlas.wiring import Graph, Node, Weight

MOST_NODES = 50_000  # DenseNet-264 has 1,300
MOST_VALUES = 5_000_000  # in all settings
LARGEST = 2**62
DEEPEST = 6  # of tuples in a setting
LONGEST = 10_000  # letters of a name or a setting
NOT_OURS = "what came back is no graph: its code has written where only convatlas may"


def dumped(graph: Graph) -> dict:
    """A value for json.dumps; tuples become lists there, which `loaded` turns back."""
    return {
        "kind": graph.kind,
        "size": graph.size,
        "inputs": graph.inputs,
        "outputs": graph.outputs,
        "nodes": [
            [
                *(node.op, dict(node.own), node.reads),
                [[weight.name, weight.shape] for weight in node.weights],
                *(node.output, node.name, node.params, node.macs),
            ]
            for node in graph.nodes
        ],
    }


def loaded(value: object) -> Graph:
    """What `dumped` gave. Raises IdentifyError for anything else."""
    try:
        return _graph(value)
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        raise IdentifyError(NOT_OURS) from None


def checked(record: object) -> dict:
    """A record of habits, whose values are of the kinds that anatomy gives them. Raises
    IdentifyError for anything else.
    """
    left = [MOST_VALUES]
    try:
        return {
            "drops": [
                [*_counts([place]), _text(name), _text(kind), _settings(own, left)]
                for place, name, kind, own in record["drops"]
            ],
            "momentum": {_text(k): float(v) for k, v in record["momentum"].items()},
            "idle": dict(
                zip(map(_text, record["idle"]), _counts([*record["idle"].values()]), strict=True)
            ),
            **{key: [_text(path) for path in record[key]] for key in ("opened", "stacks")},
            "draws": {_text(k): list(_plain(v, left)) for k, v in record["draws"].items()},
        }
    except (TypeError, ValueError, KeyError, AttributeError, RecursionError):
        raise IdentifyError(NOT_OURS) from None


def _settings(own: Mapping, left: list[int]) -> dict:
    if not isinstance(own, Mapping):
        raise TypeError
    return {_text(key): _plain(value, left) for key, value in own.items()}


def _graph(value) -> Graph:
    rows = value["nodes"]
    if not isinstance(rows, list) or len(rows) > MOST_NODES:
        raise ValueError
    left = [MOST_VALUES]
    nodes = tuple(_node(place, row, left) for place, row in enumerate(rows))
    return Graph(
        _text(value["kind"]),
        _counts(value["size"]),
        nodes,
        _places(value["inputs"], len(nodes)),
        _places(value["outputs"], len(nodes)),
    )


def _node(place: int, row: list, left: list[int]) -> Node:
    op, own, reads, weights, output, name, params, macs = row
    return Node(
        _text(op),
        _settings(own, left),
        _places(reads, place),
        tuple(Weight(_text(called), _counts(shape)) for called, shape in weights),
        _counts(output),
        _text(name),
        *_counts([params, macs]),
    )


def _text(value) -> str:
    if not isinstance(value, str) or len(value) > LONGEST:
        raise TypeError
    return value


def _counts(values) -> tuple[int, ...]:
    return _places(values, LARGEST)


def _places(values, end: int) -> tuple[int, ...]:
    """Whole numbers below an end: a node reads none that stands after it."""
    if not isinstance(values, list) or not all(
        type(each) is int and 0 <= each < end for each in values
    ):
        raise TypeError
    return tuple(values)


def _plain(value, left: list[int], depth: int = 0):
    """A setting: text, a number, nothing, or a tuple of such."""
    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST:
        raise ValueError
    if isinstance(value, list):
        return tuple(_plain(each, left, depth + 1) for each in value)
    if isinstance(value, str):
        return _text(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    raise TypeError
