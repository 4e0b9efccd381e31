"""The weights inside exported files are the exact quotients, rounded as torch rounds its own."""

import io
from fractions import Fraction

import numpy as np
import pytest

from convatlas.deploy.scaling_graph import DOMAIN, functions, longest

SUPPORT = {"bilinear": 1, "bicubic": 2}
SIZES = {  # pixels of a side, what it is scaled to; the last digit of a quotient may be one off:
    # in OpenVINO, which divides in float32, too high for (13141, 28)
    "bilinear": [(1, 5), (7, 7), (500, 64), (13_141, 28)],
    # too high for (18, 13) and (221, 2), too low for the next two
    "bicubic": [(1, 5), (7, 7), (18, 13), (221, 2), (242, 13), (100, 11), (15_000, 150)],
}
GRAPH = f"""<ir_version: 10, opset_import: ["" : 20, "{DOMAIN}" : 1]>
graph (int64[2] length, int64[2] out, int64[2] begin, int64[K] kept)
    => (int64[2, K] first, int32[2, K, C] weight, int32[2, 1, 1] divisor)
{{
    first, weight, divisor = {DOMAIN}.weights(length, out, begin, kept)
}}
"""


def in_onnx_runtime(content: bytes):
    ort = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda given: session.run(None, given)


def in_openvino(content: bytes):
    ov = pytest.importorskip("openvino", reason="the extra openvino is not installed")
    from convatlas.deploy.openvino_cpu import compiled

    network = compiled(ov, ov.convert_model(io.BytesIO(content)), {"INFERENCE_NUM_THREADS": 1})
    return lambda given: [*network(given).values()]


def exact(length: int, out: int, interpolation: str) -> tuple[int, dict]:
    """What quotients are multiplied by, and (output, pixel) -> the whole number nearest to that."""
    half, support = 2 * max(length, out), SUPPORT[interpolation]
    shares = {}
    for i in range(out):
        centre = (2 * i + 1) * length
        pixels = range(
            max(0, (centre - support * half) // (2 * out)),
            min(length, (centre + support * half) // (2 * out) + 1),
        )
        weights = {j: weight(abs((2 * j + 1) * out - centre), half, support) for j in pixels}
        total = sum(weights.values())
        shares |= {(i, j): (value, total) for j, value in weights.items()}
    largest = max(Fraction(max(v, 0), total) for v, total in shares.values())
    places = max(p for p in range(1, 23) if nearest(largest * 2**p) < 2**15)
    rounded = {at: nearest(Fraction(v * 2**places, total)) for at, (v, total) in shares.items()}
    return 2**places, {at: value for at, value in rounded.items() if value}


def weight(n: int, half: int, support: int) -> int:
    """A triangle; or Keys' cubic with a = -1/2, times 2 half^3."""
    if n >= support * half:
        return 0
    if support == 1:
        return half - n
    return (half - n) * (2 * half**2 + 2 * half * n - 3 * n**2 if n < half else (2 * half - n) ** 2)


def nearest(value: Fraction) -> int:
    """Away from zero where two are as near."""
    return int(value + Fraction(1, 2)) if value >= 0 else -nearest(-value)


@pytest.mark.parametrize("engine", [in_onnx_runtime, in_openvino])
@pytest.mark.parametrize("interpolation", SIZES)
def test_weights_are_exact_quotients_rounded(interpolation, engine):
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    from onnx import inliner, parser

    model = inliner.inline_local_functions(parser.parse_model(GRAPH + functions(interpolation)))
    run = engine(model.SerializeToString())
    for length, out in [*SIZES[interpolation], (longest(interpolation, 28), 28)]:
        sizes = {"length": np.array([length] * 2), "out": np.array([out] * 2)}
        none = np.zeros(2, np.int64)
        first, weights, divisor = run(sizes | {"begin": none, "kept": np.arange(out)})
        at = zip(*np.nonzero(weights[0]), strict=True)
        found = {(i, first[0, i] + k): weights[0, i, k] for i, k in at}
        assert (divisor[0, 0, 0], found) == exact(length, out, interpolation), (length, out)
