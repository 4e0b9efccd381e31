"""A module that holds any function, as the tests of other people's modules need one."""

import torch
import torch.nn as nn

from convatlas.anatomy import summary

X = torch.zeros(1, 3, 8, 8)


REAL = "counted on a real pass: without numbers, "


class Call(nn.Module):
    """Any function of a convolution's output as the rest of a network."""

    def __init__(self, function=lambda x: x):
        super().__init__()
        self.function = function
        self.conv = nn.Conv2d(3, 4, 3, padding=1, bias=False)

    def forward(self, x):
        return self.function(self.conv(x))


CONV = (4 * 27, 64 * 4 * 27)  # its parameters and multiply-adds on 8x8


def figures(net, *args, **kwargs) -> tuple[int, int]:
    counted = summary(net, *args, **kwargs)
    return counted.params, counted.macs


CONSTANT = torch.full((4, 1, 1), 2.0)


READS = {
    "item": lambda y: y * y.mean().item(),
    "if": lambda y: y if y.mean() > 100 else -y,
    "assert": lambda y: [y, torch.isfinite(y).all().item()][0],
    "a constant of the file": lambda y: y * CONSTANT,
    "numpy": lambda y: y + torch.from_numpy(y.numpy()),
    "nonzero": lambda y: y * len(y.nonzero()),
    "masked": lambda y: y * y[y > 0].sum(),
}
