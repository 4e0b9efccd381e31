"""ShuffleNetV2's four guidelines on this machine: its settings, built and timed, beside what their
convolutions move (memory access cost).

    python -m benchmarks.guidelines                 # one thread, about a minute
    python -m benchmarks.guidelines --threads 2 --seconds 5
    python -m benchmarks.guidelines --clock cpu     # for a busy machine
    python -m benchmarks.guidelines --json

Each of Tables 1 to 4 compares stacks of about the same multiply-adds; here their rates, multiply-
adds a second, beside the first of each. A guideline shows where the rate falls from line to line.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from math import sqrt
from typing import NamedTuple

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.anatomy.guidelines import Conv
from convatlas.timing import Clock, alternated

SIDE = 56  # pixels, of the tables' first columns
DEEP = 10  # blocks of a stack, as in the paper
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}
RATIOS = {"1:1": (128, 128), "1:2": (90, 180), "1:6": (52, 312), "1:12": (36, 432)}  # Table 1
GROUPS = {1: 128, 2: 180, 4: 256, 8: 360}  # Table 2: groups -> channels
FRAGMENTS = (1, 2, 4)  # Table 3
WIDTH = 128  # channels of Tables 3 and 4


class Setting(NamedTuple):
    """A stack that is timed."""

    guideline: str
    name: str
    net: nn.Module
    channels: int  # that it reads
    convs: list[Conv]

    @property
    def macs(self) -> int:
        return sum(conv.macs for conv in self.convs)

    @property
    def mac(self) -> int:
        """Memory access cost of its convolutions."""
        return sum(conv.mac for conv in self.convs)


class Parallel(nn.Module):
    """Fragments that read the same and are added up."""

    def __init__(self, fragments: list[nn.Module]):
        super().__init__()
        self.fragments = nn.ModuleList(fragments)

    def forward(self, x: Tensor) -> Tensor:
        first, *rest = [fragment(x) for fragment in self.fragments]
        for each in rest:
            first = first + each
        return first


class Bottleneck(nn.Module):
    """ResNet's, with or without ReLU and shortcut."""

    def __init__(self, width: int, relu: bool, shortcut: bool):
        super().__init__()
        inner = width // 4
        self.convs = nn.ModuleList(
            [
                nn.Conv2d(width, inner, 1, bias=False),
                nn.Conv2d(inner, inner, 3, padding=1, bias=False),
                nn.Conv2d(inner, width, 1, bias=False),
            ]
        )
        self.relu, self.shortcut = relu, shortcut

    def forward(self, x: Tensor) -> Tensor:
        y = x
        for conv in self.convs:
            y = conv(y)
            y = torch.relu(y) if self.relu else y
        return x + y if self.shortcut else y


def settings(side: int = SIDE) -> Iterator[Setting]:
    """The stacks of the four tables, for maps of `side` pixels."""
    for ratio, (c1, c2) in RATIOS.items():
        yield _setting("G1", f"c1:c2 = {ratio}", lambda a=c1, b=c2: _pair(a, b), c1, side, 2)
    for groups, width in GROUPS.items():
        yield _setting(
            *("G2", f"g = {groups}"), lambda w=width, g=groups: _pointwise(w, w, g), width, side
        )
    for number in FRAGMENTS:
        width = round(WIDTH / sqrt(number))
        for way, join in (("in a row", nn.Sequential), ("side by side", _parallel)):
            if number > 1 or way == "in a row":
                name = "1 fragment" if number == 1 else f"{number} fragments {way}"
                yield _setting(
                    *("G3", name),
                    lambda n=number, w=width, j=join: j(*(_pointwise(w, w) for _ in range(n))),
                    *(width, side),
                )
    for relu, shortcut in ((False, False), (True, False), (False, True), (True, True)):
        name = f"{'ReLU' if relu else 'no ReLU'}, {'shortcut' if shortcut else 'no shortcut'}"
        yield _setting(
            *("G4", name), lambda r=relu, s=shortcut: Bottleneck(WIDTH, r, s), WIDTH, side
        )


def _pointwise(reads: int, gives: int, groups: int = 1) -> nn.Conv2d:
    return nn.Conv2d(reads, gives, 1, groups=groups, bias=False)


def _pair(c1: int, c2: int) -> nn.Sequential:
    return nn.Sequential(_pointwise(c1, c2), _pointwise(c2, c1))


def _parallel(*fragments: nn.Module) -> nn.Module:
    return Parallel([*fragments])


def _setting(
    guideline: str,
    name: str,
    block: Callable[[], nn.Module],
    width: int,
    side: int,
    layers: int = 1,
) -> Setting:
    net = nn.Sequential(*(block() for _ in range(DEEP // layers))).eval()
    convs = [
        Conv(
            *("", side * side, layer.in_channels, layer.out_channels, layer.groups),
            *(layer.weight[0, 0].numel(), side * side * layer.weight.numel()),
        )
        for layer in net.modules()
        if isinstance(layer, nn.Conv2d)
    ]
    return Setting(guideline, name, net, width, convs)


@torch.inference_mode()
def measured(side: int, threads: int, seconds: float, clock: str) -> list[dict]:
    """A record for each setting: what it computes and moves, and its rate beside the first of its
    guideline; all of a guideline are timed in turn, for `seconds` together.
    """
    torch.set_num_threads(threads)
    records = []
    every = list(settings(side))
    for guideline in dict.fromkeys(setting.guideline for setting in every):
        rivals = [setting for setting in every if setting.guideline == guideline]
        calls = {}
        for rival in rivals:
            x = torch.randn(1, rival.channels, side, side)
            calls[rival.name] = lambda net=rival.net, x=x: net(x)
        times = alternated(calls, seconds, CLOCKS[clock])
        rates = {rival.name: rival.macs / times[rival.name].median for rival in rivals}
        records += [
            {
                "guideline": guideline,
                "setting": rival.name,
                "macs": rival.macs,
                "mac": rival.mac,
                "milliseconds": 1000 * times[rival.name].median,
                "rate": rates[rival.name],
                "beside_first": rates[rival.name] / rates[rivals[0].name],
            }
            for rival in rivals
        ]
    return records


def main(words: list[str] | None = None) -> None:
    """Measure, and print a line for each setting."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=SIDE, help="of the maps, in pixels")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=10, help="for each guideline")
    parser.add_argument("--clock", choices=CLOCKS, default="wall")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(words)
    records = measured(asked.side, asked.threads, asked.seconds, asked.clock)
    if asked.json:
        print(json.dumps(records, indent=1))
        return
    print(f"{'':4}{'setting':28}{'multiply-adds':>15}{'MAC':>12}{'ms':>9}{'rate':>8}")
    for record in records:
        print(
            f"{record['guideline']:4}{record['setting']:28}{record['macs']:>15,}{record['mac']:>12,}"
            f"{record['milliseconds']:>9.2f}{record['beside_first']:>8.2f}"
        )


if __name__ == "__main__":
    main()
