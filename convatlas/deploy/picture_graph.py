"""`Preprocess` as an ONNX graph: pictures of any size in, what the network reads out, bit for bit
what the torch form gives.
"""

import numpy as np
import onnx
import onnx.inliner
import onnx.parser
from onnx import ModelProto, numpy_helper

from convatlas.data import Preprocess
from convatlas.data.preprocess import LUMA, STRIP
from convatlas.deploy.scaling_graph import DOMAIN, ZERO_BYTE, functions, tiles

OPSET = 20
IR_VERSION = 10

# pairs are (of rows, of columns)
_HEAD = """<ir_version: {ir}, opset_import: ["" : {opset}, "{domain}" : 1]>
picture (uint8[N, H, W, C] pictures) => (float[N, {channels}, {side}, {side}] input)
{{
    none = Constant<value = int64[2] {{0, 0}}>()
    one = Constant<value = int64[1] {{1}}>()
    two = Constant<value = int64[1] {{2}}>()
    axis1 = Constant<value = int64[1] {{1}}>()
    axis2 = Constant<value = int64[1] {{2}}>()
    unknown = Constant<value = int64[1] {{-1}}>()
    spatial = Constant<value = int64[2] {{1, 2}}>()
    side = Constant<value = int64[1] {{{side}}}>()
    content = Constant<value = int64[1] {{{content}}}>()
    size = Shape<start = 1, end = 3>(pictures)
    short = ReduceMin<keepdims = 1>(size)"""

# `length` from `top` on is scaled to `out`; of a strip that is only the middle, `limit` times as
# long as it is wide
_MIDDLE = """
    times = Constant<value = int64[1] {{{times}}}>()
    limit = Mul(short, times)
    length = Min(size, limit)
    outside = Sub(size, length)
    top = Div(outside, two)"""
_ALL = """
    length = Identity(size)
    top = Identity(none)"""
_SQUARE = """
    out = Add(none, content)"""
_SHORTER = """
    longer = Mul(length, content)
    out = Div(longer, short)"""

# round(length * content / longer) as Python rounds, half to even, and 1 at least; where the picture
# is larger than `content` or fills less than 3/4 of the field
_LONGER = """
    longer = ReduceMax<keepdims = 1>(size)
    four = Constant<value = int64[1] {{4}}>()
    quarters = Constant<value = int64[1] {{3}}>()
    needed = Mul(side, quarters)
    filled = Mul(longer, four)
    sparse = Less(filled, needed)
    large = Greater(longer, content)
    fitted = Or(sparse, large)
    share = Mul(length, content)
    doubled = Mul(share, two)
    raised = Add(doubled, longer)
    divisor2 = Mul(longer, two)
    nearest = Div(raised, divisor2)
    back = Mul(nearest, divisor2)
    tie = Equal(back, raised)
    odd = Mod(nearest, two)
    down = Sub(nearest, odd)
    even = Where(tie, down, nearest)
    least = Max(even, one)
    out = Where(fitted, least, length)"""

# the field begins at round((out - side) / 2) of what was scaled, half to even
_CUT = """
    free = Sub(out, side)
    halves = Div(free, two)
    rest = Mod(free, two)
    odd_half = Mod(halves, two)
    up = Mul(rest, odd_half)
    begin = Add(halves, up)"""
_FIELD = """
    free = Sub(side, out)
    before = Div(free, two)
    begin = Sub(none, before)"""
_AS_IS = """
    begin = Identity(none)"""

# what is needed of the pictures, as planes, and the weights of its rows and columns
_NEEDED = """
    kept = Constant<value = int64[{side}] {{{kept}}}>()
    first, weight, divisor = {domain}.weights(length, out, begin, kept)
    starts = Constant<value = int64[{number}] {{{starts}}}>()
    lasts = Constant<value = int64[{number}] {{{lasts}}}>()
    own = Constant<value = int64[{side}] {{{own}}}>()
    count = Shape<start = 2, end = 3>(weight)
    tile_begin = Gather<axis = 1>(first, starts)
    tile_last = Gather<axis = 1>(first, lasts)
    tile_end = Add(tile_last, count)
    widths = Sub(tile_end, tile_begin)
    widest = ReduceMax<keepdims = 0>(widths)
    width = Reshape(widest, one)
    tile_of = Gather<axis = 1>(tile_begin, own)
    before_first = Sub(first, tile_of)
    before_tap = Unsqueeze(before_first, axis2)
    zero = Constant<value = int64 {{0}}>()
    step = Constant<value = int64 {{1}}>()
    counted = Squeeze(count)
    taps = Range(zero, counted, step)
    local = Add(before_tap, taps)
    bytes = {domain}.matrices(weight, local, width)
    columns = Constant<value = int64 {{1}}>()
    rows = Constant<value = int64 {{0}}>()
    row_bytes = Gather<axis = 1>(bytes, rows)
    across_bytes = Gather<axis = 1>(bytes, columns)
    column_bytes = Transpose<perm = [0, 2, 1]>(across_bytes)
    row_divisor = Gather<axis = 0>(divisor, rows)
    column_divisor = Gather<axis = 0>(divisor, columns)
    whole_begin = ReduceMin<keepdims = 0>(tile_begin, axis1)
    reached = ReduceMax<keepdims = 0>(tile_end, axis1)
    whole_end = Min(reached, length)
    needed_begin = Add(top, whole_begin)
    needed_end = Add(top, whole_end)
    part = Slice(pictures, needed_begin, needed_end, spatial)
    own_planes = Transpose<perm = [0, 3, 1, 2]>(part)
    tall = Shape<start = 1, end = 2>(part)
    across = Shape<start = 2, end = 3>(part)
    lifted = Unsqueeze(whole_begin, axis1)
    from = Sub(tile_begin, lifted)
    to1 = Sub(tile_end, lifted)
    held = Unsqueeze(whole_end, axis1)
    lengths = Sub(held, lifted)
    to = Min(to1, lengths)"""

_COLOUR = """
    planes = Identity(own_planes)"""
_GREY = """
    depth = Shape<start = 3, end = 4>(part)
    last_plane = Sub(depth, one)
    three = Constant<value = int64[3] {{0, 1, 2}}>()
    number = Min(three, last_plane)
    colours = Gather<axis = 1>(own_planes, number)
    every = Shape<start = 0, end = 1>(part)
    kinds = Constant<value = int64[1] {{3}}>()
    flat_shape = Concat<axis = 0>(every, kinds, unknown)
    flat = Reshape(colours, flat_shape)
    luma = Constant<value = uint8[2, 1, 1, 3] {{{luma}}}>()
    shares = MatMulInteger(luma, flat)
    whole = Constant<value = int32 {{65536}}>()
    grey_level = {domain}.level(shares, whole)
    planes = Cast<to = 2>(grey_level)"""

_WAYS = """
    zero_byte = Constant<value = uint8 {{{zero_byte}}}>()
    zero1 = Constant<value = int64[1] {{0}}>()
    last_two = Constant<value = int64[2] {{2, 3}}>()
    pixel_zero = Constant<value = uint8 {{0}}>()
    line_shape = Concat<axis = 0>(unknown, across)
    lines = Reshape(planes, line_shape)"""

# of tile n of rows or columns, t: its pixels' places, and its own
_TILE = """
    {t}{n} = Constant<value = int64[2] {{{axis}, {n}}}>()
    {t}{n}_from0 = GatherND(from, {t}{n})
    {t}{n}_to0 = GatherND(to, {t}{n})
    {t}{n}_from = Reshape({t}{n}_from0, one)
    {t}{n}_to = Reshape({t}{n}_to0, one)
    {t}{n}_taps = Sub({t}{n}_to, {t}{n}_from)
    {t}{n}_0 = Constant<value = int64[1] {{{begin}}}>()
    {t}{n}_1 = Constant<value = int64[1] {{{end}}}>()"""
_COLUMN_TILE = """
    c{n}_pixels = Slice(lines, c{n}_from, c{n}_to, axis1)
    c{n}_begin = Concat<axis = 0>(zero1, c{n}_0)
    c{n}_end = Concat<axis = 0>(c{n}_taps, c{n}_1)
    c{n}_bytes = Slice(column_bytes, c{n}_begin, c{n}_end, spatial)
    c{n}_sums = MatMulInteger(c{n}_pixels, c{n}_bytes, pixel_zero, zero_byte)
    c{n}_levels = {domain}.level(c{n}_sums, column_divisor)
    c{n}_done = Cast<to = 2>(c{n}_levels)"""

_BETWEEN = """
    narrow_lines = Concat<axis = 1>({column_tiles})
    narrow_shape = Concat<axis = 0>(one, unknown, tall, side)
    narrow = Reshape(narrow_lines, narrow_shape)
    row_bytes1 = Unsqueeze(row_bytes, axis1)"""

_ROW_TILE = """
    r{n}_pixels = Slice(narrow, r{n}_from, r{n}_to, axis2)
    r{n}_begin = Concat<axis = 0>(r{n}_0, zero1)
    r{n}_end = Concat<axis = 0>(r{n}_1, r{n}_taps)
    r{n}_bytes = Slice(row_bytes1, r{n}_begin, r{n}_end, last_two)
    r{n}_sums = MatMulInteger(r{n}_bytes, r{n}_pixels, zero_byte, pixel_zero)
    r{n}_levels = {domain}.level(r{n}_sums, row_divisor)"""

# a single plane becomes three here, where the mean of each is taken away
_TAIL = """
    field = Concat<axis = 1>({row_tiles})
    levels = Cast<to = 1>(field)
    pictures_now = Shape<start = 0, end = 1>(pictures)
    plane_shape = Concat<axis = 0>(pictures_now, unknown, side, side)
    fields = Reshape(levels, plane_shape)
    centred = Sub(fields, mean)
    shape = Constant<value = int64[4] {{-1, {channels}, {side}, {side}}}>()
    shaped = Reshape(centred, shape)
    input = Div(shaped, std)
}}
"""


def picture_graph(prep: Preprocess) -> ModelProto:
    """uint8 pictures (N, H, W, 1 or 3) -> float32 input (N, channels, side, side).

    The functions are written out where they are called, for OpenVINO knows none.
    """
    text = _text(prep) + functions(prep.interpolation)
    graph = onnx.inliner.inline_local_functions(onnx.parser.parse_model(text))
    for name, values in (("mean", prep.mean), ("std", prep.std)):
        levels = np.float32(255) * np.asarray(values, np.float32)
        graph.graph.initializer.append(numpy_helper.from_array(levels.reshape(1, -1, 1, 1), name))
    onnx.checker.check_model(graph)
    return graph


def _text(prep: Preprocess) -> str:
    first = prep.fit == "resize" and prep.content == prep.side  # cut before it is scaled
    if prep.fit == "pad":
        ways = [_ALL, _LONGER, _FIELD]
    elif prep.fit == "squash":
        ways = [_ALL, _SQUARE, _CUT]
    else:
        ways = [_MIDDLE, _SQUARE, _AS_IS] if first else [_MIDDLE, _SHORTER, _CUT]
    tile = tiles(prep.side)
    rows, columns = (
        "".join(
            _of_tile(_TILE + lines, n=n, begin=a, end=b, t=t, axis=axis)
            for n, (a, b) in enumerate(tile)
        )
        for axis, (t, lines) in enumerate((("r", _ROW_TILE), ("c", _COLUMN_TILE)))
    )
    channels = _GREY if prep.channels == 1 else _COLOUR
    return "".join([_HEAD, *ways, _NEEDED, channels, _WAYS, columns, _BETWEEN, rows, _TAIL]).format(
        ir=IR_VERSION,
        opset=OPSET,
        domain=DOMAIN,
        channels=prep.channels,
        side=prep.side,
        content=prep.content,
        times=1 if first else STRIP,
        kept=_listed(range(prep.side)),
        number=len(tile),
        starts=_listed(a for a, _ in tile),
        lasts=_listed(b - 1 for _, b in tile),
        own=_listed(n for n, (a, b) in enumerate(tile) for _ in range(a, b)),
        luma=_listed([share // 256 for share in LUMA] + [share % 256 for share in LUMA]),
        zero_byte=ZERO_BYTE,
        column_tiles=_listed(f"c{n}_done" for n in range(len(tile))),
        row_tiles=_listed(f"r{n}_levels" for n in range(len(tile))),
    )


def _of_tile(lines: str, **values) -> str:
    for name, value in values.items():
        lines = lines.replace(f"{{{name}}}", str(value))
    return lines


def _listed(values) -> str:
    return ", ".join(map(str, values))
