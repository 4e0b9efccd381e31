"""Which files are images: what Pillow reads is read, what lacks a decoder says so, and what is not
read has a name.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import AvifImagePlugin, Image, WebPImagePlugin, features

import convatlas
from convatlas.cli import run
from convatlas.data import (
    check_data,
    find_images,
    fit_preprocess,
    image_file,
    open_data,
    read_image,
)
from convatlas.data.image_file import EXTENSIONS, FORMATS, look_through, read_header
from convatlas.data.unread_kinds import _KINDS, kind_of
from convatlas.errors import DataError

SMOOTH = np.add.outer(np.arange(12) * 9, np.arange(18) * 8).astype(np.uint8)[..., None].repeat(3, 2)
RGB = np.random.default_rng(0).integers(0, 256, (12, 18, 3), dtype=np.uint8)
HEIF_NAMES = {".heic", ".heif", ".hif"}


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        read_image(path)
    assert repr(str(path)) in str(caught.value)
    return str(caught.value)


def test_names_and_formats_agree():
    """A file that is looked for can be read, and one that can be read is looked for."""
    known = Image.registered_extensions()
    assert {known.get(name, "HEIF") for name in EXTENSIONS} - {"HEIF", "MPO"} == set(FORMATS)
    ours = {name for name, form in known.items() if form in FORMATS}
    assert ours - EXTENSIONS <= {".apng", ".jpc"}
    assert not EXTENSIONS & set(_KINDS)


@pytest.mark.parametrize(
    ("name", "exactly", "grey_too"),
    [
        *(("a.avif", False, True), ("a.avifs", False, True)),
        *(("a.ppm", True, False), ("a.pnm", True, True), ("a.pgm", True, True)),
        *(("a.jp2", True, True), ("a.j2k", True, True), ("a.jpx", True, True)),
        *(("a.jfif", False, True), ("a.dib", True, True)),
    ],
)
def test_what_was_dropped_is_read(tmp_path, name, exactly, grey_too):
    whole = RGB if exactly else SMOOTH
    for pixels in (whole, whole[..., 0])[: 1 + grey_too]:
        Image.fromarray(pixels).save(tmp_path / name, form_of(name))
        image = read_image(tmp_path / name)
        seen = torch.from_numpy(np.atleast_3d(pixels)).permute(2, 0, 1)
        assert image.shape == seen.shape
        assert torch.equal(image, seen) if exactly else image.float().sub(seen).abs().mean() < 3
        assert read_header(tmp_path / name) == (pixels.ndim == 2, 12, 18)


def form_of(name: str) -> str:
    return Image.registered_extensions()[Path(name).suffix]


def test_bits_and_text_of_netpbm(tmp_path):
    bits = RGB[..., 0] > 99
    Image.fromarray(bits).save(tmp_path / "a.pbm")
    assert torch.equal(read_image(tmp_path / "a.pbm")[0], torch.from_numpy(bits) * 255)
    inverse = "\n# from a lecture\n".join(" ".join(map(str, row)) for row in 1 - bits.astype(int))
    texts = {
        "b.pbm": "P1\n# bits\n18 12\n" + inverse,
        "b.pgm": "P2 18 12 255\n" + " ".join(map(str, RGB[..., 0].flat)),
        "b.ppm": "P3 18 12 #size\n255\n" + " ".join(map(str, RGB.flat)),
        "deep.ppm": "P3 18 12 4095 " + " ".join(map(str, (RGB * 16.0).astype(int).flat)),
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        image = read_image(tmp_path / name).numpy()
        seen = {"b.pbm": bits * 255, "b.pgm": RGB[..., 0]}.get(name, RGB)
        assert np.abs(image.astype(int) - np.atleast_3d(seen).transpose(2, 0, 1)).max() <= (
            name == "deep.ppm"
        )


@pytest.mark.parametrize(
    "text",
    [
        *("P1 2 2 1 0 1", "P1 2 2 0 1 2 1", "P2 2 2 255 1 2 3", "P2 2 2 255 1 2 3 256"),
        *("P2 2 2 255 1 -2 3 4", "P2 2 2 255 1 x 3 4", "P2 0 2 255 1", "P2 2 2 0 1 2 3 4"),
        *("P2 2 2 70000 1 2 3 4", "P2 2 2 255 1 2 3 99999999999", "P2 2.5 2 255 1 2"),
        *("P3 1 1 255", "P2 2 2", "P5 2 2 # 2"),
    ],
)
def test_damaged_text(tmp_path, text):
    (tmp_path / "a.pnm").write_text(text)
    assert "; copy it again or delete it" in refusal(tmp_path / "a.pnm")


@pytest.mark.parametrize("name", ["a.avif", "a.jp2", "a.j2k", "a.ppm", "a.pgm", "a.webp", "a.tif"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
def test_a_part_of_a_file_is_refused_as_such(tmp_path, name, share):
    """JPEG 2000 was decoded as far as it went, grey below."""
    Image.fromarray(RGB[..., 0] if name == "a.pgm" else RGB).save(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    message = refusal(tmp_path / name)
    assert "copy it again" in message
    assert "none of the formats" not in message


def test_a_wrong_name_does_not_matter(tmp_path):
    for form in ("AVIF", "PPM", "JPEG2000"):
        Image.fromarray(RGB).save(tmp_path / "a.png", form)
        assert read_image(tmp_path / "a.png").shape == (3, 12, 18)
        assert f"is a {form} file in spite of its name" in look_through(tmp_path / "a.png")[0][0]


def test_jpeg_2000_with_deep_colours_is_not_cut_to_eight_bits_in_silence(tmp_path):
    Image.fromarray(RGB).save(tmp_path / "a.j2k")
    content = (tmp_path / "a.j2k").read_bytes()
    (tmp_path / "a.j2k").write_bytes(content.replace(b"\7\1\1" * 3, b"\x0f\1\1" * 3, 1))
    assert "has 16 bits a channel, of which only 8 can be read; save it as a PNG" in refusal(
        tmp_path / "a.j2k"
    )


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1\0\0\0\0mif1heic"])
def test_heic_names_the_package_that_reads_it(tmp_path, monkeypatch, brand):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftyp" + brand + bytes(99))
    assert "is a HEIC image, which another package reads; pip install pillow-heif" in refusal(
        tmp_path / "a.heic"
    )


def test_heic_is_read_where_the_package_is(tmp_path):
    heif = pytest.importorskip("pillow_heif")
    heif.register_heif_opener()
    Image.fromarray(SMOOTH).save(tmp_path / "a.heic", "HEIF", quality=-1)
    image = read_image(tmp_path / "a.heic")
    assert (image.permute(1, 2, 0).numpy().astype(int) - SMOOTH).std() < 3


@pytest.mark.parametrize("form", ["AVIF", "WEBP"])
def test_a_pillow_without_a_decoder_is_named(tmp_path, monkeypatch, form):
    Image.fromarray(RGB).save(tmp_path / "a.png", form)
    plugin = {"AVIF": AvifImagePlugin, "WEBP": WebPImagePlugin}[form]
    monkeypatch.setattr(plugin, "SUPPORTED", False)
    monkeypatch.setattr(features, "check", lambda name: name != form.lower())
    assert "which this Pillow lacks; pip install --upgrade pillow" in refusal(tmp_path / "a.png")


def test_a_pillow_without_jpeg_2000_is_named(tmp_path, monkeypatch):
    from PIL import Image as module

    Image.fromarray(RGB).save(tmp_path / "a.jp2")
    monkeypatch.delattr(module.core, "jpeg2k_decoder")
    assert "this Pillow was built without (decoder jpeg2k not available); pip install" in refusal(
        tmp_path / "a.jp2"
    )


def test_a_set_of_these_is_found_checked_trained_on_and_predicted(tmp_path):
    """60 .avif beside 12 .png: "0 problems", and 12 were used."""
    names = ("png", "avif", "ppm", "jp2")
    for c in "ab":
        (tmp_path / "set" / c).mkdir(parents=True)
        for ending in names:
            for i in range(4):
                Image.fromarray(RGB).save(tmp_path / "set" / c / f"{i}.{ending}")
    report = check_data(tmp_path / "set", workers=1)
    assert (report.images, report.problems, report.ignored) == (32, (), ())
    data = open_data(tmp_path / "set")
    assert len(data.train) + len(data.val) + len(data.test) == 32
    assert len(find_images(tmp_path / "set")) == 32
    prep = fit_preprocess(data, 28)
    from convatlas.model_file import Saved

    net = convatlas.create_model("lenet1989", num_classes=2, in_channels=3).eval()
    found = convatlas.predict(Saved(net, "lenet1989", ("a", "b"), prep, {}), tmp_path / "set")
    assert len(found) == 32
    assert not any(one.problem for one in found)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *(("a.SVG", "SVG drawing"), ("a.cr2", "raw photograph"), ("a.NEF", "raw photograph")),
        *(("a.dng", "raw photograph"), ("a.psd", "Photoshop document"), ("a.jxl", "JPEG XL image")),
        *(("a.exr", "OpenEXR image"), ("a.hdr", "Radiance image"), ("a.webm", "video")),
        *(("a.mp4", "video"), ("a.dcm", "DICOM image"), ("a.tar.gz", "archive")),
    ],
)
def test_what_is_not_read_has_a_name_and_a_remedy(name, kind):
    assert kind_of(name).name == kind
    assert kind_of(Path("folder") / name).remedy.split()[0].islower()


@pytest.mark.parametrize("name", ["a.png", "a.txt", "png", ".svg", "a.csv", "a", "a.heic", ""])
def test_what_is_read_or_holds_no_images_has_none(name):
    assert kind_of(name) is None


def large_jpeg(path: Path, size=(9000, 8000), **how) -> Path:
    Image.new("RGB", size, (200, 40, 90)).save(path, "JPEG", quality=10, **how)
    return path


def test_a_jpeg_above_the_limit_is_decoded_smaller_and_its_pixels_count_so(tmp_path):
    """72 megapixels: refused, though training would have read it at an eighth."""
    path = large_jpeg(tmp_path / "a.jpg")
    assert read_header(path) == (False, 8000, 9000)
    assert "has 72 megapixels; it is read at 1/2 of its sides" in look_through(path)[0]
    assert read_image(path).shape == (3, 4000, 4500)
    assert read_image(path, at_least=500).shape == (3, 1000, 1125)


def test_what_is_above_the_limit_names_the_flag_and_is_read_with_it(tmp_path):
    path = tmp_path / "a.png"
    Image.new("L", (3000, 1000)).save(path)
    with pytest.raises(DataError, match=r"limit of 2 megapixels; .*--max-megapixels 3$"):
        read_image(path, max_megapixels=2)
    assert read_image(path, max_megapixels=3).shape == (1, 1000, 3000)
    progressive = large_jpeg(tmp_path / "b.jpg", (3000, 1000), progressive=True)
    with pytest.raises(DataError, match=r"--max-megapixels 3$"):  # its decoder holds it whole
        read_image(progressive, max_megapixels=2)


def test_pillows_own_limit_gives_way_to_a_higher_one_and_is_left_as_it_was(tmp_path, monkeypatch):
    Image.new("1", (300, 100)).save(tmp_path / "a.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    assert read_image(tmp_path / "a.png").shape == (1, 100, 300)
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_the_limit_of_a_set_holds_in_all_its_parts(tmp_path, make_folder, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    from convatlas.data import usable

    root = make_folder({"a": 12, "b": 12}, size=(30, 20))
    small = open_data(root, max_megapixels=0.0005)
    for part in (small.train, small.val, small.test):
        with pytest.raises(DataError, match=r"--max-megapixels 1$"):
            part.read(0)
    with pytest.raises(DataError, match="24 images cannot be used"):
        usable(small)
    assert len(check_data(root, workers=1, max_megapixels=0.0005).problems) == 24
    whole = open_data(root)  # what was found with one limit is not remembered for another
    assert usable(whole) == (whole, [])
    assert image_file.MAX_MEGAPIXELS == 64


@pytest.mark.parametrize("limit", ["0", "-3", "nan", "inf"])
@pytest.mark.parametrize("words", [["predict", "RUN", "SET/a"], ["eval", "RUN", "--data", "SET"]])
def test_a_limit_that_is_none_is_refused(tmp_path, capsys, words, limit):
    for shade, label in enumerate("ab"):
        (tmp_path / "set" / label).mkdir(parents=True)
        for i in range(4):
            Image.new("L", (28, 28), 90 * shade + i).save(tmp_path / "set" / label / f"{i}.png")
    flags = ["--epochs", "1", "-b", "4", "--data", str(tmp_path / "set")]
    assert run(["train", "lenet1989", *flags, "--output", str(tmp_path / "run")]) == 0
    placed = [
        word.replace("RUN", str(tmp_path / "run")).replace("SET", str(tmp_path / "set"))
        for word in words
    ]
    for command in (placed, ["check-data", str(tmp_path / "set")]):
        capsys.readouterr()
        assert run([*command, "--max-megapixels", limit]) == 1
        said = capsys.readouterr().err
        assert f"max_megapixels = {limit} is not allowed; give a number above 0" in said
