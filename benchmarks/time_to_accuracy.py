"""Seconds of training until 99.0 % of MNIST's test images are right: our recipe beside the
well-known example.

    python -m benchmarks.time_to_accuracy --data-root data

The example is the one of two convolutions that most people start from: DataLoader over PIL images,
Adadelta at a rate of 1 that falls by 0.7 an epoch, batch 64, all 60,000 images. Ours keeps a tenth
of them for validation, as always. Both have the same number of threads, run one after the other,
and are tested after every epoch; testing is not counted, but reading the set, decoding and building
the network are.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import nn
from torchvision import datasets, transforms

from convatlas.data import Loader, fit_preprocess, open_data
from convatlas.evaluation import evaluate
from convatlas.registry import create_model
from convatlas.training import builtin
from convatlas.training.seeds import seed_for
from convatlas.training.trainer import Trainer

RECIPE = "lenet_caffe_mnist"
Epoch = tuple[float, float]  # seconds of the epoch, test accuracy after it


class Example(nn.Module):
    """Two convolutions of 3x3 (32, 64), a max pool, dropout, two fully connected layers.  (N, 1,
    28, 28) -> (N, 10)
    """

    def __init__(self):
        super().__init__()
        self.maps = nn.Sequential(
            nn.Conv2d(1, 32, 3),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout2d(0.25),
        )
        self.classes = nn.Sequential(
            nn.Linear(9216, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10)
        )

    def forward(self, x):
        return self.classes(self.maps(x).flatten(1))


def example(root: str, seed: int) -> Iterator[Epoch]:
    began = time.perf_counter()
    torch.manual_seed(seed)
    look = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    train = torch.utils.data.DataLoader(
        datasets.MNIST(root, True, look), batch_size=64, shuffle=True
    )
    test = torch.utils.data.DataLoader(datasets.MNIST(root, False, look), batch_size=1000)
    net = Example()
    optimiser = torch.optim.Adadelta(net.parameters(), lr=1.0)
    falling = torch.optim.lr_scheduler.StepLR(optimiser, 1, gamma=0.7)
    while True:
        net.train()
        for x, y in train:
            optimiser.zero_grad()
            F.cross_entropy(net(x), y).backward()
            optimiser.step()
        falling.step()
        took = time.perf_counter() - began
        net.eval()
        with torch.no_grad():
            right = sum(int((net(x).argmax(1) == y).sum()) for x, y in test)
        yield took, right / len(test.dataset)
        began = time.perf_counter()


def ours(root: str, seed: int) -> Iterator[Epoch]:
    began = time.perf_counter()
    recipe = builtin.read(RECIPE).change(data_root=root, seed=seed)
    data = open_data(recipe.data, root=root, seed=seed)
    prep = fit_preprocess(data, 28)
    loader, test = Loader(data.train, prep, recipe.batch_size, seed), Loader(data.test, prep, 500)
    torch.manual_seed(seed_for(seed, "weights"))
    trainer = Trainer(recipe, create_model(recipe.network), len(loader), torch.device("cpu"))
    for epoch in range(recipe.epochs):
        for x, y, _ in loader.epoch(epoch):
            trainer.step(x, y)
        took = time.perf_counter() - began
        yield took, evaluate(trainer.result, test, 10).accuracy
        trainer.end_epoch(0.0)
        began = time.perf_counter()


def until(goal: float, run: Iterator[Epoch], name: str) -> float:
    total = 0.0
    for epoch, (seconds, accuracy) in enumerate(run, start=1):
        total += seconds
        print(f"{name}, epoch {epoch}: {100 * accuracy:.2f} %, {total:.1f} s", flush=True)
        if accuracy >= goal:
            return total
    raise SystemExit(f"{name} never reached {100 * goal:.1f} %")


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    words.add_argument("--data-root", default="data")
    words.add_argument("--goal", type=float, default=0.99)
    words.add_argument("--seeds", type=int, default=3)
    words.add_argument("--threads", type=int, default=os.cpu_count())
    given = words.parse_args()
    torch.set_num_threads(given.threads)
    print(
        f"{platform.machine()}, {given.threads} threads, Python {platform.python_version()}, torch "
        f"{torch.__version__}; to {100 * given.goal:.1f} % of MNIST's test images"
    )
    sides: dict[str, Callable] = {"the example": example, RECIPE: ours}
    seconds = {name: [] for name in sides}
    for seed in range(given.seeds):
        for name, side in sides.items():
            seconds[name].append(
                until(given.goal, side(given.data_root, seed), f"{name}, seed {seed}")
            )
    middle = {name: sorted(each)[len(each) // 2] for name, each in seconds.items()}
    slow, fast = middle.values()
    print(f"medians: the example {slow:.1f} s, ours {fast:.1f} s: {slow / fast:.1f} times as soon")


if __name__ == "__main__":
    main()
