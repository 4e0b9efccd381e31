"""Parts that look alike and follow each other, as one that stands for all of them."""

from dataclasses import replace

from convatlas.drawing.sketch import Key, Piece, Step


def folded(piece: Piece, loosely: bool = False) -> Piece:
    """With parts that look alike and follow each other as one; `loosely` those
    units of a stage, too, that differ in their channels.
    """
    parts = (folded(part, loosely) if isinstance(part, Piece) else part for part in piece.parts)
    whole = replace(piece, parts=tuple(parts))
    runs = _runs(whole, loosely and bool(piece.path))
    if len(runs) == len(whole.parts):
        return whole
    number: dict[Key, Key] = {old: new for new, run in enumerate(runs) for old in run}

    def read(run: list[int], new: int) -> tuple[Key, ...]:
        """By the last of a run, what the first one reads from elsewhere."""
        keys = [number.get(key, key) for key in whole.reads[run[-1]]]
        first = [number.get(key, key) for key in whole.reads[run[0]]]
        return tuple(b if a == new else a for a, b in zip(keys, first, strict=True))

    return replace(
        whole,
        parts=tuple(
            _together([whole.parts[old] for old in run], _behind(whole, run)) for run in runs
        ),
        reads=tuple(read(run, new) for new, run in enumerate(runs)),
        gives=tuple(dict.fromkeys(number[old] for old in whole.gives)),
    )


def _runs(piece: Piece, loosely: bool) -> list[list[int]]:
    """Numbers of parts that are drawn as one."""
    readers: dict[int, set[int]] = {}
    for number, keys in enumerate(piece.reads):
        for key in keys:
            readers.setdefault(key, set()).add(number)
    runs: list[list[int]] = []
    for number in range(len(piece.parts)):
        if runs and _continues(piece, runs[-1], number, readers, loosely):
            runs[-1].append(number)
        else:
            runs.append([number])
    return runs


def _continues(
    piece: Piece, run: list[int], number: int, readers: dict[int, set[int]], loosely: bool
) -> bool:
    """Whether a part does the same as those of the run, on what they give."""
    before, keys = run[-1], piece.reads[number]
    if before not in keys or not alike(piece.parts[before], piece.parts[number], loosely):
        return False
    if len(keys) == 1:
        return (
            readers[before] == {number}
            and before not in piece.gives
            and len(piece.reads[before]) == 1
        )
    behind = tuple(number - key if isinstance(key, int) else 0 for key in keys)
    earlier = tuple(before - key if isinstance(key, int) else 0 for key in piece.reads[before])
    return len(behind) == len(earlier) and (len(run) == 1 or behind == earlier)


def alike(a: Piece | Step, b: Piece | Step, loosely: bool = False) -> bool:
    """Whether two are drawn alike; single steps are drawn one by one."""
    if not (isinstance(a, Piece) and isinstance(b, Piece)) or max(len(a.steps), len(b.steps)) < 2:
        return False
    return (a.reads, a.gives, len(a.parts)) == (b.reads, b.gives, len(b.parts)) and all(
        _looks(x, loosely) == _looks(y, loosely)
        if isinstance(x, Step) and isinstance(y, Step)
        else alike(x, y, loosely)
        for x, y in zip(a.parts, b.parts, strict=True)
    )


def _looks(step: Step, loosely: bool) -> tuple:
    row = step.row
    if row is None:
        return step.mark, step.kind, step.output[1:]
    if not loosely:
        return step.mark, step.kind, row.kernel, row.stride, row.groups, row.output
    return step.mark, step.kind, row.kernel, row.stride, row.groups == row.output[0], row.output[1:]


def _behind(piece: Piece, run: list[int]) -> tuple[int, ...]:
    keys = piece.reads[run[-1]]
    return (
        tuple(run[-1] - key if isinstance(key, int) else 0 for key in keys) if len(run) > 1 else ()
    )


def _together(run: list, behind: tuple[int, ...]):
    if len(run) == 1:
        return run[0]
    return replace(
        run[-1],
        path=run[0].path,
        parts=tuple(map(_since, run[-1].parts, run[0].parts)),
        last=run[-1].path,
        repeats=sum(piece.repeats for piece in run),
        behind=behind,
        rows=tuple(row for piece in run for row in piece.rows),
        params=sum(piece.params for piece in run),
        macs=sum(piece.macs for piece in run),
    )


def _since(last: Piece | Step, first: Piece | Step) -> Piece | Step:
    """A step of the last of folded units, which knows the first one's."""
    if isinstance(last, Piece) or last.row is None or last.row.output == first.row.output:
        return last
    return replace(last, since=first.row)
