"""What one small module holds, such as a separable convolution, as one box: where a network has too
many steps to be drawn one by one.
"""

from dataclasses import replace

from convatlas.drawing.sketch import Into, Key, Piece, Step

FEW = 16  # steps that can be told in one box


def merged(piece: Piece) -> Piece:
    """With modules inside that one wire enters and one leaves as Pieces that are `joined`."""
    if any(isinstance(part, Piece) for part in piece.parts):
        return replace(
            piece, parts=tuple(merged(p) if isinstance(p, Piece) else p for p in piece.parts)
        )
    groups = _groups(piece)
    of: dict[Key, Key] = {old: new for new, group in enumerate(groups) for old in group}
    reads = [
        tuple(dict.fromkeys(of.get(key, key) for key in _sources(piece, group))) for group in groups
    ]
    return replace(
        piece,
        parts=tuple(_as_one(piece, group) for group in groups),
        reads=tuple(reads),
        gives=tuple(dict.fromkeys(of[old] for old in piece.gives)),
    )


def _groups(piece: Piece) -> list[list[int]]:
    """Numbers of steps that become one, in an order in which they can run."""
    depth = piece.path.count(".") + 1 if piece.path else 0
    groups = _split(piece, list(range(len(piece.parts))), depth)
    return sorted(groups, key=lambda group: group[-1])


def _split(piece: Piece, members: list[int], depth: int) -> list[list[int]]:
    """By the modules at this depth; those that cannot be one box by the modules in them."""
    modules: dict[tuple[str, ...], list[int]] = {}
    for number in members:
        names = tuple(piece.parts[number].path.split(".")[: depth + 1])
        alone = (str(number),) if len(names) <= depth else names
        modules.setdefault(alone, []).append(number)
    found = []
    for inside in modules.values():
        small = 1 < len(inside) <= FEW and len(inside) < len(piece.parts)
        if len(inside) == 1 or (small and _is_closed(piece, inside)):
            found.append(inside)
        else:
            found += _split(piece, inside, depth + 1)
    return found


def _is_closed(piece: Piece, members: list[int]) -> bool:
    """Whether one thing enters them and one leaves."""
    inside = set(members)
    left = {key for number, keys in enumerate(piece.reads) if number not in inside for key in keys}
    gives = inside & (left | set(piece.gives))
    return len(_sources(piece, members)) == 1 and gives == {members[-1]}


def _sources(piece: Piece, members: list[int]) -> list[Key]:
    inside = set(members)
    keys = (key for number in members for key in piece.reads[number])
    return list(dict.fromkeys(key for key in keys if key not in inside))


def _as_one(piece: Piece, members: list[int]) -> Piece | Step:
    if len(members) == 1:
        return piece.parts[members[0]]
    steps = [piece.parts[number] for number in members]
    layers = [step.row for step in steps if step.row]
    number = {old: new for new, old in enumerate(members)}
    return Piece(
        _common([step.path for step in steps]),
        tuple(steps),
        tuple(tuple(number.get(key, Into(0)) for key in piece.reads[old]) for old in members),
        (len(members) - 1,),
        steps[-1].output,
        (),
        sum(layer.params for layer in layers),
        sum(layer.macs for layer in layers),
        None,
        joined=True,
    )


def _common(paths: list[str]) -> str:
    """The module that holds all of these."""
    names = [path.split(".") for path in paths]
    same = [each[0] for each in zip(*names, strict=False) if len(set(each)) == 1]
    return ".".join(same)
