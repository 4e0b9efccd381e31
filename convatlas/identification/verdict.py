"""The verdict: which printed network something is, or which it is nearest to and what sets it
apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import nn

from convatlas import registry, stored_walks, wiring
from convatlas.anatomy.comparing import compare
from convatlas.anatomy.difference import GROUPS, SILENT, Block, Change, Difference
from convatlas.anatomy.habits import Habits
from convatlas.anatomy.initialising import draws
from convatlas.anatomy.steps import Walk
from convatlas.anatomy.table import by
from convatlas.anatomy.wording import NONE
from convatlas.errors import IdentifyError
from convatlas.identification.searching import RENEW, Found, search
from convatlas.identification.sizes import Size
from convatlas.identification.subject import Here, Subject
from convatlas.index import wirings
from convatlas.verification import blueprint
from convatlas.wiring import Graph

SAME, DIFFERS, FAR = "same", "differs", "another family"
NOTHING_TRAINED: dict = {"drops": (), "momentum": {}, "idle": {}, "draws": {}}
MOST_ALONE = 0.25  # of the layers with weights may have no counterpart in a form of a network
FEW = 3  # differences that a sentence names


@dataclass(frozen=True)
class Verdict:
    """What something is. True where it answers as `network` does with equal weights, at `size`.

    `kind` is "same", "differs" (`network` but for the listed differences) or "another
    family" (`network` is only the nearest). `also` are other networks of the atlas with the wiring
    of `network`. `classes` and `channels` are its own where they are not the paper's, else None.
    `folded`: with the batch norms of `network` folded. `likeness`, from 0 to 1, is the share of
    operations that both have. `difference` goes from the network of the atlas to what was given.
    `asked`: it was held against this network only.
    """

    subject: str
    kind: str
    network: str
    size: tuple[int, ...]
    difference: Difference
    also: tuple[str, ...] = ()
    classes: int | None = None
    channels: int | None = None
    folded: bool = False
    likeness: float = 1.0
    asked: bool = False

    def __bool__(self) -> bool:
        return self.kind == SAME

    @property
    def paper(self) -> dict:
        """What the index holds of the network's paper: title, authors, year, venue, page, ..."""
        return registry.stored_facts()[self.network]["paper"]

    @property
    def page(self) -> str:
        """Our page of it."""
        return f"docs/papers/{self.paper['page']}.md"

    def changes(self, group: str = "") -> list[tuple[Block, Change]]:
        """(block, change) of all differences, or of those of a group of GROUPS, without steps that
        are the same and only read or give other sizes, as follows from the others.
        """
        return [
            (block, change)
            for block in self.difference.blocks
            for change in block.changes
            if group in ("", change.group) and not change.follows
        ]

    @property
    def follows(self) -> int:
        """How many changes follow from the others."""
        return sum(change.follows for block in self.difference.blocks for change in block.changes)

    def sentence(self) -> str:
        """The verdict in a sentence."""
        at = f"at {by(self.size)}"
        if self.kind == SAME:
            but = self._but()
            return f"{self.subject} is {self.network}{but}: the same network {at}"
        if self.kind == DIFFERS:
            return f"{self.subject} is {self.network} {at} but for {said(self._loud())}"
        if self.asked:
            near = f"not {self.network} {at}: they share {self.likeness:.0%} of their operations"
        else:
            near = (
                f"no network of the atlas {at}; nearest is {self.network}, which shares "
                f"{self.likeness:.0%} of its operations"
            )
        return f"{self.subject} is {near}"

    def _loud(self) -> list[Change]:
        """The differences that change an answer."""
        return [change for _, change in self.changes() if change.group not in SILENT]

    def _but(self) -> str:
        words = []
        if self.classes is not None:
            words.append(f"for {self.classes:,} classes")
        if self.channels is not None:
            words.append(f"on {self.channels} channel{'s' * (self.channels != 1)}")
        if self.folded:
            words.append("with its batch norms folded into the layers before them")
        return f" {', '.join(words)}" if words else ""

    def __str__(self) -> str:
        lines = [self.sentence()]
        for group in GROUPS:
            found = self.changes(group)
            lines += [f"{group}:"] if found else []
            lines += [f"  {told(block, change)}" for block, change in found]
        return "\n".join(lines)


def said(changes: Sequence[Change]) -> str:
    """Differences in a few words: "2 differences: bias in 3x3 conv (x20), no relu (x8)"."""
    count = f"{len(changes)} difference{'s' * (len(changes) != 1)}"
    named = changes if len(changes) <= FEW + 1 else changes[:FEW]
    words = ", ".join(dict.fromkeys(map(_phrase, named)))
    return f"{count}: {words}" + (f" and {len(changes) - FEW} more" if named != changes else "")


def _phrase(change: Change) -> str:
    """ "bias in 3x3 conv", "no relu", "elu for relu" """
    a, b = change.a, change.b
    if a == NONE or b == NONE:
        words = f"no {a}" if b == NONE else f"{b} added"
    else:
        words = b if a == f"no {b}" or b == f"no {a}" else f"{b} for {a}"
        words += f" in {change.what}" if change.what not in ("", "activation", "norm") else ""
    return f"{words} (x{change.times})" if change.times > 1 else words


def told(block: Block, change: Change) -> str:
    """A difference in a line: where, what, both forms, cost."""
    where = " | ".join(dict.fromkeys(filter(None, block.where)))
    words = ": ".join(filter(None, (where, change.inside, change.what)))
    cost = f" ({change.params:+,} parameters, {change.macs:+,} MACs)"
    return f"{words}: {change.a} -> {change.b}{cost if change.params or change.macs else ''}"


def identify(
    net: nn.Module, input_size: tuple[int, ...] | None = None, against: str | None = None
) -> Verdict:
    """Which network of the atlas this module is, whatever its layers and weights are called; or
    which it is nearest to, and all that sets it apart.

    It is held against the index on images of `input_size`, (C, H, W); where none is given on the
    size that it states or the first usual one that it runs on, and on those of the networks that
    are near. With `against` it is held against that network only. The number of classes and of
    input channels may be any. `net` is not run, moved or changed. Raises IdentifyError (a
    ValueError) where it runs on no size tried, UnknownNetwork for a name that is not in the atlas.
    """
    sizes = [tuple(input_size)] if input_size is not None else []
    return judged(Here(net), sizes, against)


def judged(subject: Subject, sizes: Sequence[Size] = (), against: str | None = None) -> Verdict:
    """The same of whatever can be traced."""
    known = wirings.stored()
    if not known:
        raise IdentifyError(f"the index holds no wiring of any network; {RENEW}")
    if against is not None:
        registry.require(against, registry.stored_facts())
        if against not in known:
            raise IdentifyError(f"the index holds no wiring of {against}; {RENEW}")
        known = {against: known[against]}
    found = search(subject, sizes, known)
    for number, name in enumerate(found.names if found.same else found.names[:1]):
        verdict = replace(_beside(subject, found, name), asked=against is not None)
        if verdict.kind == SAME or not found.same or number == len(found.names) - 1:
            return verdict
    raise AssertionError("a search finds at least one network")


def unpaired(difference: Difference, a: Walk, b: Walk) -> float:
    """The share of the layers with weights that one of two networks has alone."""
    every = sum(node.op in wirings.WEIGHING for walk in (a, b) for node in walk.graph.nodes)
    alone = sum(
        change.times * sum(any(word in step for word in wirings.WEIGHING) for step in change.steps)
        for block in difference.blocks
        for change in block.changes
    )
    return alone / max(every, 1)


def _beside(subject: Subject, found: Found, name: str) -> Verdict:
    """The subject beside one network, which is built here."""
    theirs = found.walk
    graph = theirs.graph
    facts = registry.stored_facts()[name]
    classes = _classes(graph, facts["num_classes"])
    channels = graph.size[0] if graph.size[0] != facts["input_size"][0] else None
    if found.folded and subject.exported:
        theirs = Walk(wirings.biased(graph), theirs.habits)
    ours = _ours(name, classes, channels, theirs, found.folded)
    if subject.exported:  # what only trains is in no such file
        whole = wirings.biased(ours.graph) if found.folded else ours.graph
        ours = Walk(whole, replace(ours.habits, **NOTHING_TRAINED))
    difference = compare(ours, theirs)
    same = difference.same
    kind = SAME if same else DIFFERS if unpaired(difference, ours, theirs) <= MOST_ALONE else FAR
    return Verdict(
        subject.name,
        kind,
        name,
        graph.size,
        difference,
        tuple(other for other in found.names if other != name) if same else _twins(name),
        classes,
        channels,
        found.folded,
        found.likeness,
    )


def _twins(name: str) -> tuple[str, ...]:
    """The other networks of the atlas with the wiring of this one."""
    known = wirings.stored()
    own = known[name].plain
    return tuple(other for other, each in known.items() if each.plain == own and other != name)


def _classes(graph: Graph, printed: int) -> int | None:
    """Its own number of classes, where that is another than the paper's."""
    answer = graph.nodes[graph.outputs[0]].output
    count = answer[0] if len(answer) == 1 else printed
    return count if count not in (printed, 0) else None


def _ours(name: str, classes: int | None, channels: int | None, theirs: Walk, folded: bool) -> Walk:
    """The network of the atlas, on images of this size where it is the same there, else on those of
    its own, for small maps hide what it is; with fresh weights where the subject's are, so that
    these can be compared.
    """
    is_printed = classes is None and channels is None and not folded
    kept = stored_walks.stored(name) if is_printed else None
    if kept is not None and kept.size == theirs.size:
        return _with_draws(kept, name) if theirs.habits.draws else kept
    net = blueprint(name, classes, channels)
    if theirs.habits.draws or wirings.has_constants(net):
        net = _fresh(name, classes, channels)
    size = theirs.graph.size
    graph = _traced(net, size, folded)
    if graph is None or (size != net.input_size and not _alike(graph, theirs.graph, folded)):
        graph = wiring.of(net, net.input_size, fold=folded)
    return Walk(graph, Habits.of(net, graph))


def _with_draws(walk: Walk, name: str) -> Walk:
    return Walk(walk.graph, replace(walk.habits, draws=draws(_fresh(name))))


def _fresh(name: str, classes: int | None = None, channels: int | None = None) -> nn.Module:
    """Drawn without touching the caller's random numbers."""
    with torch.random.fork_rng(devices=[]):
        return registry.create_model(name, classes, channels)


def _alike(ours: Graph, theirs: Graph, folded: bool) -> bool:
    return wiring.match(wirings.biased(ours) if folded else ours, theirs) is not None


def _traced(net: nn.Module, size: Size, fold: bool) -> Graph | None:
    try:
        return wiring.of(net, size, fold=fold)
    except ValueError:  # a size that it does not read
        return None
