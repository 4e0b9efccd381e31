"""Images per second of our training loop, beside the loop that a person would write; alternating,
in one run.

    python -m benchmarks.train
    python -m benchmarks.train --only mobilenet_v2 --rounds 7

The plain loop is that of torchvision's reference script: DataLoader over PIL images with two
workers, its transforms, eager single precision, SGD. Ours reads the same files with the same
distortions through `Loader` and `Trainer`, as `convatlas train --autotune` does: in the precision
and layout that it finds the fastest here. Both on the same network, batch and threads. The third
figure is our forward and backward pass alone, on one batch in memory: what the loop around it
costs.
"""

import argparse
import itertools
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
import torchvision
import torchvision.transforms as transforms
from torch import nn
from torchvision.datasets import ImageFolder

from benchmarks import images
from convatlas.registry import create_model
from convatlas.training import Recipe
from convatlas.training.autotune import Config, autotune, with_config
from convatlas.training.distributed import ProcessGroup
from convatlas.training.prepare import macs, prepare
from convatlas.training.trainer import Trainer

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
WORKERS = 2
CASES = {  # network: (side, batch, images made, steps timed in a round)
    "resnet20_cifar": (32, 128, 4096, 8),
    "mobilenet_v2": (224, 16, 512, 8),
    "resnet18": (224, 16, 512, 8),
}
Step = Callable[[], int]  # takes one training step; the number of its images


def plain(network: str, folder: Path, side: int, batch: int) -> Step:
    """As people write it."""
    cut = (
        transforms.RandomResizedCrop(side) if side > 32 else transforms.RandomCrop(side, padding=4)
    )
    look = transforms.Compose(
        [
            cut,
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    loader = torch.utils.data.DataLoader(
        ImageFolder(folder, look),
        batch,
        shuffle=True,
        num_workers=WORKERS,
        drop_last=True,
        persistent_workers=True,
    )
    net = create_model(network, num_classes=images.CLASSES).train()
    optimiser = torch.optim.SGD(net.parameters(), 0.01, momentum=0.9, weight_decay=1e-4)
    criterion, batches = nn.CrossEntropyLoss(), endless(lambda epoch: iter(loader))

    def step() -> int:
        images, target = next(batches)
        loss = criterion(net(images), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        loss.item()
        return len(target)

    return step


def ours(network: str, folder: Path, side: int, batch: int) -> tuple[Step, Step, Config]:
    """Our loop, its forward and backward pass alone on a batch of the same shape, and the config of
    both.
    """
    distortions = (
        {"crop": "random-resized", "flip": True} if side > 32 else {"pad": 4, "flip": True}
    )
    recipe = Recipe(
        network=network,
        data=str(folder),
        size=side,
        batch_size=batch,
        opt="sgd",
        lr=0.01,
        weight_decay=1e-4,
        warmup_epochs=0,
        workers=WORKERS,
        autotune=True,
        threads=torch.get_num_threads(),
        **distortions,
    )
    ready, device = prepare(recipe, ProcessGroup()), torch.device("cpu")
    config = autotune(recipe, ready.net, ready.train, macs(recipe, side), device).winner
    recipe = with_config(recipe, config)
    looped, alone = (
        Trainer(recipe, net, len(ready.train), device)
        for net in (ready.net, create_model(network, num_classes=images.CLASSES))
    )
    batches = endless(ready.train.epoch)
    x, y, _ = next(batches)

    def step() -> int:
        inputs, labels, _ = next(batches)
        looped.step(inputs, labels, ready.per_step)
        return len(labels)

    def bare() -> int:
        alone.step(x, y)
        return len(y)

    return step, bare, config


def endless(epoch: Callable[[int], Iterator]) -> Iterator:
    return itertools.chain.from_iterable(epoch(number) for number in itertools.count())


def rate(step: Step, steps: int) -> float:
    began = time.perf_counter()
    return sum(step() for _ in range(steps)) / (time.perf_counter() - began)


def measure(network: str, rounds: int, place: Path) -> tuple[Config, list[float]]:
    """Our config, and medians of images per second: plain, ours, ours without the loop."""
    side, batch, count, steps = CASES[network]
    make = images.photographs if side > 32 else images.small
    folder = make(place / network, count)
    *mine, config = ours(network, folder, side, batch)
    runners = (plain(network, folder, side, batch), *mine)
    for runner in runners:
        rate(runner, 3)
    rates = [[rate(runner, steps) for runner in runners] for _ in range(rounds)]
    return config, list(map(statistics.median, zip(*rates, strict=True)))


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--only", choices=CASES, action="append")
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--threads", type=int, default=os.cpu_count())
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    print(
        f"{platform.machine()}, {given.threads} threads, Python {platform.python_version()}, torch "
        f"{torch.__version__}, torchvision {torchvision.__version__}; medians of {given.rounds} "
        "rounds\n"
    )
    print(
        "| network | pixels | batch | plain, images/s | ours | config | ratio | ours without the "
        "loop | the loop costs |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    ratios = []
    with tempfile.TemporaryDirectory() as place:
        for network in given.only or CASES:
            config, (theirs, ours_, alone) = measure(network, given.rounds, Path(place))
            ratios.append(ours_ / theirs)
            side, batch, *_ = CASES[network]
            print(
                f"| {network} | {side} | {batch} | {theirs:.1f} | {ours_:.1f} | {config} | "
                f"{ratios[-1]:.2f} | {alone:.1f} | {100 * (alone / ours_ - 1):.1f} % |",
                flush=True,
            )
    print(
        f"\ngeometric mean of the ratios {statistics.geometric_mean(ratios):.2f}, least "
        f"{min(ratios):.2f}"
    )


if __name__ == "__main__":
    main()
