"""What the number of classes costs an evaluation: a batch of it, and what is written of it.

    python -m benchmarks.many_classes
    python -m benchmarks.many_classes --network mobilenet_v2 --batch 32

Processor seconds, the least of several passes, each number of classes in turn within each pass: a
busy machine and its changing clock then meet all of them alike. The network is one of ImageNet's
at its own size; "counting" is all but its forward pass, of as many images as a batch of evaluation
has.
"""

import argparse
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F

from convatlas.data import Loader, Preprocess
from convatlas.data.split import ArraySplit
from convatlas.evaluation import Evaluation, Noting, evaluate
from convatlas.registry import create_model

CLASSES = (1000, 10_000, 21_841)


class Known(torch.nn.Module):
    """A network that knows its logits: what is left of an evaluation is the counting."""

    def __init__(self, logits: torch.Tensor):
        super().__init__()
        self.logits = torch.nn.Parameter(logits)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.logits[: len(x)]


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


def least(works: dict[int, Callable[[], object]], passes: int) -> dict[int, float]:
    """For each its least time, one after the other in each pass."""
    rounds = [{name: seconds(work) for name, work in works.items()} for _ in range(passes)]
    return {name: min(each[name] for each in rounds) for name in works}


def batch_of(count: int, side: int, classes: int) -> Loader:
    dice = torch.Generator().manual_seed(classes)
    images = torch.randint(0, 256, (count, 3, side, side), dtype=torch.uint8, generator=dice)
    labels = torch.randint(0, classes, (count,), generator=dice)
    prep = Preprocess(3, side, (0.5,) * 3, (0.25,) * 3, "resize", side)
    return Loader(ArraySplit(images, labels, [str(i) for i in range(count)]), prep, count)


def whole(network: str, batch: int, classes: int) -> Callable[[], Evaluation]:
    """An evaluation of one batch."""
    net = create_model(network, num_classes=classes).eval()
    loader = batch_of(batch, net.side, classes)
    return lambda: evaluate(net, loader, classes, noting=Noting(batch))


def counting(batch: int, classes: int) -> Callable[[], Evaluation]:
    dice = torch.Generator().manual_seed(classes)
    net = Known(torch.randn(batch, classes, generator=dice))
    loader = batch_of(batch, 1, classes)
    return lambda: evaluate(net, loader, classes, F.cross_entropy, noting=Noting(batch))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--network", default="resnet50")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--passes", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    evaluations = {n: whole(given.network, given.batch, n) for n in CLASSES}
    found = least(evaluations, given.passes)
    alone = least({n: counting(given.batch, n) for n in CLASSES}, 5 * given.passes)
    print(f"{given.network}, a batch of {given.batch}, one thread, torch {torch.__version__}")
    print(f"{'classes':>8} {'a batch, s':>11} {'of 1,000':>9} {'counting, ms':>13}")
    for n in CLASSES:
        share = found[n] / found[CLASSES[0]]
        print(f"{n:8,} {found[n]:11.3f} {share:9.3f} {1e3 * alone[n]:13.1f}")


if __name__ == "__main__":
    main()
