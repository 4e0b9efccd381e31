"""The trace that draws: follows one pass as the layer table's does, and keeps which box each tensor
comes from.
"""

import torch.nn as nn
from torch import Tensor
from torch._ops import HigherOrderOperator
from torch.export import ExportedProgram
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.weak import WeakTensorKeyDictionary

from convatlas.anatomy import joining, receptive
from convatlas.anatomy.counting import Call, Trace
from convatlas.anatomy.network_graph import NetworkGraph
from convatlas.anatomy.sources import Draft, Sources, is_part
from convatlas.anatomy.tidying import FILLED, tidied
from convatlas.calling import tensors_in


def drawn(
    net: nn.Module | ExportedProgram, input_size: tuple[int, ...] | None = None
) -> NetworkGraph:
    """The graph of a network; see `network_graph.of`."""
    return Linked.of(net, input_size).graph


class Linked(Trace):
    """Lays a draft for every operation that is drawn, and makes one of all that are a layer's."""

    def __init__(self, net: nn.Module, kind: str, size: tuple[int, ...]):
        super().__init__(net, kind, size)
        self.sources = Sources()
        self.drafts: list[Draft] = []
        self._derived = WeakTensorKeyDictionary()  # tensors computed from weights alone
        self._begun: list[tuple[int, int]] = []  # drafts and rows when running modules began
        self._credited: Call | None = None
        self._weighs = False

    @property
    def graph(self) -> NetworkGraph:
        """Of a pass that has ended."""
        return NetworkGraph(self.kind, self.size, tidied(self.drafts, self.rows))

    def start(self, values) -> None:
        super().start(values)
        for t in tensors_in(values):
            self._lay("", "input", [], [t])

    def _lay(self, name: str, kind: str, reads: list[Draft], outs: list[Tensor]) -> Draft:
        draft = Draft(name, kind, reads, tuple(outs[0].shape[1:]) if outs else ())
        self.drafts.append(draft)
        for t in outs:
            self.sources.put(t, draft)
        return draft

    def _read(self, values) -> list[Draft]:
        return [draft for t in tensors_in(values) if (draft := self.sources.get(t))]

    def _enter(self, name: str):
        enter = super()._enter(name)

        def hook(module, args, kwargs):
            self._begun.append((len(self.drafts), len(self.rows)))
            enter(module, args, kwargs)

        return hook

    def _leave(self, module, args, output):
        call, before = self.stack[-1], len(self.rows)
        super()._leave(module, args, output)
        drafts, rows = self._begun.pop()
        inside = [*call.inside.layers.values()] if call.inside else []
        for place, layer in enumerate(inside, start=before):
            self._give_row(place, layer, drafts)
        if len(self.rows) > before + len(inside):
            if before == rows and not inside:
                output = self._one_layer(call, drafts, output)
            else:
                self._give_row(len(self.rows) - 1, call, drafts)
        if not self.stack:
            self._lay("", "output", [*dict.fromkeys(self._read(output))], [*tensors_in(output)])
        return output

    def _give_row(self, place: int, call: Call, first: int) -> None:
        """The row of a module with parts is the first thing that it does itself with weights."""
        own = [draft for draft in self.drafts[first:] if draft.owner is call]
        draft = own[0] if own else self._lay(call.name, call.kind, [], [])
        draft.row = place

    def _one_layer(self, call: Call, first: int, output):
        """All that has run in it is one box. What it hands on as it is, is its own from here on:
        a tensor of its own, for who keeps the old one does not read this layer.
        """
        inner = self.drafts[first:]
        del self.drafts[first:]
        reads = dict.fromkeys(read.final for draft in inner for read in draft.reads)
        handed = [t for t in tensors_in(output) if self.sources.get(t) not in inner]
        reads |= dict.fromkeys(draft for t in handed if (draft := self.sources.get(t)))
        whole = self._lay(call.name, call.kind, [read for read in reads if read not in inner], [])
        whole.row = len(self.rows) - 1
        for draft in inner:
            draft.into = whole
        known = {id(t) for t in handed}
        turned = tree_map_only(Tensor, lambda t: t.detach() if id(t) in known else t, output)
        for t in tensors_in(turned):
            if self.sources.get(t) is not whole:
                self.sources.put(t, whole)
        return turned

    def _credit(self, call, inputs, macs, window) -> None:
        super()._credit(call, inputs, macs, window)
        weights = any(id(t) in self.names or t in self._derived for t in inputs)
        self._credited, self._weighs = call, bool(macs) or weights

    def _note(self, call: Call, func, named: dict, inputs: list[Tensor], out) -> None:
        op = func.overloadpacket.__name__
        outs = [t for t in tree_leaves(out) if isinstance(t, Tensor)]
        data = [] if op in receptive.SHAPES_ALONE else self._read(inputs)
        if not data:
            for t in outs if self._weighs else ():
                self._derived[t] = call
            return
        read = {id(t) for t in inputs}
        op = op.removesuffix("_") if any(id(t) in read for t in outs) else op
        if func.is_view and op not in joining.SLICES:
            op = "view"
        apart = [[t] for t in outs] if op in joining.SLICES else [outs]
        for group in apart:
            self._operation(op, named, data, group, read)

    def _operation(self, op: str, named: dict, data: list[Draft], outs: list, read: set) -> None:
        """One operation on what comes from the input; `read` are the tensors that it was given."""
        if not outs:
            return
        kind = joining.word(op, named, len(data), outs[0])
        draft = data[0]
        if op == "copy":  # what is copied counts, not what it takes the place of
            copied = self.sources.get(named["src"])
            kind, draft = ("", copied) if copied else ("fill", draft)
        if kind:
            draft = self._lay(self.where, kind, data, [])
            draft.output = tuple(outs[0].shape[1:])
            draft.owner = self._credited if self._weighs else None
        for t in outs:
            if id(t) not in read:
                self.sources.put(t, draft)
            elif not (op == "copy" and joining.is_itself(named)):
                self._written(t, draft)

    def _written(self, t: Tensor, draft: Draft) -> None:
        """What holds a part that has been written is a join of it and of what else it holds."""
        all_of_it = draft
        if is_part(t):
            before = self.sources.around(t)
            kind = FILLED if before is None or before.kind == FILLED else "write"
            reads = [*([before] if before else []), draft]
            all_of_it = self._lay(self.where, kind, reads, [])
            all_of_it.output = tuple(self.origins.whole(t).shape[1:])
        self.sources.write(t, draft, all_of_it)

    def _of_functions(self, func: HigherOrderOperator, args: tuple, kwargs: dict):
        out = super()._of_functions(func, args, kwargs)
        outs = [t for t in tree_leaves(out) if isinstance(t, Tensor) and not self.sources.get(t)]
        data = self._read((args, kwargs))
        if outs and data:
            self._lay(self.where, func.name().replace("_", " "), data, outs)
        return out
