"""Pillow's and torch's antialiased scaling of pictures of 8 bits, in whole numbers only, as
functions of ONNX's standard operators.

ONNX's own Resize cannot be taken: on such pictures ONNX Runtime's differs from torch's by up to 13
levels at single pixels, and OpenVINO leaves its `antialias` out without a word. This form gives the
bits of torch's interpolate(antialias=True), in every engine: nothing here is a float, so no engine
can round it, or hold it in bfloat16, in its own way.

torch scales one axis after the other, the horizontal one first, and rounds to 8 bits after each.
Its weights are whole numbers below 2^15; each is written as two bytes, and MatMulInteger sums the
pixels with the high ones and with the low ones. Both sums stay below 2^24, for OpenVINO makes them
in float32, and divides whole numbers in float32 too. An axis is scaled in tiles of at most `TILE`
pixels, each a product of the few pixels that it needs with a matrix of weights.
"""

import math
from itertools import pairwise
from string import Template

DOMAIN = "convatlas"
TILE = 32
ZERO_BYTE = 96  # stands for 0 in the bytes of weights, of which bicubic ones may be negative
BITS = 24  # binary places of the quotients; more than the 23 that rounding to 22 needs
_TRIED = range(1, 23)  # binary places of weights
LIMB = 2**15  # numbers that do not fit in 32 bits are written in three limbs

# length, out, begin int64 (2,), of both axes; kept int64 (side,): 0, 1, ... ->
#   first int64 (2, side): the first pixel that counts in each of the outputs begin + kept,
#   weight int32 (2, side, count): of that and the following pixels, 0 where there is no such output
#   divisor int32 (2, 1, 1): what sums of weighted pixels are divided by
_PLACES = """
<domain: "$domain", opset_import: ["" : 20]>
weights (length, out, begin, kept) => (first, weight, divisor)
{
    zero = Constant<value = int32 {0}>()
    one = Constant<value = int32 {1}>()
    two = Constant<value = int32 {2}>()
    axis1 = Constant<value = int64[1] {1}>()
    axis2 = Constant<value = int64[1] {2}>()
    both = Constant<value = int64[2] {1, 2}>()
    whole_length = Cast<to = 6>(length)
    whole_out = Cast<to = 6>(out)
    pixels = Unsqueeze(whole_length, both)
    outputs = Unsqueeze(whole_out, both)
    larger = Max(pixels, outputs)
    half = Mul(larger, two)
    support = Constant<value = int32 {$support}>()
    digit = Constant<value = int32 {$digit}>()
    farthest = Mul(half, support)
    all = ReduceMax<keepdims = 0>(whole_out)
    i = Range(zero, all, one)
    output = Unsqueeze(i, axis1)
    i2 = Mul(output, two)
    i21 = Add(i2, one)
    centre = Mul(i21, pixels)
    low = Sub(centre, farthest)
    step = Mul(outputs, two)
    nearly = Div(low, step)
    firsts = Max(nearly, zero)
    wide = Add(farthest, outputs)
    wider = Sub(wide, one)
    fewer = Div(wider, outputs)
    counts = Add(fewer, one)
    count = ReduceMax<keepdims = 0>(counts)
    steps = Range(zero, count, one)
    taps = Add(firsts, steps)
    j2 = Mul(taps, two)
    j21 = Add(j2, one)
    place = Mul(j21, outputs)
    apart = Sub(place, centre)
    away = Abs(apart)
    in_picture = Less(taps, pixels)
    in_output = Less(output, outputs)
    inside = And(in_picture, in_output)"""

# a triangle: D - n, where n = |(2j + 1) out - (2i + 1) length| and D = 2 larger
_TRIANGLE = """
    rest = Sub(half, away)
    reach = Max(rest, zero)
    r2_0 = Where(inside, reach, zero)
    f0 = Mul(r2_0, zero)
    sum = ReduceSum<keepdims = 1>(r2_0, axis2)
    t2 = Max(sum, one)"""
_SHORT_STEP = """
    s${n} = Mul(r2_${p}, digit)
    digit${n} = Div(s${n}, t2)
    e${n} = Mul(digit${n}, t2)
    r2_${n} = Sub(s${n}, e${n})"""
_SHORT_END = """
    under = Less(r2_${n}, zero)
    over = GreaterOrEqual(r2_${n}, t2)
    sign = Identity(one)"""

# Keys' cubic with a = -1/2, times 2 D^3: (D - n) (2 D^2 + 2 D n - 3 n^2) up to D, and
# -(n - D) (2 D - n)^2 up to 2 D; both multiplied by a power of two that makes D large, so that a
# total's highest limb alone tells a digit of the quotient to within one
_CUBE = """
    limb = Constant<value = int32 {$limb}>()
    three = Constant<value = int32 {3}>()
    minus = Constant<value = int32 {-1}>()
    units = Constant<value = int32[1, 1, 14] {$units}>()
    small = Constant<value = int32 {16384}>()
    enlarged = Mul(half, units)
    is_small = Less(enlarged, small)
    taken = Where(is_small, units, one)
    unit = ReduceMax<keepdims = 1>(taken, axis2)
    d = Mul(half, unit)
    within = Min(away, farthest)
    n = Mul(within, unit)
    near = Less(n, d)
    d2 = Mul(d, two)
    n3 = Mul(n, three)
    slope = Sub(d2, n3)
    bent = Mul(n, slope)
    dd2 = Mul(d2, d)
    near_square = Add(dd2, bent)
    left = Sub(d2, n)
    far_square = Mul(left, left)
    square = Where(near, near_square, far_square)
    from_d = Sub(d, n)
    far = Abs(from_d)
    factor = Where(inside, far, zero)
    sign = Where(near, one, minus)
    q1 = Div(square, limb)
    q1_back = Mul(q1, limb)
    q0 = Sub(square, q1_back)
    p1 = Mul(factor, q1)
    p0 = Mul(factor, q0)
    none = Mul(p0, zero)
    r2_0, r1_0, r0_0 = $domain.carried(none, p1, p0)
    f0 = Identity(none)
    signed2 = Mul(r2_0, sign)
    signed1 = Mul(r1_0, sign)
    signed0 = Mul(r0_0, sign)
    sum2 = ReduceSum<keepdims = 1>(signed2, axis2)
    sum1 = ReduceSum<keepdims = 1>(signed1, axis2)
    sum0 = ReduceSum<keepdims = 1>(signed0, axis2)
    total2, t1, t0 = $domain.carried(sum2, sum1, sum0)
    t2 = Max(total2, one)
    carry_digit = Constant<value = int32 {$carried_digit}>()"""
_LONG_STEP = """
    s2_${n} = Mul(r2_${p}, digit)
    s1_${n} = Mul(r1_${p}, digit)
    s0_${n} = Mul(r0_${p}, digit)
    carry${n} = Div(r1_${p}, carry_digit)
    tried${n} = Add(s2_${n}, carry${n})
    digit${n} = Div(tried${n}, t2)
    e2_${n} = Mul(digit${n}, t2)
    e1_${n} = Mul(digit${n}, t1)
    e0_${n} = Mul(digit${n}, t0)
    u2_${n} = Sub(s2_${n}, e2_${n})
    u1_${n} = Sub(s1_${n}, e1_${n})
    u0_${n} = Sub(s0_${n}, e0_${n})
    r2_${n}, r1_${n}, r0_${n} = $domain.carried(u2_${n}, u1_${n}, u0_${n})"""
_LONG_END = """
    under = $domain.negative(r2_${n}, r1_${n}, r0_${n})
    v2 = Sub(r2_${n}, t2)
    v1 = Sub(r1_${n}, t1)
    v0 = Sub(r0_${n}, t0)
    w2, w1, w0 = $domain.carried(v2, v1, v0)
    short = $domain.negative(w2, w1, w0)
    over = Not(short)"""
_LIMBS = """
<domain: "$domain", opset_import: ["" : 20]>
carried (a2, a1, a0) => (b2, b1, b0)
{
    limb = Constant<value = int32 {$limb}>()
    c0 = Div(a0, limb)
    c0_back = Mul(c0, limb)
    b0 = Sub(a0, c0_back)
    c = Add(a1, c0)
    c1 = Div(c, limb)
    c1_back = Mul(c1, limb)
    b1 = Sub(c, c1_back)
    b2 = Add(a2, c1)
}
<domain: "$domain", opset_import: ["" : 20]>
negative (a2, a1, a0) => (result)
{
    zero = Constant<value = int32 {0}>()
    no2 = Equal(a2, zero)
    no1 = Equal(a1, zero)
    lower = Where(no1, a0, a1)
    first = Where(no2, lower, a2)
    result = Less(first, zero)
}
"""

_DIGIT = """
    g${n} = Mul(f${p}, digit)
    f${n} = Add(g${n}, digit${n})"""

# a digit may be one off where an engine divides in float32, or only the highest limb is divided:
# the next puts that right, and this the last
_ROUNDED = """
    less = Cast<to = 6>(under)
    more = Cast<to = 6>(over)
    fewest = Sub(f${n}, less)
    share = Add(fewest, more)
    places = Constant<value = int32 {$places}>()
    bound = Constant<value = int32 {32768}>()
    tried = Constant<value = int32[$tries] {$tried}>()
    powers = Constant<value = int32[$bits] {$powers}>()
    signed_share = Mul(share, sign)
    top = ReduceMax<keepdims = 0>(signed_share, both)
    largest = Unsqueeze(top, both)
    cut = Div(largest, tried)
    cut1 = Add(cut, one)
    rounded = Div(cut1, two)
    fits = Less(rounded, bound)
    fits1 = Cast<to = 6>(fits)
    precision = ReduceSum<keepdims = 1>(fits1, axis2)
    divisor = Gather(powers, precision)
    beyond = Sub(places, precision)
    drop = Gather(powers, beyond)
    part = Div(share, drop)
    part1 = Add(part, one)
    whole = Div(part1, two)
    weights = Mul(whole, sign)
    nothing = Constant<value = int64[1] {0}>()
    begins = Unsqueeze(begin, axis1)
    outs = Unsqueeze(out, axis1)
    asked = Add(kept, begins)
    final = Sub(outs, axis1)
    below = Min(asked, final)
    there = Max(below, nothing)
    exists = Equal(asked, there)
    exist = Unsqueeze(exists, axis2)
    index = Unsqueeze(there, axis2)
    first1 = GatherND<batch_dims = 1>(firsts, index)
    first2 = Squeeze(first1, axis2)
    first = Cast<to = 7>(first2)
    chosen = GatherND<batch_dims = 1>(weights, index)
    weight = Where(exist, chosen, zero)
}
"""

# weight int32 (2, side, count), local int64 (2, side, count): places; width int64 (1,) ->
#   uint8 (2, 2, side, width): the high and the low bytes of the weights at their places
_MATRICES = """
<domain: "$domain", opset_import: ["" : 20]>
matrices (weight, local, width) => (bytes)
{
    base = Constant<value = int32 {256}>()
    zero = Constant<value = int32 {$zero_weight}>()
    none = Constant<value = int64[1] {0}>()
    raised = Add(weight, zero)
    tops = Div(raised, base)
    tops1 = Mul(tops, base)
    rest = Sub(raised, tops1)
    top = Unsqueeze(tops, none)
    end = Unsqueeze(rest, none)
    both = Concat<axis = 0>(top, end)
    values = Cast<to = 2>(both)
    place = Unsqueeze(local, none)
    places = Concat<axis = 0>(place, place)
    lead = Shape<start = 0, end = 3>(values)
    shape = Concat<axis = 0>(lead, width)
    zeros = ConstantOfShape<value = uint8[1] {$zero_byte}>(shape)
    bytes = ScatterElements<axis = 3>(zeros, places, values)
}
"""

# sums int32 (2, ...) with the high and the low bytes -> int32 (...), 0..255: the level nearest to
# (256 high + low) / divisor, from parts that are all below 2^24. The two are split first:
# OpenVINO makes a division that follows a product part of it, and then rounds where it should cut
_LEVEL = """
<domain: "$domain", opset_import: ["" : 20]>
level (sums, divisor) => (result)
{
    zero = Constant<value = int32 {0}>()
    two = Constant<value = int32 {2}>()
    white = Constant<value = int32 {255}>()
    base = Constant<value = int32 {256}>()
    lift = Constant<value = int32 {8388608}>()
    lifted = Constant<value = int32 {32768}>()
    none = Constant<value = int64[1] {0}>()
    high, low = Split<axis = 0, num_outputs = 2>(sums)
    positive = Add(low, lift)
    carried = Div(positive, base)
    over = Div(divisor, base)
    half = Div(over, two)
    extra = Sub(half, lifted)
    carry = Add(carried, extra)
    sum = Add(high, carry)
    nearest = Div(sum, over)
    least = Max(nearest, zero)
    most = Min(least, white)
    result = Squeeze(most, none)
}
"""


def functions(interpolation: str) -> str:
    """The functions weights, matrices and level, and those that they call, as ONNX text."""
    if interpolation == "bilinear":
        support, digit, start, step, end = 1, 4, _TRIANGLE, _SHORT_STEP, _SHORT_END
    else:
        support, digit, start, step, end = 2, 8, _CUBE, _LONG_STEP, _LONG_END
    number = BITS // digit
    steps = [Template(step + _DIGIT).safe_substitute(n=n, p=n - 1) for n in range(1, number + 1)]
    text = "".join([_PLACES, start, *steps, end, _ROUNDED, _LIMBS, _MATRICES, _LEVEL])
    return Template(text).substitute(
        domain=DOMAIN,
        n=number,
        support=support,
        digit=2**digit,
        limb=LIMB,
        carried_digit=LIMB // 2**digit,
        units=_powers(range(14)),
        tries=len(_TRIED),
        tried=_powers(BITS - 1 - places for places in _TRIED),
        places=BITS - 1,
        bits=BITS,
        powers=_powers(range(BITS)),
        zero_byte=ZERO_BYTE,
        zero_weight=257 * ZERO_BYTE,
    )


def _powers(exponents) -> str:
    return ", ".join(str(2**exponent) for exponent in exponents)


def longest(interpolation: str, content: int) -> int:
    """Pixels of a side that is scaled to `content`, up to which numbers fit in 32 bits and the sums
    of weights in the 24 with which OpenVINO makes them.
    """
    if interpolation == "bilinear":
        return min(65_535, int(2800 * math.sqrt(content)))
    return min(15_000, 100 * content)


def tiles(side: int) -> list[tuple[int, int]]:
    """Where each tile of a field's side begins and ends."""
    number = -(-side // TILE)
    edges = [side * n // number for n in range(number + 1)]
    return list(pairwise(edges))
