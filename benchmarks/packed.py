"""What reading a packed set costs beside the decoding itself, and what memory it takes.

    python -m benchmarks.packed
    python -m benchmarks.packed --images 4000 --side 256

Processor seconds, for they are the same on a busy machine. The same Loader reads the same images
from a folder, from shards, and from bytes that lie in memory already, in turn, several times; the
last is what the processor can decode. Then an epoch of a set ten times as large as the memory that
a process may still take, which the system refuses it beyond that.
"""

import argparse
import io
import json
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.opening import used

BATCH = 64
ROUNDS = 5
SPARE = 96 * 2**20  # bytes that a process may take beyond what it has, at an epoch's beginning
PADDED = 2**18  # bytes of each image of the large set


def folder(root: Path, images: int, side: int, padded: int = 0) -> Path:
    """Smooth JPEGs of noise, about as long for their size as photographs; each of its own bytes."""
    bases = []
    for seed in range(8):
        coarse = np.random.default_rng(seed).integers(0, 256, (side // 4, side // 4, 3), np.uint8)
        file = io.BytesIO()
        Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(
            file, "JPEG", quality=90
        )
        bases.append(file.getvalue())
    for number in range(images):
        place = root / f"class{number % 10}"
        place.mkdir(parents=True, exist_ok=True)
        content = bases[number % 8] + b"%08d" % number
        (place / f"{number}.jpg").write_bytes(content.ljust(padded, b"\0"))
    return root


def _loader(data, workers: int = 0):
    from convatlas.data import Loader
    from convatlas.data.preprocess import Preprocess

    channels = data.channels
    prep = Preprocess(channels, 224, (0.5,) * channels, (0.25,) * channels, "resize", 224)
    return Loader(data.train, prep, BATCH, workers=workers, memory_limit=0)


def _in_memory(data):
    """The same packed set with all its bytes in memory."""
    from convatlas.data.packed.place import Place

    class Memory(Place):
        def __init__(self, place):
            super().__init__(place.name)
            root = Path(place.name)
            self.files = {path.name: path.read_bytes() for path in root.glob("*.tar")}

        def read(self, spans):
            return [self.files[file][start : start + length] for file, start, length in spans]

    data.train.shelf.place = Memory(data.train.shelf.place)
    return data


def _rates(places: dict[str, object]) -> dict[str, float]:
    """Images a processor second, the best of some rounds in turn."""
    best: dict[str, float] = dict.fromkeys(places, 0.0)
    for number in range(ROUNDS):
        for name, data in places.items():
            loader, begun = _loader(data), time.process_time()
            images = sum(len(x) for x, *_ in loader.epoch(number))
            best[name] = max(best[name], images / (time.process_time() - begun))
    return best


def compared(root: Path, images: int, side: int) -> dict[str, float]:
    import torch

    from convatlas.data import open_data
    from convatlas.data.packed.writing import pack

    torch.set_num_threads(1)
    files = folder(root / "folder", images, side)
    pack([files], root / "packed")
    places = {"folder": open_data(files), "shards": open_data(root / "packed")}
    return _rates(places | {"memory": _in_memory(open_data(root / "packed"))})


def _epoch_within(root: Path) -> tuple[float, float]:
    """(MB of the set, MB that one epoch of it took) with SPARE bytes left to take."""
    import torch

    from convatlas.data import open_data

    torch.set_num_threads(1)
    data = open_data(root)
    loader = _loader(data)
    next(iter(loader.epoch(0)))
    before, held = _status("VmData"), _status("RssAnon")
    resource.setrlimit(resource.RLIMIT_DATA, (before + SPARE, before + SPARE))
    most = 0
    for _ in loader.epoch(1):
        most = max(most, _status("RssAnon") - held)
    return int(data.train.shelf.index.length.sum()) / 1e6, most / 1e6


def _status(name: str) -> int:
    """Bytes, of this process."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=1500)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--tmp", type=Path, help="where the images are made")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=asked.tmp) as scratch:
        root = Path(scratch)
        rates = compared(root, asked.images, asked.side)
        for name, rate in rates.items():
            print(f"{name:8} {rate:8,.0f} images a processor second, {rate / rates['memory']:.3f}")
        large = folder(root / "large", 10 * SPARE // PADDED, 64, PADDED)
        seconds, _, _ = used(_packed, large, root / "large-packed")
        print(f"packing {10 * SPARE / 1e6:,.0f} MB took {seconds:.1f} processor seconds")
        _, _, (size, grown) = used(_epoch_within, root / "large-packed")
        print(f"an epoch of {size:,.0f} MB took {grown:,.1f} MB; {SPARE / 1e6:,.0f} were allowed")
    print(json.dumps({"cpus": os.cpu_count(), "rates": rates, "grown_mb": grown}))


def _packed(source: Path, out: Path) -> None:
    from convatlas.data.packed.writing import pack

    pack([source], out, workers=1)


if __name__ == "__main__":
    main()
