"""What no scene may have: texts on texts or out of their boxes, wires through boxes or letters."""

import numpy as np

from convatlas.drawing.scene import Box, Scene, Text, Wire

NEAR = 0.6  # units that may be shared, of rounding


def faults(scene: Scene) -> list[str]:
    """A sentence for each fault."""
    texts = _texts(scene)
    boxes = [item for item in scene.items if isinstance(item, Box) and not item.frame]
    frames = [item for item in scene.items if isinstance(item, Box) and item.frame]
    bounds = {
        name: _bounds(items) for name, items in (("text", texts), ("box", boxes), ("frame", frames))
    }
    level, upright = segments(scene)
    found = [
        f"text on text: {texts[a].words!r}, {texts[b].words!r}"
        for a, b in _overlaps(bounds["text"])
    ]
    found += [f"box on box: {boxes[a].path}, {boxes[b].path}" for a, b in _overlaps(bounds["box"])]
    found += [f"out of its box: {text.words!r} in {box.path}" for box, text in _out_of_box(scene)]
    for what, shrink in (("box", 1.0), ("text", 1.5)):
        for number in _crossed(level, upright, bounds[what], shrink):
            named = boxes[number].path if what == "box" else texts[number].words
            found.append(f"wire through {what}: {named!r}")
    found += [
        f"wire through frame: {frames[n].path}" for n in _passed(level, upright, bounds["frame"])
    ]
    found += [
        f"frame on frame: {frames[a].path}, {frames[b].path}" for a, b in _tangled(bounds["frame"])
    ]
    everything = np.concatenate([level, upright, bounds["text"], bounds["box"], bounds["frame"]])
    if everything.size and (everything.min() < 0 or everything[:, 2].max() > scene.width):
        found.append("out of the picture")
    if everything.size and everything[:, 3].max() > scene.height:
        found.append("below the picture")
    return found


def _texts(scene: Scene) -> list[Text]:
    found = []
    for item in scene.items:
        inside = item.items if isinstance(item, Box) else (item,)
        found += [each for each in inside if isinstance(each, Text)]
    return found


def _bounds(items) -> np.ndarray:
    return np.array([item.bounds for item in items], dtype=float).reshape(-1, 4)


def segments(scene: Scene) -> tuple[np.ndarray, np.ndarray]:
    """The pieces of all wires as (left, top, right, bottom): level ones, upright ones."""
    level, upright = [], []
    for wire in scene.items:
        if isinstance(wire, Wire):
            for (a, b), (c, d) in zip(wire.points, wire.points[1:], strict=False):
                assert a == c or b == d, "a wire runs along the axes"
                (upright if a == c else level).append((min(a, c), min(b, d), max(a, c), max(b, d)))
    return tuple(np.array(found, dtype=float).reshape(-1, 4) for found in (level, upright))


def _meet(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which of a overlap which of b."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    return (high - low > NEAR).all(axis=2)


def _overlaps(bounds: np.ndarray) -> list[tuple[int, int]]:
    return [(a, b) for a, b in np.argwhere(_meet(bounds, bounds)) if a < b]


def _out_of_box(scene: Scene):
    for box in scene.items:
        if isinstance(box, Box):
            left, top, right, bottom = box.bounds
            for text in box.items:
                if isinstance(text, Text):
                    a, b, c, d = text.bounds
                    if a < left - NEAR or b < top - NEAR or c > right + NEAR or d > bottom + NEAR:
                        yield box, text


def _crossed(level: np.ndarray, upright: np.ndarray, bounds: np.ndarray, shrink: float) -> set[int]:
    """Of the rectangles, less their border, those that a wire runs through."""
    inner = bounds + np.array([shrink, shrink, -shrink, -shrink])
    wires = np.concatenate([level, upright])
    low = np.maximum(wires[:, None, :2], inner[None, :, :2])
    high = np.minimum(wires[:, None, 2:], inner[None, :, 2:])
    return set(np.argwhere((high >= low).all(axis=2))[:, 1].tolist())


def _passed(level: np.ndarray, upright: np.ndarray, frames: np.ndarray) -> set[int]:
    """Frames that a wire enters on one side and leaves on the other."""
    found = set()
    for number, (left, top, right, bottom) in enumerate(frames):
        down = (upright[:, 0] > left + 1) & (upright[:, 0] < right - 1)
        across = (level[:, 1] > top + 1) & (level[:, 1] < bottom - 1)
        if (down & (upright[:, 1] <= top) & (upright[:, 3] >= bottom)).any():
            found.add(number)
        if (across & (level[:, 0] <= left) & (level[:, 2] >= right)).any():
            found.add(number)
    return found


def _tangled(frames: np.ndarray) -> list[tuple[int, int]]:
    """Frames that overlap, and none of them lies in the other."""
    inside = (frames[:, None, :2] <= frames[None, :, :2] + NEAR).all(axis=2)
    inside &= (frames[:, None, 2:] >= frames[None, :, 2:] - NEAR).all(axis=2)
    return [(a, b) for a, b in _overlaps(frames) if not inside[a, b] and not inside[b, a]]


def crossings(scene: Scene) -> list[tuple[float, float]]:
    """Where wires cross outside of all frames."""
    level, upright = segments(scene)
    frames = _bounds([item for item in scene.items if isinstance(item, Box) and item.frame])
    x, y = upright[None, :, 0], level[:, None, 1]
    crossed = (level[:, None, 0] + NEAR < x) & (x < level[:, None, 2] - NEAR)
    crossed &= (upright[None, :, 1] + NEAR < y) & (y < upright[None, :, 3] - NEAR)
    points = [(upright[j, 0], level[i, 1]) for i, j in np.argwhere(crossed)]
    return [
        (a, b)
        for a, b in points
        if not (
            (frames[:, 0] < a) & (a < frames[:, 2]) & (frames[:, 1] < b) & (b < frames[:, 3])
        ).any()
    ]
