"""Layouts, precisions and threads compared: seconds of a step in each config that `train
--autotune` tries.

python -m benchmarks.autotune python -m benchmarks.autotune --only resnet18 --compile
"""

import argparse
import os
import platform
import tempfile
from pathlib import Path

import torch

from benchmarks import images
from convatlas.training import Recipe
from convatlas.training.autotune import Config, Trials, autotune
from convatlas.training.distributed import ProcessGroup
from convatlas.training.prepare import macs, prepare

CASES = {  # network: (side, batch)
    "lenet5": (32, 64),
    "lenet_caffe": (28, 64),
    "nin_mnist": (28, 64),
    "resnet20_cifar": (32, 128),
    "shufflenet_v2": (224, 16),
    "mobilenet_v2": (224, 16),
    "efficientnet_b0": (224, 8),
    "squeezenet1_1": (227, 16),
    "resnet18": (224, 16),
    "densenet121": (224, 8),
    "resnest50": (224, 4),
    "vgg11": (224, 4),
}
COMPILED = "the best compiled"


def trials(network: str, folder: Path, compiled: bool) -> Trials:
    side, batch = CASES[network]
    recipe = Recipe(
        network=network,
        data=str(folder),
        size=side,
        batch_size=batch,
        crop="center",
        compile=compiled,
        autotune=True,
        threads=torch.get_num_threads(),
    )
    ready = prepare(recipe, ProcessGroup())
    other = 1 if torch.get_num_threads() > 1 else 0
    return autotune(recipe, ready.net, ready.train, macs(recipe, side), torch.device("cpu"), other)


def row(network: str, found: Trials, compiled: bool) -> str:
    """Milliseconds in single precision, then how many times as fast the other configs are."""
    plain = found.seconds[Config()]
    times = [
        f"{plain / found.seconds[config]:.2f}" if config in found.seconds else "-"
        for config in (Config(False, True), Config(True, False), Config(True, True))
    ]
    times += [
        next(
            (f"{plain / each:.2f}" for config, each in found.seconds.items() if config.compile), "-"
        )
    ] * compiled
    cells = [network, str(found.images), f"{1e3 * plain:.1f}", *times, str(found.winner)]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--only", choices=CASES, action="append")
    words.add_argument("--compile", action="store_true")
    words.add_argument("--threads", type=int, default=os.cpu_count())
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    heads = [
        "network",
        "images",
        "single precision, ms",
        "channels last",
        "bf16",
        "both",
        *[COMPILED] * given.compile,
        "kept",
    ]
    print(
        f"{platform.machine()}, {given.threads} threads, Python {platform.python_version()}, torch "
        f"{torch.__version__}\n"
    )
    print(f"| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    with tempfile.TemporaryDirectory() as place:
        folder = images.photographs(Path(place), 192)
        for network in given.only or CASES:
            print(row(network, trials(network, folder, given.compile), given.compile), flush=True)


if __name__ == "__main__":
    main()
