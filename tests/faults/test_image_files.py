"""Bad images, rows 28 to 32 of the fault matrix: named, all at once, before the first step,
without a crash.
"""

import csv
import multiprocessing
import os
import resource
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import zlib
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from image_folders import folder_of
from PIL import Image

from convatlas.data import Loader, Preprocess, fit_preprocess, open_data, read_image
from convatlas.data.checking import check_data
from convatlas.data.folder import layout
from convatlas.data.survey import examine

ENDINGS = ("jpg", "png", "webp", "bmp", "gif", "tif")


SURELY_BAD = ("empty", "html", "noise", "half")


def mutated(content: bytes, kind: str, dice: np.random.Generator) -> bytes:
    if kind == "flip":
        changed = bytearray(content)
        for at in dice.integers(0, len(content), dice.integers(1, 5)):
            changed[at] ^= 1 << int(dice.integers(8))
        return bytes(changed)
    return {
        "empty": b"",
        "html": b"<!doctype html><title>404</title>",
        "noise": dice.bytes(400),
        "half": content[: len(content) // 2],
    }[kind]


@pytest.mark.parametrize(
    "seed", [0, *(pytest.param(seed, marks=pytest.mark.full) for seed in range(1, 6))]
)
def test_28_every_bad_file_of_200_mutations_is_named_in_one_pass(tmp_path, seed):
    """100 surely bad, 100 with flipped bits, which may still decode: those are named that reading
    them refuses.
    """
    root = folder_of(tmp_path / "set", 180, endings=ENDINGS)
    files = sorted(root.rglob("*.*"))
    dice = np.random.default_rng(seed)
    chosen = dice.permutation(len(files))[:200]
    bad = set()
    for number, i in enumerate(chosen):
        kind = SURELY_BAD[number % 4] if number < 100 else "flip"
        files[i].write_bytes(mutated(files[i].read_bytes(), kind, dice))
        if kind != "flip" or examine(files[i]).reason:
            bad.add(files[i].relative_to(root).as_posix())
    before = {file: file.read_bytes() for file in files}
    done = subprocess.run(
        [sys.executable, "-m", "convatlas", "check-data", root, "--csv", tmp_path / "bad.csv"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    with open(tmp_path / "bad.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert done.returncode == 1, done.stderr
    assert {row["file"] for row in rows} == bad
    assert all(repr(name) in done.stdout for name in bad)
    assert all(row["problem"] and row["remedy"] for row in rows)
    assert "Traceback" not in done.stderr
    assert {file: file.read_bytes() for file in files} == before


def kinds(root: Path) -> dict[str, np.ndarray]:
    """Files of every kind with what a person sees on them, uint8 (H, W, 3)."""
    grey = (np.arange(480).reshape(20, 24) % 256).astype(np.uint8)
    rgb = np.stack([grey, 255 - grey, np.full_like(grey, 90)], 2)
    as_rgb = np.repeat(grey[..., None], 3, 2)
    clear = np.dstack([rgb, np.where(grey > 100, 255, 0).astype(np.uint8)])
    palette = Image.fromarray(as_rgb).convert("P", palette=Image.Palette.ADAPTIVE, colors=256)
    files = {
        "rgb.png": (Image.fromarray(rgb), rgb),
        "grey.png": (Image.fromarray(grey), as_rgb),
        "deep.png": (Image.fromarray(grey.astype(np.uint16) * 257), as_rgb),
        "float.tif": (Image.fromarray(grey.astype(np.float32) * 257), as_rgb),
        "bits.png": (Image.fromarray(grey > 99), np.where(as_rgb > 99, 255, 0).astype(np.uint8)),
        "palette.png": (palette, as_rgb),
        "clear.png": (Image.fromarray(clear), np.where(clear[..., 3:] == 255, rgb, 255)),
        "cmyk.tif": (Image.fromarray(rgb).convert("CMYK"), rgb),
    }
    for name, (file, _) in files.items():
        file.save(root / name)
    Image.fromarray(rgb).save(
        root / "moving.png", save_all=True, append_images=[Image.new("RGB", (24, 20))]
    )
    return {name: seen for name, (_, seen) in files.items()} | {"moving.png": rgb}


def test_29_every_kind_of_image_is_the_same_in_training_and_in_prediction(tmp_path):
    root = folder_of(tmp_path, 12)
    expected = kinds(root / "a")
    data = open_data(root, val_fraction=0)
    prep = fit_preprocess(data, 24)
    seen = 0
    for split in (data.train, data.test):
        for x, _, indices in Loader(split, prep, 4).all():
            for row, i in zip(x, indices.tolist(), strict=True):
                name = split.names[i]
                file = root / name
                image = read_image(file, white=prep.white)
                assert torch.equal(prep.normalise(prep.fit_image(image)[None])[0], row)
                if file.name in expected:
                    colours = prep.in_channels(image[None])[0]
                    pixels = colours.permute(1, 2, 0).numpy().astype(int)
                    assert np.abs(pixels - expected[file.name]).max() <= 2, name
                    seen += 1
    assert seen == 9


def test_30_every_exif_orientation_is_upright(tmp_path):
    upright = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)
    turned = {
        1: upright,
        2: upright[:, ::-1],
        3: upright[::-1, ::-1],
        4: upright[::-1],
        5: upright.transpose(1, 0, 2),
        6: upright.transpose(1, 0, 2)[::-1],
        7: upright.transpose(1, 0, 2)[::-1, ::-1],
        8: upright.transpose(1, 0, 2)[:, ::-1],
    }
    root = folder_of(tmp_path, 3)
    for orientation, pixels in turned.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        Image.fromarray(np.ascontiguousarray(pixels)).save(
            root / "a" / f"exif{orientation}.png", exif=exif
        )
    data = open_data(root, val_fraction=0)
    prep = Preprocess(3, 24, (0.0,) * 3, (1.0,) * 3, "pad", 24)
    rows = [
        row
        for split in (data.train, data.test)
        for x, _, indices in Loader(split, prep, 4).all()
        for row, i in zip(x, indices.tolist(), strict=True)
        if "exif" in split.names[i]
    ]
    assert len(rows) == 8
    assert all(torch.equal(row, rows[0]) for row in rows)
    assert torch.equal(
        (rows[0][:, 2:22] * 255).round().permute(1, 2, 0).to(torch.uint8), torch.from_numpy(upright)
    )


def bomb(width: int, height: int) -> bytes:
    """A one-bit PNG, without ever holding its pixels."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    squeeze, row = zlib.compressobj(9), bytes(1 + (width + 7) // 8)
    rows = b"".join(squeeze.compress(row) for _ in range(height)) + squeeze.flush()
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0))
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def growth_of(files: list[Path]) -> tuple[int, list[str]]:
    """(bytes by which this process's peak grew, reasons) while it examined the files."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reasons = [examine(file).reason for file in files]
    return 1024 * (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before), reasons


def in_another_process(work, *args):
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(work, *args).result(timeout=60)


def test_31_bombs_are_named_and_take_no_memory(tmp_path):
    root = folder_of(tmp_path, 3)
    for name, (width, height) in {"95.png": (10_000, 9_500), "400.png": (20_000, 20_000)}.items():
        (root / "a" / name).write_bytes(bomb(width, height))
        assert (root / "a" / name).stat().st_size < 100_000
    grown, reasons = in_another_process(growth_of, [root / "a/95.png", root / "a/400.png"])
    assert all("64 megapixels; make it smaller" in reason for reason in reasons)
    assert grown < 200e6
    assert {found.file for found in check_data(root).problems} == {"a/95.png", "a/400.png"}


def reasons_as_nobody(root: Path) -> list[str]:
    """Reading all files, in this process, as a user who may not read everything: root may."""
    Image.init()  # what is imported late must be there by then
    if os.geteuid() == 0:
        os.setuid(65534)
    found = layout(root)
    reasons = [
        f"{name}: {reason}" for name in found.images if (reason := examine(root / name).reason)
    ]
    return sorted(reasons + [f"{name}: {reason}" for name, reason in found.troubles])


def test_32_loops_dead_links_pipes_sockets_and_forbidden_files(tmp_path):
    place = Path(tempfile.mkdtemp())  # pytest's own folders are closed to others
    place.chmod(0o755)
    try:
        root = folder_of(place / "set", 4)
        (root / "a/loop").symlink_to(root, target_is_directory=True)
        (root / "a/dead.png").symlink_to("nowhere.png")
        os.mkfifo(root / "a/pipe.png")
        with socket.socket(socket.AF_UNIX) as plug:
            plug.bind(str(root / "a/plug.png"))
        (root / "b/0.png").chmod(0)
        (root / "b/cellar").mkdir(mode=0)
        found = in_another_process(reasons_as_nobody, root)
        report = check_data(root)
        (root / "b/cellar").chmod(0o755)
    finally:
        shutil.rmtree(place)
    assert [reason.split(": ", 1)[0] for reason in found] == [
        str(root / "b/cellar"),
        "a/dead.png",
        "a/pipe.png",
        "a/plug.png",
        "b/0.png",
    ]
    assert "may not be read by this user" in found[-1]
    assert report.ignored == ("a/loop",)
    assert report.images == 11  # eight, and the three that only look like images
