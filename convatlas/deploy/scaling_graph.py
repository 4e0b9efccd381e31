"""Pillow's and torch's antialiased scaling of pictures of 8 bits, in whole numbers only, as a
function of ONNX's standard operators.

ONNX's own Resize cannot be taken: on such pictures ONNX Runtime's differs from torch's by up to 13
levels at single pixels, and OpenVINO leaves its `antialias` out without a word. This form gives the
bits of torch's interpolate(mode="bilinear", antialias=True), in every engine: nothing here is a
float, so no engine can round it, or hold it in bfloat16, in its own way.

torch scales one axis after the other, the horizontal one first, and rounds to 8 bits after each.
The weight of pixel j in output i is a triangle around i's centre, (2 larger - |(2j + 1) out -
(2i + 1) length|) over the sum of these; torch rounds it to 16 bits, with as many binary places as
the largest weight of the axis leaves room for, 22 at most. The quotient is found by long division,
four bits at a time, since some engines count in 32 bits whatever is asked.
"""

DOMAIN = "convatlas"
BITS = 24  # binary places of the quotients; more than the 23 that rounding to 22 needs
DIGIT = 16  # of the long division: a remainder times 16 must fit in 31 bits

_STEP = """
    s{n} = Mul(r{p}, digit)
    d{n} = Div(s{n}, total)
    e{n} = Mul(d{n}, total)
    r{n} = Sub(s{n}, e{n})
    g{n} = Mul(f{p}, digit)
    f{n} = Add(g{n}, d{n})"""
_DIVISION = "".join(_STEP.format(n=n, p=n - 1) for n in range(1, BITS // 4 + 1))
_TRIED = list(range(1, 23))
_POWERS = ", ".join(str(2 ** (BITS - 1 - places)) for places in _TRIED)
_ALL_POWERS = ", ".join(str(2**n) for n in range(BITS))

# pixels int32 (A, length, B) of 0..255, size int64 (1,) -> int32 (A, size, B)
SCALED = f"""
<domain: "{DOMAIN}", opset_import: ["" : 20]>
scaled (pixels, size) => (result)
{{
    zero = Constant<value = int32 {{0}}>()
    one = Constant<value = int32 {{1}}>()
    two = Constant<value = int32 {{2}}>()
    digit = Constant<value = int32 {{{DIGIT}}}>()
    white = Constant<value = int32 {{255}}>()
    places = Constant<value = int32 {{{BITS - 1}}}>()
    bound = Constant<value = int32 {{{2**15}}}>()
    tried = Constant<value = int32[{len(_TRIED)}] {{{_POWERS}}}>()
    powers = Constant<value = int32[{BITS}] {{{_ALL_POWERS}}}>()
    axis0 = Constant<value = int64[1] {{0}}>()
    axis1 = Constant<value = int64[1] {{1}}>()
    axis2 = Constant<value = int64[1] {{2}}>()
    long = Shape<start = 1, end = 2>(pixels)
    length1 = Cast<to = 6>(long)
    length = Squeeze(length1, axis0)
    out1 = Cast<to = 6>(size)
    out = Squeeze(out1, axis0)
    larger = Max(length, out)
    half = Mul(larger, two)
    i = Range(zero, out, one)
    i2 = Mul(i, two)
    i21 = Add(i2, one)
    centres = Mul(i21, length)
    centre = Unsqueeze(centres, axis1)
    low = Sub(centre, half)
    out2 = Mul(out, two)
    nearly = Div(low, out2)
    first = Max(nearly, zero)
    wide = Add(half, out)
    wider = Sub(wide, one)
    fewer = Div(wider, out)
    count = Add(fewer, one)
    steps = Range(zero, count, one)
    taps = Add(first, steps)
    j2 = Mul(taps, two)
    j21 = Add(j2, one)
    place = Mul(j21, out)
    apart = Sub(place, centre)
    away = Abs(apart)
    rest = Sub(half, away)
    reach = Max(rest, zero)
    inside = Less(taps, length)
    r0 = Where(inside, reach, zero)
    f0 = Mul(r0, zero)
    total = ReduceSum<keepdims = 1>(r0, axis1)
    {_DIVISION}
    largest = ReduceMax<keepdims = 0>(f{BITS // 4})
    cut = Div(largest, tried)
    cut1 = Add(cut, one)
    rounded = Div(cut1, two)
    fits = Less(rounded, bound)
    fits1 = Cast<to = 6>(fits)
    precision = ReduceSum<keepdims = 0>(fits1)
    beyond = Sub(places, precision)
    divisor = Gather(powers, beyond)
    kept = Div(f{BITS // 4}, divisor)
    kept1 = Add(kept, one)
    weights = Div(kept1, two)
    weight = Unsqueeze(weights, axis2)
    last = Sub(length, one)
    index = Min(taps, last)
    seen = Gather<axis = 1>(pixels, index)
    weighed = Mul(seen, weight)
    summed = ReduceSum<keepdims = 0>(weighed, axis2)
    scale = Gather(powers, precision)
    halfway = Div(scale, two)
    raised = Add(summed, halfway)
    level = Div(raised, scale)
    result = Min(level, white)
}}
"""
