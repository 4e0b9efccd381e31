"""From drafts to boxes: sums of sums become one, parts of parts too; what nothing reads goes."""

from collections import Counter
from collections.abc import Sequence

from convatlas.anatomy.network_graph import Box
from convatlas.anatomy.sources import Draft
from convatlas.anatomy.table import Layer

KEPT = ("input", "output")
CUTS = ("split", "crop")
FILLED = "filled"  # a new tensor, part by part


def tidied(drafts: Sequence[Draft], rows: Sequence[Layer]) -> tuple[Box, ...]:
    """The boxes of a pass, in the order they ran."""
    for draft in drafts:
        draft.reads = [read.final for read in draft.reads]
    kept = _needed(drafts)
    times = Counter(id(read) for draft in kept for read in draft.reads)
    for draft in kept:
        draft.reads = [inner for read in draft.reads for inner in _opened(read, draft, times)]
    kept = _needed(kept)
    places = {id(draft): place for place, draft in enumerate(kept)}
    return tuple(_box(draft, [places[id(read)] for read in draft.reads], rows) for draft in kept)


def _needed(drafts: Sequence[Draft]) -> list[Draft]:
    """Layers, inputs and outputs, and what these read."""
    wanted: set[int] = set()
    for draft in reversed(drafts):
        if draft.row is not None or draft.kind in KEPT or id(draft) in wanted:
            wanted |= {id(draft), *map(id, draft.reads)}
    return [draft for draft in drafts if id(draft) in wanted]


def _opened(read: Draft, reader: Draft, times: Counter) -> list[Draft]:
    """What a join reads where it takes the place of one that it reads."""
    if read.row is not None or reader.row is not None or times[id(read)] > 1:
        return [read]
    one_sum = read.kind == reader.kind == "add" and read.name == reader.name
    one_cut = read.kind in CUTS and reader.kind in CUTS
    one_map = read.kind == reader.kind == FILLED
    same = read.output == reader.output
    return read.reads if one_cut or ((one_sum or one_map) and same) else [read]


def _box(draft: Draft, reads: list[int], rows: Sequence[Layer]) -> Box:
    if draft.row is not None:
        row = rows[draft.row]
        return Box(row.name, row.kind, tuple(reads), row.output, draft.row)
    kind = draft.kind if draft.kind != FILLED else "concat" if len(reads) > 1 else "pad"
    return Box(draft.name, kind, tuple(reads), draft.output)
