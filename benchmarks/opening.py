"""What a folder of very many images costs before the first step: opened for the first time and
again, looked at whole, after a change and after an interruption, and by several processes.

    python -m benchmarks.opening --images 100000
    python -m benchmarks.opening --images 10000 --only processes
    python -m benchmarks.opening --images 1332413 --classes 1000 --linked --only step

Processor seconds, for they are the same on a busy machine; each figure is of a process of its own.
The images are small JPEGs, each its own file: what is measured is everything but decoding. With
--linked they are hard links, a few hundred to each file, which a disk holds by the million.
"""

import argparse
import contextlib
import hashlib
import io
import json
import multiprocessing
import os
import resource
import shutil
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

IMAGENET = 1_281_167 + 51_246
CLASSES = 100
LEFT = 0.1  # of a survey that is stopped
LINKS = 60  # files of a class, to which all its other names lead
FEW = 400  # images, which are looked at in no time
REPEATED = 3  # starts that take a second, of which the quickest counts


def tree(root: Path, images: int, classes: int = CLASSES, linked: bool = False) -> Path:
    """Files as ImageNet's are called, in train/ and val/."""
    bases = []
    for seed in range(8):
        pixels = np.random.default_rng(seed).integers(0, 256, (16, 16, 3), dtype=np.uint8)
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, "JPEG", quality=40)
        bases.append(file.getvalue())
    for number in range(images):
        part = "val" if number % 20 == 0 else "train"
        folder = root / part / f"n{1440764 + number // 20 % classes:08d}"
        if number < 20 * classes:
            folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{folder.name}_{number}.JPEG"
        if linked and number >= LINKS * classes:
            os.link(folder / f"{folder.name}_{number % (LINKS * classes)}.JPEG", file)
            continue
        end = b"%08d" % number + bytes(number * 2654435761 % 293)
        file.write_bytes(bases[number % 8] + end)
    return root


def used(work: Callable, *given) -> tuple[float, float, object]:
    """(processor seconds of `work` and its children, peak in MB, what it gave) in a process of its
    own.
    """
    ours, theirs = multiprocessing.Pipe()

    def child() -> None:
        begun = _seconds()
        found = work(*given)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        theirs.send((_seconds() - begun, peak, found))

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    theirs.close()
    try:
        found = ours.recv()
    finally:
        process.join()
    return found


def _seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def opened(root: Path) -> str:
    from convatlas.data import open_data

    return open_data(root).fingerprint


def looked(root: Path, share: float = 1.0) -> tuple[int, float, float]:
    """(how many images a survey looked at, seconds of opening the set, and of looking); it is
    stopped after that share of them.
    """
    from convatlas.data import open_data, survey, usable

    begun, count, real = _seconds(), 0, survey.examining
    data = open_data(root)
    before = _seconds()

    def counting(split, numbers, *options):
        nonlocal count
        for found in real(split, numbers, *options):
            yield found
            count += len(found)
            if count >= share * len(split) and share < 1:
                raise KeyboardInterrupt

    survey.examining = counting
    with contextlib.suppress(KeyboardInterrupt):
        usable(data, workers=1)
    return count, before - begun, _seconds() - before


def stepped(root: Path) -> float:
    """Seconds on the wall to the end of a run's first step, which ends it."""
    from convatlas.training import Callback, Recipe
    from convatlas.training.run import run_recipe
    from convatlas.training.trainer import Trainer

    real = Trainer.step

    def first(*given) -> float:
        real(*given)
        raise KeyboardInterrupt

    begun = time.monotonic()
    Trainer.step = first
    recipe = Recipe(network="mobilenet_v1", data=str(root), batch_size=8, test_from="val")
    with tempfile.TemporaryDirectory() as place, contextlib.suppress(KeyboardInterrupt):
        run_recipe(recipe, Path(place) / "run", False, Callback())
    return time.monotonic() - begun


def stepping(root: Path) -> None:
    """A set of a few hundred images beside it says what the network's own step takes."""
    few = tree(Path(os.environ["XDG_CACHE_HOME"]).parent / "few", FEW)
    for name, folder in (("few images", few), ("first start", root), ("second start", root)):
        seconds, peak, wall = used(stepped, folder)
        print(
            f"{name:12} {seconds:7.1f} processor s, {wall:7.1f} s to the first step, "
            f"peak {peak:,.0f} MB"
        )


def opening(root: Path, images: int) -> None:
    first, peak, one = used(opened, root)
    again, second_peak, two = used(opened, root)
    print(f"opened first {first:7.2f} s, peak {peak:,.0f} MB")
    print(f"opened again {again:7.2f} s, peak {second_peak:,.0f} MB  ({again / first:.2f} of it)")
    print(f"the same fingerprint: {one == two}")
    for name, seconds in (("first", first), ("again", again)):
        print(f"  in proportion, ImageNet {name}: {seconds * IMAGENET / images:.0f} s")


def surveying(root: Path) -> None:
    _, _, (count, _, whole) = used(looked, root)
    none, again, nothing = _quickest([used(looked, root)[2] for _ in range(REPEATED)])
    file, changes = next(root.rglob("*.JPEG")), []
    for _ in range(REPEATED):
        file.write_bytes(file.read_bytes() + b"x")
        changes.append(used(looked, root)[2])
    one, anew, changed = _quickest(changes)
    each = (whole - nothing) / count
    print(f"all {count:,} looked at: {whole:.2f} s")
    print(f"nothing changed: opened in {again:.2f} s, {none} looked at in {nothing:.2f} s")
    print(
        f"one changed: opened in {anew:.2f} s, {one} looked at in {changed:.2f} s (an image takes "
        f"{1000 * each:.2f} ms, and a reader has to be started); together "
        f"{(anew + changed) / (again + nothing + each):.2f} of the work left, which is a start on "
        "what has not changed and one image"
    )
    forget()
    _, _, (before, _, _) = used(looked, root, 1 - LEFT)
    _, _, (rest, _, resumed) = used(looked, root)
    print(
        f"stopped after {before:,}: {rest:,} looked at, {resumed:.2f} s, "
        f"{resumed / (nothing + (count - before) * each):.2f} of the work left"
    )


def _quickest(starts: list[tuple[int, float, float]]) -> tuple[int, float, float]:
    return min(starts, key=lambda start: start[1] + start[2])


def processes(root: Path) -> None:
    """The same set prepared by 1, 2 and 4 processes of one machine; a very small one beside it says
    what each process's own start is of that.
    """
    few = tree(Path(os.environ["XDG_CACHE_HOME"]).parent / "few", FEW)
    alone = None
    for size in (1, 2, 4):
        start, _ = _prepared_by(size, few)
        total, digests = _prepared_by(size, root)
        alone = alone or (total, total - start, digests)
        print(
            f"{size} processes: {total:7.2f} s, {total / alone[0]:.2f} of one; {start:.2f} s of "
            f"these is what {FEW} images take, the rest {(total - start) / alone[1]:.2f} of one; "
            f"the same bits: {digests == alone[2]}"
        )


def _prepared_by(size: int, root: Path) -> tuple[float, set[str]]:
    """(processor seconds of `size` processes together, the digests of what each has decoded)."""
    forget()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    context, queue = multiprocessing.get_context("fork"), multiprocessing.SimpleQueue()
    ranks = [
        context.Process(target=_rank, args=(rank, size, port, root, queue)) for rank in range(size)
    ]
    for process in ranks:
        process.start()
    found = [queue.get() for _ in ranks]
    for process in ranks:
        process.join()
    return sum(seconds for seconds, _ in found), {digest for _, digest in found}


def _rank(rank: int, size: int, port: int, root: Path, queue) -> None:
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")
    words = (rank, size, rank, size, "127.0.0.1", port)
    os.environ |= dict(zip(names, map(str, words), strict=True))
    from convatlas.training import Recipe
    from convatlas.training.distributed import process_group
    from convatlas.training.prepare import gather, prepare

    recipe = Recipe(network="lenet1989", data=str(root))
    with process_group(600, "cpu") as group:
        begun = _seconds()
        found = group.together(lambda: gather(recipe, group))
        ready = group.together(lambda: prepare(recipe, group, found))
        seconds = _seconds() - begun
        digest = hashlib.sha256(ready.train.images.numpy().tobytes()).hexdigest()
    queue.put((seconds, digest))


def forget() -> None:
    shutil.rmtree(Path(os.environ["XDG_CACHE_HOME"]) / "convatlas", ignore_errors=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--tree", type=Path, help="a folder of images that is there already")
    parser.add_argument("--only", choices=("opening", "survey", "processes", "step"))
    parser.add_argument("--classes", type=int, default=CLASSES)
    parser.add_argument("--linked", action="store_true", help="hard links, not files")
    given = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place:
        os.environ["XDG_CACHE_HOME"] = f"{place}/cache"
        root = given.tree or tree(Path(place) / "set", given.images, given.classes, given.linked)
        print(
            json.dumps({"images": given.images, "cores": os.cpu_count(), "load": os.getloadavg()})
        )
        if given.only in (None, "opening"):
            opening(root, given.images)
        if given.only in (None, "survey"):
            surveying(root)
        if given.only in (None, "processes"):
            processes(root)
        if given.only == "step":
            torch.set_num_threads(os.cpu_count() or 1)
            stepping(root)


if __name__ == "__main__":
    main()
