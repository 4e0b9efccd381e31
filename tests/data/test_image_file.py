"""Reading images: every kind that cameras and scanners make, and every kind that breaks other
loaders.
"""

import os
import struct
import warnings
import zlib

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from convatlas.data import read_image
from convatlas.data.image_file import read_header
from convatlas.errors import DataError

RAMP = (np.arange(24).reshape(4, 6) * 10).astype(np.uint8)  # 4 high, 6 wide
COLOUR = np.stack([RAMP, 255 - RAMP, np.full_like(RAMP, 77)], axis=2)


def saved(tmp_path, image: Image.Image, name: str, **how):
    image.save(tmp_path / name, **how)
    return tmp_path / name


def refusal(path) -> str:
    with pytest.raises(DataError) as caught:
        read_image(path)
    message = str(caught.value)
    assert repr(str(path)) in message
    assert "\n" not in message
    assert caught.value.__cause__ is None
    return message.replace(str(path), "")


@pytest.mark.parametrize("name", ["a.png", "a.bmp", "a.gif", "a.tif", "a.webp"])
def test_grey_and_colour_are_read_exactly(tmp_path, name):
    has_grey = not name.endswith(("webp", "gif"))  # WebP and GIF store colours alone
    lossless = {"lossless": True} if name.endswith("webp") else {}
    grey = read_image(saved(tmp_path, Image.fromarray(RAMP), name, **lossless))
    assert torch.equal(grey, torch.from_numpy(RAMP).expand(1 if has_grey else 3, -1, -1))
    assert read_header(tmp_path / name) == (has_grey, 4, 6)
    if not name.endswith("gif"):  # and GIF 256 of them
        colour = read_image(saved(tmp_path, Image.fromarray(COLOUR), name, **lossless))
        assert colour.dtype == torch.uint8
        assert torch.equal(colour, torch.from_numpy(COLOUR).permute(2, 0, 1))


def test_jpeg_grey_and_colour(tmp_path):
    flat = np.full((16, 16), 100, np.uint8)
    assert read_image(saved(tmp_path, Image.fromarray(flat), "a.jpg")).tolist() == [
        [[100] * 16] * 16
    ]
    colour = read_image(
        saved(tmp_path, Image.new("RGB", (16, 16), (200, 30, 90)), "b.JPG", quality=95)
    )
    assert (colour.float().mean((1, 2)) - torch.tensor([200.0, 30.0, 90.0])).abs().max() <= 2


def test_extension_does_not_matter(tmp_path):
    path = saved(tmp_path, Image.fromarray(RAMP), "a.png").rename(tmp_path / "a.jpg")
    assert torch.equal(read_image(path)[0], torch.from_numpy(RAMP))


def test_one_bit(tmp_path):
    bits = RAMP > 100
    assert torch.equal(
        read_image(saved(tmp_path, Image.fromarray(bits), "a.png"))[0],
        torch.from_numpy(bits).to(torch.uint8) * 255,
    )


def test_sixteen_bit_grey_is_scaled(tmp_path):
    values = np.array([[0, 128, 129, 257, 32768, 65407, 65535]], np.uint16)
    for name in ("a.png", "a.tif"):
        image = read_image(saved(tmp_path, Image.fromarray(values), name))
        assert image.tolist() == [[[0, 0, 1, 1, 128, 255, 255]]]


def test_cmyk_and_palette_become_rgb(tmp_path):
    cmyk = read_image(
        saved(
            tmp_path, Image.new("RGB", (16, 16), (255, 0, 0)).convert("CMYK"), "a.jpg", quality=95
        )
    )
    assert cmyk.shape[0] == 3
    assert cmyk[0].min() > 240
    assert cmyk[1:].max() < 15
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    assert read_image(saved(tmp_path, palette, "b.png")).flatten(1).T.tolist() == [
        [10, 20, 30],
        [40, 50, 60],
    ]


def test_transparency_shows_white(tmp_path):
    rgba = np.array([[[10, 20, 30, 255], [10, 20, 30, 0], [0, 100, 255, 128]]], np.uint8)
    expected = [[10, 20, 30], [255, 255, 255], [127, 177, 255]]
    for name in ("a.png", "a.tif"):
        assert (
            read_image(saved(tmp_path, Image.fromarray(rgba), name)).flatten(1).T.tolist()
            == expected
        )
    grey = np.array([[[50, 255], [50, 0]]], np.uint8)
    assert read_image(saved(tmp_path, Image.fromarray(grey, "LA"), "b.png")).tolist() == [
        [[50, 255]]
    ]
    palette = Image.new("P", (1, 1))
    palette.putpalette([10, 20, 30])
    assert (
        read_image(saved(tmp_path, palette, "c.png", transparency=0)).flatten().tolist()
        == [255] * 3
    )
    assert read_image(
        saved(tmp_path, Image.new("L", (1, 1), 9), "d.png", transparency=9)
    ).flatten().tolist() == [255]


def test_of_an_animation_the_first_frame_is_taken(tmp_path):
    frames = [Image.new("RGB", (3, 2), colour) for colour in ("red", "blue")]
    for name in ("a.gif", "a.webp", "a.tif"):
        more = {"lossless": True} if name.endswith("webp") else {}
        path = saved(tmp_path, frames[0], name, save_all=True, append_images=frames[1:], **more)
        assert read_image(path).float().mean((1, 2)).tolist() == [255, 0, 0]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(tmp_path, orientation):
    """Stored turned as the tag says; read upright. The turns are written out here, from the EXIF
    2.3 table.
    """
    turned = {
        1: RAMP,
        2: RAMP[:, ::-1],
        3: RAMP[::-1, ::-1],
        4: RAMP[::-1],
        5: RAMP.T,
        6: RAMP.T[::-1],
        7: RAMP.T[::-1, ::-1],
        8: RAMP.T[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    for name in ("a.png", "a.tif"):
        path = saved(tmp_path, Image.fromarray(np.ascontiguousarray(turned)), name, exif=exif)
        assert torch.equal(read_image(path)[0], torch.from_numpy(RAMP))


def test_unreadable_exif_does_not_matter(tmp_path):
    path = saved(tmp_path, Image.fromarray(RAMP), "a.png", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert torch.equal(read_image(path)[0], torch.from_numpy(RAMP))


def png_of(width: int, height: int) -> bytes:
    """A one-bit black PNG, without ever holding its pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    squeeze = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    rows = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(("width", "height"), [(8001, 8000), (10_000, 9_500), (20_000, 20_000)])
def test_bombs_are_refused_before_decoding(tmp_path, monkeypatch, width, height):
    loaded = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: loaded.append(self))
    (tmp_path / "bomb.png").write_bytes(png_of(width, height))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "64 megapixels; make it smaller" in refusal(tmp_path / "bomb.png")
    assert not loaded


def test_sixty_four_megapixels_are_not_a_bomb(tmp_path):
    (tmp_path / "large.png").write_bytes(png_of(8000, 8000))
    assert read_header(tmp_path / "large.png") == (True, 8000, 8000)


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp", "a.gif", "a.tif"])
def test_half_a_file(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    path = saved(tmp_path, Image.fromarray(noise), name)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    message = refusal(path)
    assert "copy it again or delete it" in message or "none of the formats" in message


def test_jpeg_without_its_last_two_bytes(tmp_path):
    path = saved(tmp_path, Image.fromarray(COLOUR), "a.jpg")
    path.write_bytes(path.read_bytes()[:-2])
    assert "is cut short; copy it again or delete it" in refusal(path)


def test_what_is_no_image(tmp_path):
    for content, reason in (
        (b"", "is empty (0 bytes)"),
        (b"\n<!DOCTYPE html><title>404</title>", "is a web page (HTML)"),
        (b"<html>", "is a web page (HTML)"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "none of the formats"),
        (b"P7 1 1 255 a", "none of the formats"),
        (os.urandom(300), "none of the formats"),
    ):
        (tmp_path / "a.jpg").write_bytes(content)
        assert reason in refusal(tmp_path / "a.jpg")


def test_what_is_no_file(tmp_path):
    assert "does not exist" in refusal(tmp_path / "none.png")
    assert "is not a file" in refusal(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    assert "is not a file" in refusal(tmp_path / "pipe.png")
    (tmp_path / "dead.png").symlink_to(tmp_path / "gone.png")
    assert "is a link to nothing" in refusal(tmp_path / "dead.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    path = saved(tmp_path, Image.fromarray(RAMP), "a.png")
    path.chmod(0)
    assert "change its permissions" in refusal(path)


@pytest.mark.parametrize("name", ["ü 猫.png", "new\nline.png", "<script>.png", "x" * 251 + ".png"])
def test_odd_names(tmp_path, name):
    assert read_image(saved(tmp_path, Image.fromarray(RAMP), name)).shape == (1, 4, 6)


def test_a_name_that_is_not_unicode(tmp_path):
    path = os.fsencode(tmp_path) + b"/\xff.png"
    with open(path, "wb") as file:
        file.write(b"no image")
    with pytest.raises(DataError) as caught:
        read_image(os.fsdecode(path))
    assert str(caught.value).encode()  # can be printed


@given(data=st.data())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_damage_gives_anything_but_a_image_or_a_sentence(tmp_path, capfd, data):
    name = data.draw(st.sampled_from(["a.jpg", "a.png", "a.webp", "a.bmp", "a.gif", "a.tif"]))
    path = saved(tmp_path, Image.fromarray(COLOUR), name)
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            image = read_image(path)
        except DataError as refused:
            image, sentence = None, str(refused)
    if image is None:
        assert repr(str(path)) in sentence
    else:
        assert (image.dtype, image.ndim) == (torch.uint8, 3)
        assert image.shape[0] in (1, 3)
    assert capfd.readouterr() == ("", "")
