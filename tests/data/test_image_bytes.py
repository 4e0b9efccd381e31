"""A file's bytes are read like the file, refused for the same reasons, and without torch."""

import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from convatlas import data
from convatlas.data.image_file import read_image, read_pixels
from convatlas.errors import DataError

RAMP = (np.arange(24).reshape(4, 6) * 10).astype(np.uint8)


def encoded(form: str, values: np.ndarray = RAMP, **how) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, form, **how)
    return file.getvalue()


TEXT = b"P2\n3 2\n7\n0 1 2 3 4 7\n"
READ = {
    "png": encoded("PNG"),
    "jpeg": encoded("JPEG"),
    "tiff": encoded("TIFF"),
    "webp": encoded("WEBP", np.stack([RAMP] * 3, 2), lossless=True),
    "jpeg 2000": encoded("JPEG2000"),
    "16 bits": encoded("PNG", RAMP.astype(np.uint16) * 257),
    "text": TEXT,
}
REFUSED = {
    "empty": b"",
    "text": b"no picture",
    "page": b"<!doctype html><p>404",
    "cut": READ["png"][:-20],
    "cut jpeg 2000": READ["jpeg 2000"][:-9],
    "cut text": TEXT[:-6],
    "header without end": b"P5 " + b"#" * 5000,
    "damaged gif": b"GIF89a" + b"\xff" * 20,
}


@pytest.mark.parametrize("kind", READ)
def test_bytes_are_read_as_the_file_is(kind, tmp_path):
    (tmp_path / "picture").write_bytes(READ[kind])
    pixels = read_pixels(READ[kind])
    assert pixels.dtype == np.uint8
    np.testing.assert_array_equal(pixels, read_image(tmp_path / "picture").numpy())


@pytest.mark.parametrize("kind", REFUSED)
def test_bytes_are_refused_as_the_file_is(kind, tmp_path):
    (tmp_path / "picture").write_bytes(REFUSED[kind])
    with pytest.raises(DataError) as of_file:
        read_image(tmp_path / "picture")
    with pytest.raises(DataError) as of_bytes:
        read_pixels(REFUSED[kind])
    what = of_file.value.reason.split(";")[0]
    assert of_bytes.value.reason.split(";")[0] == what
    assert str(of_bytes.value).startswith(f"the image {what}")


def test_the_limit_and_white_hold_for_bytes():
    with pytest.raises(DataError, match="more than the limit of 1e-05 megapixels"):
        read_pixels(READ["png"], max_megapixels=1e-5)
    twelve_bits = encoded("PNG", np.full((2, 2), 4095, np.uint16))
    assert (read_pixels(twelve_bits, white=4095) == 255).all()


def test_a_picture_is_read_without_torch():
    program = (
        "import sys; from convatlas.data.image_file import read_pixels; "
        "print(read_pixels(sys.stdin.buffer.read()).shape, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], input=READ["png"], capture_output=True)
    assert done.stdout.decode().split("\n")[0] == "(1, 4, 6) False", done.stderr.decode()


def test_every_public_name_has_a_home():
    assert sorted(data._HOMES) == sorted(data.__all__)
    assert all(getattr(data, name) is not None for name in data.__all__)
