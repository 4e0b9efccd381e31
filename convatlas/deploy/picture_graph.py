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
from convatlas.deploy.scaling_graph import DOMAIN, SCALED
from convatlas.errors import ExportError

OPSET = 20
IR_VERSION = 10

_HEAD = """<ir_version: {ir}, opset_import: ["" : {opset}, "{domain}" : 1]>
picture (uint8[N, H, W, C] pictures) => (float[N, {channels}, {side}, {side}] input)
{{
    one = Constant<value = int64[1] {{1}}>()
    two = Constant<value = int64[1] {{2}}>()
    unknown = Constant<value = int64[1] {{-1}}>()
    spatial = Constant<value = int64[2] {{1, 2}}>()
    side = Constant<value = int64[1] {{{side}}}>()
    content = Constant<value = int64[1] {{{content}}}>()
    three = Constant<value = int64[4] {{1, 1, 1, 3}}>()
    height = Shape<start = 1, end = 2>(pictures)
    width = Shape<start = 2, end = 3>(pictures)
    short = Min(height, width)"""

# of a strip only the middle, `limit` times as long as it is wide
_MIDDLE = """
    times = Constant<value = int64[1] {{{times}}}>()
    limit = Mul(short, times)
    tall = Min(height, limit)
    wide = Min(width, limit)
    above = Sub(height, tall)
    beside = Sub(width, wide)
    top = Div(above, two)
    left = Div(beside, two)
    bottom = Add(top, tall)
    right = Add(left, wide)
    begin = Concat<axis = 0>(top, left)
    end = Concat<axis = 0>(bottom, right)
    part = Slice(pictures, begin, end, spatial)"""

_SQUARE = """
    rows = Identity(content)
    columns = Identity(content)"""
_ALL = """
    part = Identity(pictures)"""
_SHORTER = """
    tall1 = Mul(tall, content)
    rows = Div(tall1, short)
    wide1 = Mul(wide, content)
    columns = Div(wide1, short)"""

# round(length * content / longer) as Python rounds, half to even, and 1 at least; where the picture
# is larger than `content` or fills less than 3/4 of the field
_LONGER = """
    part = Identity(pictures)
    longer = Max(height, width)
    four = Constant<value = int64[1] {{4}}>()
    quarters = Constant<value = int64[1] {{3}}>()
    needed = Mul(side, quarters)
    filled = Mul(longer, four)
    sparse = Less(filled, needed)
    large = Greater(longer, content)
    fitted = Or(sparse, large)"""
_ROUNDED = """
    {to}_a = Mul({of}, content)
    {to}_b = Mul({to}_a, two)
    {to}_c = Add({to}_b, longer)
    {to}_d = Mul(longer, two)
    {to}_q = Div({to}_c, {to}_d)
    {to}_e = Mul({to}_q, {to}_d)
    {to}_tie = Equal({to}_e, {to}_c)
    {to}_odd = Mod({to}_q, two)
    {to}_down = Sub({to}_q, {to}_odd)
    {to}_even = Where({to}_tie, {to}_down, {to}_q)
    {to}_least = Max({to}_even, one)
    {to} = Where(fitted, {to}_least, {of})"""

_GREY = """
    red_green_blue = Constant<value = int32[3] {{{luma}}}>()
    halfway = Constant<value = int32 {{32768}}>()
    unit = Constant<value = int32 {{65536}}>()
    last = Constant<value = int64[1] {{3}}>()
    shares = Mul(colours, red_green_blue)
    shared = ReduceSum<keepdims = 1>(shares, last)
    raised = Add(shared, halfway)
    pixels = Div(raised, unit)"""
_COLOUR = """
    pixels = Identity(colours)"""
_CHANNELS = """
    whole_part = Cast<to = 6>(part)
    colours = Expand(whole_part, three)"""

# the horizontal axis first, as torch; both as the middle one of three
_SCALE = """
    tall_now = Shape<start = 1, end = 2>(pixels)
    wide_now = Shape<start = 2, end = 3>(pixels)
    depth = Constant<value = int64[1] {{{channels}}}>()
    by_row = Concat<axis = 0>(unknown, wide_now, depth)
    lines = Reshape(pixels, by_row)
    narrow = convatlas.scaled(lines, columns)
    breadth = Mul(columns, depth)
    stack = Concat<axis = 0>(unknown, tall_now, breadth)
    upright = Reshape(narrow, stack)
    shrunk = convatlas.scaled(upright, rows)
    final = Concat<axis = 0>(unknown, rows, columns, depth)
    scaled = Reshape(shrunk, final)"""

# the middle, at round((length - side) / 2), half to even
_CUT = """
    {to}_a = Sub({of}, side)
    {to}_q = Div({to}_a, two)
    {to}_r = Mod({to}_a, two)
    {to}_odd = Mod({to}_q, two)
    {to}_up = Mul({to}_r, {to}_odd)
    {to} = Add({to}_q, {to}_up)"""
_CENTRE = """
    cut_end_a = Add(cut_top, side)
    cut_end_b = Add(cut_left, side)
    cut_begin = Concat<axis = 0>(cut_top, cut_left)
    cut_end = Concat<axis = 0>(cut_end_a, cut_end_b)
    field = Slice(scaled, cut_begin, cut_end, spatial)"""
_FIELD = """
    free_a = Sub(side, rows)
    free_b = Sub(side, columns)
    pad_top = Div(free_a, two)
    pad_left = Div(free_b, two)
    pad_bottom = Sub(free_a, pad_top)
    pad_right = Sub(free_b, pad_left)
    pads = Concat<axis = 0>(pad_top, pad_left, pad_bottom, pad_right)
    black = Constant<value = int32 {{0}}>()
    field = Pad(scaled, pads, black, spatial)"""
_AS_IS = """
    field = Identity(scaled)"""

_TAIL = """
    planes = Transpose<perm = [0, 3, 1, 2]>(field)
    levels = Cast<to = 1>(planes)
    shape = Constant<value = int64[4] {{-1, {channels}, {side}, {side}}}>()
    shaped = Reshape(levels, shape)
    centred = Sub(shaped, mean)
    input = Div(centred, std)
}}
"""


def picture_graph(prep: Preprocess) -> ModelProto:
    """uint8 pictures (N, H, W, 1 or 3) -> float32 input (N, channels, side, side).

    The function is written out where it is called, for OpenVINO knows no functions. Raises
    ExportError for bicubic scaling: the weights of a large picture's pixels are cubes that do not
    fit in the 32 bits in which OpenVINO counts, and floats would round in every engine otherwise.
    """
    if prep.interpolation != "bilinear":
        raise ExportError(
            f"this network takes {prep.interpolation} pictures, which files for onnx and openvino "
            "cannot scale to the bit; write one with --to pt2"
        )
    graph = onnx.inliner.inline_local_functions(onnx.parser.parse_model(_text(prep) + SCALED))
    for name, values in (("mean", prep.mean), ("std", prep.std)):
        levels = np.float32(255) * np.asarray(values, np.float32)
        graph.graph.initializer.append(numpy_helper.from_array(levels.reshape(1, -1, 1, 1), name))
    onnx.checker.check_model(graph)
    return graph


def _text(prep: Preprocess) -> str:
    cut = [_both(_CUT, cut_top="rows", cut_left="columns"), _CENTRE]
    first = prep.fit == "resize" and prep.content == prep.side  # cut before it is scaled
    if prep.fit == "pad":
        before = [_LONGER, _both(_ROUNDED, rows="height", columns="width")]
        after = [_FIELD]
    elif prep.fit == "squash":
        before, after = [_ALL, _SQUARE], cut
    else:
        before = [_MIDDLE, _SQUARE if first else _SHORTER]
        after = [_AS_IS] if first else cut
    channels = [_CHANNELS, _GREY if prep.channels == 1 else _COLOUR]
    return "".join([_HEAD, *before, *channels, _SCALE, *after, _TAIL]).format(
        ir=IR_VERSION,
        opset=OPSET,
        domain=DOMAIN,
        channels=prep.channels,
        side=prep.side,
        content=prep.content,
        times=1 if first else STRIP,
        luma=", ".join(map(str, LUMA)),
    )


def _both(lines: str, **axes: str) -> str:
    """The same lines for both axes: result -> what it is made of."""
    return "".join(lines.replace("{to}", to).replace("{of}", of) for to, of in axes.items())
