"""Differences as counts, so that what a listing says, what two graphs hold and what `diff` prints
can be held against one another: {operation: count} and {(operation, setting, value): count}, more
than zero where the listing has more.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from listing import TRAINING
from listing import Difference as Told

from convatlas import wiring
from convatlas.anatomy.difference import Change, Difference

MOVEMENTS = {"constant", "input", "pad", "rearrange", "reshape"}  # what is joined to what
EDGES = {"order", "reads", "zeros"}  # differences that move no count
KINDS = {"activation", "pool"}  # their two forms are operations
MOVING = ("channel", "elements", "every", "map", "pad", "zero")  # how diff writes them
REPLACED = {"", "pad", "rearrange", *KINDS}  # whole steps stand on both sides
PARTS = {"dropout": ("aten.bernoulli_.float", "multiply number", "multiply")}
SETTINGS = ("kernel", "stride", "padding", "groups", "bias", "eps", "ceil", "channels")
SILENT = (TRAINING, "initialisation")
OPERATION = re.compile(r"(?:\d+x\d+ )?(?:depthwise )?(relu6|[a-z_. -]*[a-z])")
WORDS = (  # how diff writes a setting
    (re.compile(r"(\d+)x(\d+)"), lambda m: ("kernel", (int(m[1]), int(m[2])))),
    (re.compile(r"stride (\d+)"), lambda m: ("stride", int(m[1]))),
    (re.compile(r"padding (\d+)"), lambda m: ("padding", int(m[1]))),
    (re.compile(r"(\d+) channels"), lambda m: ("channels", int(m[1]))),
    (re.compile(r"(\d+) groups?"), lambda m: ("groups", int(m[1]))),
    (re.compile(r"(no )?bias"), lambda m: ("bias", not m[1])),
    (re.compile(r"rounds (up|down)"), lambda m: ("ceil", m[1] == "up")),
    (re.compile(r"eps (\S+)"), lambda m: ("eps", float(m[1]))),
    (re.compile(r"in training momentum (\S+)"), lambda m: ("momentum", float(m[1]))),
    (re.compile(r"p (\S+)"), lambda m: ("p", float(m[1]))),
)


def settings(node: wiring.Node) -> dict[str, object]:
    """In the words of the differences: one number where both axes have it, "half" for a convolution
    that is padded by half its kernel.
    """
    own = dict(node.own)
    if node.op in ("conv", "linear"):
        own["channels"] = node.output[0]
    if "stride" in own and len(set(own["stride"])) == 1:
        own["stride"] = own["stride"][0]
    if "padding" in own and len(set(sum(own["padding"], ()))) == 1:
        own["padding"] = own["padding"][0][0]
        if node.op == "conv" and {side // 2 for side in own["kernel"]} == {own["padding"]}:
            own["padding"] = "half"
    if "groups" in own and own["groups"] == own["channels"]:
        own["groups"] = "depthwise"
    return {key: own[key] for key in SETTINGS if key in own}


def of_graph(graph: wiring.Graph) -> Counter:
    found = Counter()
    for node in graph.nodes:
        if node.op not in MOVEMENTS:
            found[node.op] += 1
            found.update((node.op, *item) for item in settings(node).items())
    return found


def of_listing(differences: Iterable[Told]) -> Counter:
    """What changes an answer."""
    found = Counter()
    for each in differences:
        if each.group == TRAINING or each.what in EDGES or each.op in MOVEMENTS:
            continue
        if each.op in KINDS:
            found[each.here] += each.times
            found[each.there] -= each.times
        elif each.what:
            found[each.op, each.what, each.here] += each.times
            found[each.op, each.what, each.there] -= each.times
        else:
            for op in PARTS.get(each.op, (each.op,)):
                found[op] += each.times if each.there is None else -each.times
    return found


def of_diff(difference: Difference) -> Counter:
    """The same of what `diff` finds, without what only follows and what only trains."""
    found = Counter()
    for change in changes(difference):
        if change.group not in SILENT and change.what != "image":
            _add(found, change)
    return found


def changes(difference: Difference) -> Iterator[Change]:
    for block in difference.blocks:
        yield from (change for change in block.changes if not change.follows)


def _add(found: Counter, change: Change) -> None:
    if change.what.startswith("order of") or change.a.startswith("after "):
        return
    if change.what in REPLACED:
        for text, sign in ((change.a, -1), (change.b, 1)):
            for op in filter(None, map(_operation, text.split(", "))):
                found[op] += sign * change.times
        return
    op = _operation(change.what.removesuffix(" + norm"))
    for text, sign in ((change.a, -1), (change.b, 1)):
        for setting in filter(None, map(_setting, text.split(", "))):
            if setting[0] != "momentum":
                found[op, *setting] += sign * change.times


def _operation(step: str) -> str | None:
    """ "3x3 depthwise conv 64 /2" -> "conv"; None for what only moves."""
    if step.startswith("scale "):
        return "multiply number"
    found = OPERATION.match(step)
    op = found[1].strip() if found else ""
    return None if not op or op in MOVEMENTS or op.startswith(MOVING) else op


def _setting(word: str) -> tuple | None:
    for pattern, read in WORDS:
        if found := pattern.fullmatch(word):
            return read(found)
    return None


def trained(differences: Iterable[Told]) -> Counter:
    """Dropout and momentum, which only training sees."""
    found = Counter()
    for each in differences:
        if (each.group, each.op) in ((TRAINING, "dropout"), (TRAINING, "batch norm")):
            found[each.what, each.here] += each.times
            found[each.what, each.there] -= each.times
    return _known(found)


def trained_in_diff(difference: Difference) -> Counter:
    found = Counter()
    for change in changes(difference):
        if "stochastic" in change.what:
            continue
        for text, sign in ((change.a, -1), (change.b, 1)):
            for word in text.split(", "):
                setting = _setting(word)
                if setting and setting[0] in ("p", "momentum"):
                    found[setting] += sign * change.times
    return _known(found)


def _known(found: Counter) -> Counter:
    return Counter({key: n for key, n in found.items() if n and key[1] is not None})


def balanced(counts: Counter, uneven: set[str], leave: tuple[str, ...] = ()) -> dict:
    """What is not zero, without the settings of operations of which one side has more."""
    return {
        key: count
        for key, count in counts.items()
        if count and (isinstance(key, str) or (key[0] not in uneven and key[1] not in leave))
    }
