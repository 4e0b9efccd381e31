"""Pictures that set the scales: which are taken, how they are named, and which are refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.data import Preprocess
from convatlas.deploy import calibration, engines
from convatlas.deploy.quantising import Int8Proof, export_int8
from convatlas.errors import DataError, ExportError

COLOUR = SimpleNamespace(
    network="resnet20_cifar", preprocess=Preprocess(3, 16, (0.5,) * 3, (0.25,) * 3, "resize", 16)
)


def fill(folder, count: int, mode: str = "RGB") -> None:
    random = np.random.default_rng(0)
    folder.mkdir(exist_ok=True)
    for n in range(count):
        shape = (20, 24, 3) if mode == "RGB" else (20, 24)
        Image.fromarray(random.integers(0, 256, shape, np.uint8), mode).save(folder / f"{n}.png")


def test_a_folder_s_pictures_are_read_as_the_network_reads_them(tmp_path):
    fill(tmp_path, 20)
    found = calibration.of_folder(COLOUR, tmp_path)
    assert found.count == 20 and [len(batch) for batch in found.inputs] == [8, 8, 4]
    picture = torch.from_numpy(np.array(Image.open(tmp_path / "0.png"))).permute(2, 0, 1)
    prep = COLOUR.preprocess
    wanted = prep.normalise(prep.fit_image(picture.contiguous())[None]).numpy()
    np.testing.assert_array_equal(found.inputs[0][:1], wanted)


def test_no_more_are_taken_than_are_needed_spread_over_all(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "PICTURES", 20)
    fill(tmp_path, 40)
    found = calibration.of_folder(COLOUR, tmp_path)
    assert found.count == 20
    for n in range(1, 40, 2):
        (tmp_path / f"{n}.png").unlink()
    assert calibration.of_folder(COLOUR, tmp_path).sha256 == found.sha256


def test_the_hash_is_of_pixels(tmp_path):
    fill(tmp_path, 16)
    before = calibration.of_folder(COLOUR, tmp_path).sha256
    image = Image.open(tmp_path / "3.png").copy()
    image.save(tmp_path / "3.png", compress_level=0)
    assert calibration.of_folder(COLOUR, tmp_path).sha256 == before
    image.putpixel((0, 0), (1, 2, 3))
    image.save(tmp_path / "3.png")
    assert calibration.of_folder(COLOUR, tmp_path).sha256 != before


def test_too_few_pictures_are_counted(tmp_path):
    fill(tmp_path / "few", 15)
    with pytest.raises(
        ExportError,
        match=r"^15 pictures of few are too few to calibrate with; give a folder of at least 16, "
        r"better 200, with --calibrate$",
    ):
        calibration.of_folder(COLOUR, tmp_path / "few")


def test_an_empty_folder_and_one_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(DataError, match="holds no images"):
        calibration.of_folder(COLOUR, tmp_path)
    with pytest.raises(DataError, match="nowhere"):
        calibration.of_folder(COLOUR, tmp_path / "nowhere")


def test_a_picture_that_cannot_be_read_is_named(tmp_path):
    fill(tmp_path, 20)
    (tmp_path / "7.png").write_bytes((tmp_path / "7.png").read_bytes()[:60])
    with pytest.raises(
        ExportError, match=r"a picture for calibration cannot be read: .*7\.png.*with --calibrate$"
    ):
        calibration.of_folder(COLOUR, tmp_path)


def test_grey_pictures_do_not_calibrate_a_network_that_reads_colour(tmp_path):
    fill(tmp_path, 16, "L")
    with pytest.raises(ExportError, match="are all grey, and resnet20_cifar reads colour"):
        calibration.of_folder(COLOUR, tmp_path)
    grey = SimpleNamespace(
        network="lenet5", preprocess=Preprocess(1, 16, (0.5,), (0.25,), "resize", 16)
    )
    assert calibration.of_folder(grey, tmp_path).inputs[0].shape == (8, 1, 16, 16)


PROOF = Int8Proof(
    engine="onnxruntime",
    latency_ms={"int8": 1.0, "f32": 2.0},
    pictures=200,
    source="val pictures",
    accuracy=0.9,
    accuracy_before=0.9,
    agreement=1.0,
    error=0.1,
    calibration={},
    layers=[],
    in_float=[],
    sizes={},
)


def test_the_limits_are_half_a_point_and_97_per_cent():
    assert PROOF.holds
    one_of_200 = replace(PROOF, accuracy=179 / 200, accuracy_before=180 / 200)
    assert one_of_200.loss == pytest.approx(0.5) and one_of_200.holds
    assert not replace(PROOF, accuracy=178 / 200, accuracy_before=180 / 200).holds
    assert replace(PROOF, agreement=194 / 200).holds
    assert not replace(PROOF, agreement=193 / 200).holds
    assert replace(PROOF, accuracy=1.0).holds  # more right is no loss


def test_faster_is_faster_than_every_float_form():
    assert PROOF.faster
    assert not replace(PROOF, latency_ms={"int8": 1.0, "f32": 2.0, "bf16": 1.0}).faster


@pytest.mark.parametrize("package", ["onnx", "onnxscript", "onnxruntime"])
def test_a_missing_package_is_one_sentence_with_its_extra(package, tmp_path, monkeypatch):
    def missing(name):
        if name == package:
            raise ImportError(name)

    monkeypatch.setattr(engines, "import_module", missing)
    with pytest.raises(
        ExportError, match=rf"--int8 --to onnx needs {package}, .*'convatlas\[onnx\]'"
    ):
        export_int8(tmp_path)
