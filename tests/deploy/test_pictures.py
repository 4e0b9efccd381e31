"""Preprocessing inside a file gives, for every picture, the bits that `Preprocess` gives."""

import functools
import io

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from convatlas.data import Preprocess
from convatlas.deploy.measured_pictures import MeasuredPictures
from convatlas.deploy.picture_module import Pictures
from convatlas.deploy.sample_pictures import COUNT, sample_batches
from convatlas.deploy.scaling_graph import longest

IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PREPARED = {
    "shorter side": Preprocess(3, 224, *IMAGENET, "resize", 256),
    "square": Preprocess(3, 32, *IMAGENET, "resize", 32),
    "grey field": Preprocess(1, 32, (0.13,), (0.31,), "pad", 28),
    "colour field": Preprocess(3, 32, *IMAGENET, "pad", 32),
    "whole": Preprocess(3, 64, *IMAGENET, "whole", 73),
    "whole, as large as the field": Preprocess(3, 64, *IMAGENET, "whole", 64),
    "squashed": Preprocess(3, 64, *IMAGENET, "squash", 69),
    "squashed to the field": Preprocess(1, 64, (0.13,), (0.31,), "squash", 64),
}
PREPARED |= {
    f"bicubic {fit} {content}": Preprocess(3, 64, *IMAGENET, fit, content, interpolation="bicubic")
    for fit, content in (("pad", 60), ("resize", 64), ("resize", 73), ("whole", 64), ("squash", 69))
}
SIZES = [  # pictures, height, width, channels: larger, smaller, equal, odd, strips, grey, colour
    (2, 150, 200, 3),
    (1, 201, 150, 1),
    (3, 8, 8, 1),
    (1, 28, 28, 3),
    (1, 31, 25, 3),
    (1, 29, 24, 3),
    (1, 23, 100, 1),
    (1, 225, 301, 3),
    (1, 56, 5, 3),  # 2.5 pixels of 28, and 2 is even
    (1, 20, 18, 3),  # less than 3/4 of 32
]
STRIPS = [(1, 300, 12, 3), (1, 1, 7, 3), (1, 1, 1000, 1), (2, 300, 4, 3), (1, 1, 1, 3)]
prepared = pytest.mark.parametrize("prep", PREPARED.values(), ids=PREPARED)


def noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def expected(prep: Preprocess, pictures: np.ndarray) -> np.ndarray:
    planes = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
    return prep.normalise(prep.fit_images(planes)).numpy()


def in_onnx_runtime(prep: Preprocess):
    """The graph of it, as a function of pictures."""
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    ort = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    from convatlas.deploy.picture_graph import picture_graph

    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    content = picture_graph(prep).SerializeToString()
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return lambda pictures: session.run(None, {"pictures": pictures})[0]


def in_openvino(prep: Preprocess, precision: str | None):
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    ov = pytest.importorskip("openvino", reason="the extra openvino is not installed")
    from convatlas.deploy.openvino_cpu import compiled
    from convatlas.deploy.picture_graph import picture_graph

    settings = {"INFERENCE_NUM_THREADS": 1}
    if precision:
        settings["INFERENCE_PRECISION_HINT"] = precision
    model = ov.convert_model(io.BytesIO(picture_graph(prep).SerializeToString()))
    network = compiled(ov, model, settings)
    return lambda pictures: network(pictures)[0]


ENGINES = {
    "onnx runtime": in_onnx_runtime,
    "openvino": lambda prep: in_openvino(prep, None),
    "openvino in f32": lambda prep: in_openvino(prep, "f32"),
}


@functools.cache
def opened(prep: Preprocess, engine: str):
    """Made once for all tests."""
    return ENGINES[engine](prep)


def require_the_same(prep: Preprocess, engine: str, pictures: np.ndarray):
    found = opened(prep, engine)(pictures)
    wanted = expected(prep, pictures)
    np.testing.assert_allclose(found, wanted, atol=2e-6, err_msg=str(pictures.shape))


CASES = [(prep, engine) for prep in PREPARED for engine in ("onnx runtime", "openvino")]
CASES += [("grey field", "openvino in f32"), ("bicubic whole 64", "openvino in f32")]


@pytest.mark.parametrize(("prep", "engine"), CASES)
def test_the_graph_gives_the_same_input_in_every_engine(prep, engine):
    for shape in SIZES + STRIPS:
        require_the_same(PREPARED[prep], engine, noise(shape))


@pytest.mark.parametrize("engine", ["onnx runtime", "openvino"])
@settings(max_examples=80, deadline=None)
@given(
    prep=st.sampled_from([*PREPARED]),
    size=st.tuples(*[st.integers(1, 400)] * 2),
    channels=st.sampled_from((1, 3)),
)
def test_no_size_is_an_exception(engine, prep, size, channels):
    require_the_same(PREPARED[prep], engine, noise((1, *size, channels)))


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
@pytest.mark.parametrize("engine", ENGINES)
def test_large_pictures_are_scaled_to_the_bit(engine, interpolation):
    """A total of weights that needs more than 32 bits, and sums of more than 2^24."""
    prep = Preprocess(3, 40, *IMAGENET, "whole", 40, interpolation=interpolation)
    for shape in ((1, 1500, 1601, 3), (1, 37, 3000, 1)):
        require_the_same(prep, engine, np.maximum(noise(shape), 200))


@pytest.mark.parametrize("prep", ["squashed to the field", "bicubic squash 69"])
@pytest.mark.parametrize("engine", ["onnx runtime", "openvino"])
def test_the_longest_pictures_that_are_not_refused(engine, prep):
    prep = PREPARED[prep]
    length = longest(prep.interpolation, prep.content)
    require_the_same(prep, engine, noise((1, length, 12, 1)))


@prepared
@pytest.mark.parametrize("kind", [Pictures, MeasuredPictures])
def test_the_modules_for_torch_export_give_the_same_input(prep, kind):
    module = kind(prep, torch.nn.Identity()).exported().module()
    for shape in SIZES + STRIPS:
        pictures = noise(shape)
        found = module(torch.from_numpy(pictures)).numpy()
        np.testing.assert_allclose(found, expected(prep, pictures), atol=2e-6, err_msg=str(shape))


def test_pictures_that_scaling_makes_one_pixel_high_pass_through_a_saved_file(tmp_path):
    prep = PREPARED["grey field"]
    program = Pictures(prep, torch.nn.Identity()).exported()
    torch.export.save(program, tmp_path / "pictures.pt2")
    module = torch.export.load(tmp_path / "pictures.pt2").module()
    for shape in STRIPS:
        pictures = noise(shape)
        found = module(torch.from_numpy(pictures)).numpy()
        np.testing.assert_allclose(found, expected(prep, pictures), atol=2e-6, err_msg=str(shape))


def test_the_built_in_pictures_are_the_same_each_time_and_no_two_alike():
    first, second = ([*sample_batches()] for _ in range(2))
    assert sum(len(batch) for batch in first) == COUNT == 64
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    seen = {picture.tobytes() for batch in first for picture in batch}
    assert len(seen) == 64
    assert all(picture.std() > 10 for batch in first for picture in batch)
