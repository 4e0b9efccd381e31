"""Images that want memory or time: read right or refused in a sentence, within bounds."""

import os
import resource
import socket
import time
import warnings
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from deep_images import deep_png, deep_tiff
from hostile_images import HOLED, HOSTILE, SMALL, encoded, exif_of, holed, moving, png

from convatlas.data import read_image
from convatlas.data.image_file import deep_range, look_through, read_header
from convatlas.errors import DataError

MEGABYTE = 2**20
pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="memory is measured in a fork")


LOOKS = (read_header, look_through, read_image, deep_range)
ASKED = Path("/proc/self/io")  # of a process: how many bytes it has read, from disk or not


def bytes_read() -> int:
    """By this process until now; 0 where the system does not tell."""
    return int(ASKED.read_text().split()[1]) if ASKED.exists() else 0


def looked_at(paths: list[Path], looks) -> tuple[list[str], int, int]:
    """(what each way of looking at each file said, bytes that the process grew by, bytes that it
    read).
    """
    read = bytes_read()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = []
    for path in paths:
        for look in looks:
            try:
                look(path)
                said.append("read")
            except DataError as refused:
                said.append(str(refused))
    grown = 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
    return said, grown, bytes_read() - read


def in_a_fork(*paths: Path, looks=LOOKS, seconds: float = 60) -> tuple[list[str], int, int]:
    context = get_context("fork")
    ours, theirs = context.Pipe()

    def work() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            theirs.send(looked_at(paths, looks))

    process = context.Process(target=work)
    process.start()
    theirs.close()
    try:
        assert ours.poll(seconds), f"{paths[0].name} was still read after {seconds} seconds"
        return ours.recv()
    finally:
        process.kill()
        process.join()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_image_is_read_or_refused_within_bounds(tmp_path, capfd, name):
    path = tmp_path / name
    path.write_bytes(HOSTILE[name]())
    said, grown, _ = in_a_fork(path)
    for one in said:
        assert one == "read" or (repr(str(path)) in one and "; " in one and "\n" not in one)
    pixels = 0
    if said[0] == "read":
        _, h, w = read_header(path)
        pixels = h * w if h * w <= 64e6 else 0
    assert grown <= 200 * MEGABYTE + 3 * path.stat().st_size + 16 * pixels
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("name", HOLED)
def test_a_hole_of_six_gigabytes_is_not_read(tmp_path, name):
    """A digest is of all bytes: to look through a file is to read it, in pieces, and all forms
    alike. So that way takes a hole ten times smaller, which held whole were still too large.
    """
    path = tmp_path / name
    for gigabytes, looks in ((6, (read_header, read_image, deep_range)), (0.6, (look_through,))):
        try:
            holed(path, HOLED[name](), gigabytes)
        except OSError:
            pytest.skip("this file system has no holes")
        said, grown, read = in_a_fork(path, looks=looks)
        assert all(one == "read" or repr(str(path)) in one for one in said)
        assert grown <= 200 * MEGABYTE
        assert read <= (20 * MEGABYTE if look_through not in looks else 1.1 * gigabytes * 2**30)


@pytest.mark.full
@pytest.mark.parametrize("name", HOLED)
def test_a_file_of_six_gigabytes_is_looked_through_in_pieces(tmp_path, name):
    path = tmp_path / name
    try:
        holed(path, HOLED[name](), 6)
    except OSError:
        pytest.skip("this file system has no holes")
    said, grown, _ = in_a_fork(path, looks=(look_through,))
    assert all(one == "read" or repr(str(path)) in one for one in said)
    assert grown <= 200 * MEGABYTE


def test_a_large_image_with_transparency_needs_little_more_than_its_pixels(tmp_path):
    (tmp_path / "a.png").write_bytes(png(size=(8000, 5000), colour=6))
    said, grown, _ = in_a_fork(tmp_path / "a.png", looks=[read_image])
    assert said == ["read"]
    assert grown <= 100 * MEGABYTE + 40e6 * (4 + 3)  # as Pillow holds it, and as we give it


def test_what_is_no_file_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "folder.png").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.getcwd()
        os.chdir(tmp_path)  # for the names of sockets are short
        listening.bind("socket.png")
        os.chdir(here)
        began = time.monotonic()
        for name in ("pipe.png", "zero.png", "folder.png", "socket.png"):
            said, *_ = in_a_fork(tmp_path / name)
            assert all("is not a file; give the path of an image" in one for one in said)
        assert time.monotonic() - began < 60


FORMS = {
    "a.png": lambda: encoded(SMALL, "PNG"),
    "grey.png": lambda: deep_png(np.arange(0, 40_000, 100, dtype=np.uint16).reshape(20, 20, 1)),
    "deep.png": lambda: deep_png(np.arange(0, 60_000, 100, dtype=np.uint16).reshape(10, 20, 3)),
    "alpha.png": lambda: deep_png(np.arange(0, 40_000, 100, dtype=np.uint16).reshape(10, 20, 2)),
    "palette.png": lambda: encoded(SMALL.convert("P"), "PNG", transparency=3),
    "a.jpg": lambda: encoded(SMALL, "JPEG", exif=exif_of(3)),
    "progressive.jpg": lambda: encoded(SMALL, "JPEG", progressive=True),
    "a.gif": lambda: moving("GIF", 3),
    "a.bmp": lambda: encoded(SMALL, "BMP"),
    "a.tif": lambda: encoded(SMALL, "TIFF"),
    "deflated.tif": lambda: encoded(SMALL, "TIFF", compression="tiff_adobe_deflate"),
    "float.tif": lambda: encoded(SMALL.convert("F"), "TIFF"),
    "planes.tif": lambda: deep_tiff(np.ones((9, 9, 3), np.uint16), "<", True, False),
    "a.webp": lambda: encoded(SMALL, "WEBP"),
    "moving.webp": lambda: moving("WEBP", 3),
    "a.avif": lambda: encoded(SMALL, "AVIF"),
    "a.jp2": lambda: encoded(SMALL, "JPEG2000"),
    "a.j2k": lambda: encoded(SMALL, "JPEG2000", no_jp2=True),
    "a.ppm": lambda: encoded(SMALL, "PPM"),
    "deep.pgm": lambda: b"P5 9 9 4095 " + bytes(162),
    "odd.ppm": lambda: b"P6 9 9 99 " + bytes(243),
    "text.ppm": lambda: b"P3 9 9 255 " + b"1 2 3 " * 81,
    "text.pbm": lambda: b"P1 9 9 " + b"01 10\n" * 30,
    "float.pfm": lambda: b"Pf 9 9 -1.0\n" + bytes(324),
}


def mutant(content: bytes, generator: np.random.Generator) -> bytes:
    """One to four changes, as likely in the first 64 bytes as in all: other bytes, or large
    numbers, or pieces lost or doubled; perhaps cut short.
    """
    content = bytearray(content)
    for _ in range(generator.integers(1, 5)):
        reach = generator.choice([min(64, len(content)), len(content)])
        at = int(generator.integers(0, reach))
        kind = generator.integers(0, 5)
        if kind < 2:
            content[at] = int(generator.integers(0, 256))
        elif kind == 2:
            content[at : at + 4] = bytes(generator.choice([0, 255, 127, 1], 4).tolist())
        elif kind == 3:
            del content[at : at + int(generator.integers(1, 9))]
        else:
            content[at:at] = content[at : at + int(generator.integers(1, 99))]
    short = generator.random() < 0.2
    return bytes(content[: generator.integers(1, len(content) + 1)] if short else content)


def test_mutants_of_all_forms_are_read_or_refused(tmp_path, capfd):
    generator = np.random.default_rng(11)
    paths = []
    for name, make in FORMS.items():
        whole = make()
        for i in range(20):
            paths.append(tmp_path / f"{i}-{name}")
            paths[-1].write_bytes(whole if i == 0 else mutant(whole, generator))
    said, grown, _ = in_a_fork(*paths, seconds=300)
    assert len(said) == len(paths) * len(LOOKS)
    for path, answers in zip(paths, batched(said, len(LOOKS)), strict=True):
        whole = path.name.startswith("0-")
        for answer in answers:
            assert answer == "read" or (repr(str(path)) in answer and "\n" not in answer)
            assert answer == "read" or not whole or "which one is white" in answer, answer
    assert grown <= 200 * MEGABYTE + 16 * 64e6
    out, err = capfd.readouterr()  # libtiff complains of some by itself
    assert (out, "Traceback" in err) == ("", False)


def batched(items: list, size: int) -> list[list]:
    return [items[i : i + size] for i in range(0, len(items), size)]
