"""Preprocessing inside a file gives, for every picture, the bits that `Preprocess` gives."""

import numpy as np
import pytest
import torch

from convatlas.data import Preprocess
from convatlas.deploy.picture_module import Pictures
from convatlas.deploy.sample_pictures import COUNT, sample_batches
from convatlas.errors import ExportError

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
BICUBIC = {
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
]
STRIPS = [(1, 300, 12, 3), (1, 1, 7, 3), (1, 1, 1000, 1)]
prepared = pytest.mark.parametrize("prep", PREPARED.values(), ids=PREPARED)
all_prepared = pytest.mark.parametrize(
    "prep", [*PREPARED.values(), *BICUBIC.values()], ids=[*PREPARED, *BICUBIC]
)


def noise(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def expected(prep: Preprocess, pictures: np.ndarray) -> np.ndarray:
    planes = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
    return prep.normalise(prep.fit_images(planes)).numpy()


@prepared
def test_the_graph_for_onnx_runtime_gives_the_same_input(prep):
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    ort = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")
    from convatlas.deploy.picture_graph import picture_graph

    options = ort.SessionOptions()
    options.log_severity_level = 3
    content = picture_graph(prep).SerializeToString()
    session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    for shape in SIZES + STRIPS:
        pictures = noise(shape)
        found = session.run(None, {"pictures": pictures})[0]
        np.testing.assert_allclose(found, expected(prep, pictures), atol=2e-6, err_msg=str(shape))


def test_the_graph_refuses_bicubic_pictures_by_name():
    pytest.importorskip("onnx", reason="the extra onnx is not installed")
    from convatlas.deploy.picture_graph import picture_graph

    for prep in BICUBIC.values():
        with pytest.raises(ExportError, match=r"takes bicubic pictures.*--to pt2"):
            picture_graph(prep)


@all_prepared
def test_the_module_for_torch_export_gives_the_same_input(prep):
    module = Pictures(prep, torch.nn.Identity()).exported().module()
    for shape in SIZES:
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
