"""What is neither rows nor branches laid out in layers: every box below all that it reads, in an
order with few crossings, wires along the axes in lanes of their own.
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from itertools import pairwise

from convatlas.drawing.block import GAP, LANE, Block, End, Ends, shifted
from convatlas.drawing.matching import crossed, matched
from convatlas.drawing.scene import Item, Wire
from convatlas.drawing.structure import Mesh
from convatlas.drawing.tracks import Net, tracks

Key = Hashable
SWEEPS = 12
STEP = 5  # to the side that is too small to be one
TRACK = 10  # between two wires that run level


@dataclass
class Element:
    """A box, a chain of boxes, or (block None) the place where a wire passes a layer."""

    name: tuple
    layer: int
    reads: list[tuple] = field(
        default_factory=list
    )  # names of elements one layer above; () is the source
    read_by: list[tuple] = field(default_factory=list)
    block: Block | None = None
    x: float = 0.0

    @property
    def left(self) -> float:
        return self.block.left if self.block else LANE / 2

    @property
    def right(self) -> float:
        return self.block.right if self.block else LANE / 2

    @property
    def height(self) -> float:
        return self.block.height if self.block else 0


def mesh_block(mesh: Mesh, style, chain_block: Callable) -> Block:
    """A Block of all of it: its heads are wires from the source, its tails wires to the sink."""
    layers = _layers(mesh)
    elements = {element.name: element for layer in layers for element in layer}
    for element in elements.values():
        element.block = _block(element, style, chain_block)
    _order(layers)
    _place(layers, elements)
    _turn(layers, elements)
    return _drawn(layers, elements)


def _block(element: Element, style, chain_block: Callable) -> Block | None:
    kind, what = element.name[:2]
    if kind == "key":
        tails = tuple(End(x=LANE * number) for number in range(len(element.reads)))
        return style.box(what, tails if len(tails) > 1 else ())
    return chain_block(what, style) if kind == "chain" else None


def _layers(mesh: Mesh) -> list[list[Element]]:
    """Elements by layer, from the first that reads the source to the last that the sink reads."""
    links: list[tuple[tuple, tuple]] = []
    for number, (a, b, chain) in enumerate(mesh.wires):
        ends = (_name(a, "source"), _name(b, "sink"))
        between = [("chain", chain, number)] if chain.parts else []
        links += pairwise([ends[0], *between, ends[1]])
    depth = _depths(links)
    elements = {name: Element(name, at) for name, at in depth.items() if name[0] != "end"}
    last = depth["end", "sink"]
    for (a, b), first in _lanes(links, depth).items():
        _link(elements, a, b, first)
    return [[e for e in elements.values() if e.layer == at] for at in range(1, last)]


def _name(key: Key, end: str) -> tuple:
    return ("end", end) if key is None else ("key", key)


def _depths(links: list[tuple[tuple, tuple]]) -> dict[tuple, int]:
    """The longest way from the source, of each end of a link."""
    depth = {("end", "source"): 0}
    waiting = list(links)
    while waiting:
        rest = []
        entered = {b for _, b in waiting}
        for a, b in waiting:
            if a in depth and a not in entered:
                depth[b] = max(depth.get(b, 0), depth[a] + 1)
            else:
                rest.append((a, b))
        waiting = rest
    return depth


def _lanes(links: list[tuple[tuple, tuple]], depth: dict) -> dict[tuple[tuple, tuple], int]:
    """Links one layer long: of those that are longer, the lanes in between, which wires from one
    place share.
    """
    found: dict[tuple[tuple, tuple], int] = {}
    for a, b in links:
        lanes = [("lane", a, at) for at in range(depth[a] + 1, depth[b])]
        for number, pair in enumerate(pairwise([a, *lanes, b])):
            found.setdefault(pair, depth[a] + number)
    return found


def _link(elements: dict[tuple, Element], a: tuple, b: tuple, above: int) -> None:
    for name, at in ((a, above), (b, above + 1)):
        if name[0] == "lane":
            elements.setdefault(name, Element(name, at))
    if b in elements:
        elements[b].reads.append(a)
    if a in elements:
        elements[a].read_by.append(b)


def _order(layers: list[list[Element]]) -> None:
    """Each layer by the middle of its neighbours, down and up, keeping the order with the fewest
    crossings.
    """
    best, fewest = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer in layers[1:] if down else reversed(layers[:-1]):
            place = {e.name: i for other in layers for i, e in enumerate(other)}
            layer.sort(key=lambda e, place=place, down=down: _middle(e, place, down))
        crossings = _crossings(layers)
        if crossings < fewest:
            best, fewest = [list(layer) for layer in layers], crossings
    for layer, kept in zip(layers, best, strict=True):
        layer[:] = kept


def _middle(element: Element, place: dict[tuple, int], down: bool) -> float:
    near = [place[name] for name in (element.reads if down else element.read_by) if name in place]
    return sum(near) / len(near) if near else place[element.name]


def _crossings(layers: list[list[Element]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        place = {element.name: number for number, element in enumerate(upper)}
        pairs = [(place[a], n) for n, e in enumerate(lower) for a in e.reads if a in place]
        total += sum(
            (a - c) * (b - d) < 0 for i, (a, b) in enumerate(pairs) for c, d in pairs[i + 1 :]
        )
    return total


def _place(layers: list[list[Element]], elements: dict[tuple, Element]) -> None:
    """Abscissae: as near to the middle of the neighbours as order and width allow."""
    for layer in layers:
        edge = 0.0
        for element in layer:
            element.x = edge + element.left
            edge = element.x + element.right + GAP / 2
        for element in layer:
            element.x -= (edge - GAP / 2) / 2
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for layer in layers if down else reversed(layers):
            wanted = [_wanted(element, elements, down) for element in layer]
            _spread(layer, wanted)
    _straighten(layers, elements)
    middle = (
        min(e.x - e.left for r in layers for e in r) + max(e.x + e.right for r in layers for e in r)
    ) / 2
    for element in elements.values():
        element.x = float(round(element.x - middle))


def _turn(layers: list[list[Element]], elements: dict[tuple, Element]) -> None:
    """Left for right where that uncrosses the wires that come into one box."""
    for layer in layers:
        for element in layer:
            block = element.block
            if block and len(block.heads) > 1 and len(element.reads) > 1:
                above = tuple(
                    End(_key(name), elements[name].x) for name in element.reads if name in elements
                )
                if crossed(block.heads, above):
                    element.block = block.mirrored()


def _straighten(layers: list[list[Element]], elements: dict[tuple, Element]) -> None:
    """Without small steps to the side, where there is room."""
    for layer in layers[1:]:
        for number, element in enumerate(layer):
            above = [elements[name] for name in element.reads if name in elements]
            if len(above) != 1 or not 0 < abs(above[0].x - element.x) <= STEP:
                continue
            x = above[0].x
            clear = (
                number == 0
                or x - element.left - GAP / 4 > layer[number - 1].x + layer[number - 1].right
            )
            end = number + 1 == len(layer)
            if clear and (
                end or x + element.right + GAP / 4 < layer[number + 1].x - layer[number + 1].left
            ):
                element.x = x


def _wanted(element: Element, elements: dict[tuple, Element], down: bool) -> float:
    names = element.reads if down else element.read_by
    near = [elements[name].x for name in names if name in elements]
    return sum(near) / len(near) if near else element.x


def _spread(layer: list[Element], wanted: list[float]) -> None:
    """The places nearest to the wanted ones (least squares) that keep order and distance."""
    offsets = [0.0]
    for a, b in pairwise(layer):
        offsets.append(offsets[-1] + a.right + b.left + GAP / 2)
    runs: list[list[float]] = []  # sum, count
    for target, offset in zip(wanted, offsets, strict=True):
        runs.append([target - offset, 1])
        while len(runs) > 1 and runs[-2][0] / runs[-2][1] > runs[-1][0] / runs[-1][1]:
            total, count = runs.pop()
            runs[-1][0] += total
            runs[-1][1] += count
    places = [total / count for total, count in runs for _ in range(int(count))]
    for element, place, offset in zip(layer, places, offsets, strict=True):
        element.x = place + offset


def _drawn(layers: list[list[Element]], elements: dict[tuple, Element]) -> Block:
    items: list[Item] = []
    y = 0.0
    for number, layer in enumerate(layers):
        height = max(element.height for element in layer)
        for element in layer:
            items += _in_layer(element, y, height)
        y += height
        if number + 1 < len(layers):
            nets = _nets(layer, layers[number + 1], elements)
            wires, room = _routed(nets, y)
            items += wires
            y += room
    every = [element for layer in layers for element in layer]
    return Block(
        tuple(items),
        max(element.left - element.x for element in every),
        max(element.right + element.x for element in every),
        y,
        tuple(end for element in layers[0] for end in _heads(element, layers[0])),
        tuple(end for element in layers[-1] for end in _tails(element)),
    )


def _heads(element: Element, layer: list[Element]) -> Ends:
    """Where wires reach the element's layer; where it does not fill that they go on."""
    if not element.block:
        return (End(x=element.x, is_open=True),)
    full = element.height == max(other.height for other in layer)
    return tuple(
        end._replace(is_open=end.is_open or not full)
        for end in shifted(element.block.heads, element.x)
    )


def _tails(element: Element) -> Ends:
    if not element.block:
        return (End(_key(element.name), element.x, is_open=True),)
    return shifted(element.block.tails, element.x)


def _key(name: tuple) -> Key:
    """What a box would call the one whose wire comes from there."""
    if name[0] == "lane":
        return _key(name[1])
    if name[0] == "chain":
        return name[1].parts[-1]
    return name[1] if name[0] == "key" else None


def _in_layer(element: Element, y: float, height: float) -> list[Item]:
    """The element in the middle of its layer, with wires to the layer's top and bottom."""
    down = round((height - element.height) / 2)
    end = down + element.height
    items = list(element.block.moved(element.x, y + down).items) if element.block else []
    if not element.block:
        return [Wire(((element.x, y), (element.x, y + height)))] if height else []
    if down:
        into = shifted(element.block.heads, element.x)
        items += [Wire(((x, y), (x, y + down)), ends=not is_open) for _, x, is_open in into]
    if end < height:
        items += [Wire(((x, y + end), (x, y + height))) for _, x, _ in _tails(element)]
    return items


def _nets(upper: list[Element], lower: list[Element], elements: dict[tuple, Element]) -> list[Net]:
    """For each element of the upper layer: where its wires begin, and where they end below."""
    below: dict[tuple, list[End]] = {element.name: [] for element in upper}
    for element in lower:
        heads = list(_heads(element, lower))
        if len(element.reads) == 1 or len(heads) == 1:
            for name in element.reads:
                below[name] += heads
            continue
        order = sorted(element.reads, key=lambda name: elements[name].x)
        above = tuple(End(_key(name), elements[name].x) for name in order)
        names = dict(zip(above, order, strict=True))
        for tail, head in matched(above, tuple(heads)):
            below[names[tail]].append(head)
    return [Net(_tails(e), tuple(below[e.name])) for e in upper if below[e.name]]


def _routed(nets: list[Net], y: float) -> tuple[list[Item], float]:
    """The wires of all nets below y, each level piece in a track of its own; and the room that
    takes.
    """
    levels, count = tracks(nets)
    room = 14 + TRACK * max(count, 1)
    wires: list[Item] = []
    for net, level in zip(nets, levels, strict=True):
        at = y + 6 + TRACK * level + TRACK // 2
        wires += _wires(net, y, at, y + room)
    return wires, room


def _wires(net: Net, top: float, level: float, bottom: float) -> list[Item]:
    """From the beginnings down to the level, along it, and down to each end."""
    if net.straight:
        return [
            Wire(((net.begins[0].x, top), (net.begins[0].x, bottom)), ends=not net.ends[0].is_open)
        ]
    first = net.begins[0].x
    wires: list[Item] = [
        Wire(((a, top), (a, level), (first, level))) if a != first else Wire(((a, top), (a, level)))
        for _, a, _ in net.begins
    ]
    for _, b, is_open in net.ends:
        wires.append(Wire(((first, level), (b, level), (b, bottom)), ends=not is_open))
    return wires
