"""Occlusion: a grey square slides over the picture, and where the class's score falls, there the
network looked. Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014,
section 4.2.
"""

from itertools import product

import torch
import torch.nn as nn
from torch import Tensor

from convatlas.errors import InputError
from convatlas.explanation.activation_maps import ClassMaps
from convatlas.explanation.watching import Target, evaluating, targets_of

BATCH = 64
SHARE = 8  # the window's part of the picture's side, where none is given


@torch.no_grad()
def occlusion(
    net: nn.Module,
    x: Tensor,
    target: Target = None,
    window: int | None = None,
    stride: int | None = None,
    fill: float = 0.0,
    batch: int = BATCH,
) -> ClassMaps:
    """For each pixel, by how much the class's score falls on average over the windows that cover
    it; below 0 where it rises. `maps` is (N, H, W).

    x: (N, C, H, W), prepared as the network expects. `window` pixels a side [an eighth of the
    shorter one], moved by `stride` [half a window] from the upper left; the last of a row ends at
    the border. `fill` is what it shows, in the units of x: 0 is the mean of the training pictures.
    Raises InputError for a window or a stride that leaves pixels out.
    """
    height, width = x.shape[2:]
    window = window or max(1, min(height, width) // SHARE)
    stride = stride or max(1, window // 2)
    if not 1 <= stride <= window <= min(height, width):
        raise InputError(
            f"windows of {window} pixels, {stride} apart, do not cover a picture of "
            f"{height}x{width}; give a window from 1 to {min(height, width)}, and a stride from 1 "
            "to the window"
        )
    places = [*product(starts(height, window, stride), starts(width, window, stride))]
    with evaluating(net):
        logits = net(x)
        targets = targets_of(net, logits, target)
        scores = logits.gather(1, targets[:, None])[:, 0]
        drops = torch.stack(
            [
                score - _covered(net, image, int(of), places, window, fill, batch)
                for image, of, score in zip(x, targets, scores, strict=True)
            ]
        )
    maps = _spread(drops, places, window, (height, width))
    found = (maps, targets, scores, torch.zeros_like(scores))
    return ClassMaps(*(part.cpu().numpy() for part in found), "")


def starts(length: int, window: int, stride: int) -> list[int]:
    """Where windows begin along one side: every pixel is in one, and none reaches past the end."""
    return [*range(0, length - window, stride), length - window]


def _covered(
    net: nn.Module,
    image: Tensor,
    target: int,
    places: list[tuple[int, int]],
    window: int,
    fill: float,
    batch: int,
) -> Tensor:
    """(places,): the class's score of one image with the window at each place."""
    scores = []
    for begin in range(0, len(places), batch):
        some = places[begin : begin + batch]
        covered = image.expand(len(some), -1, -1, -1).clone()
        for each, (top, left) in zip(covered, some, strict=True):
            each[:, top : top + window, left : left + window] = fill
        scores.append(net(covered)[:, target])
    return torch.cat(scores)


def _spread(
    drops: Tensor, places: list[tuple[int, int]], window: int, size: tuple[int, int]
) -> Tensor:
    """(N, places) -> (N, *size): for each pixel the mean over the windows that cover it."""
    sums = drops.new_zeros(len(drops), *size)
    counts = drops.new_zeros(size)
    for i, (top, left) in enumerate(places):
        rows, columns = slice(top, top + window), slice(left, left + window)
        sums[:, rows, columns] += drops[:, i, None, None]
        counts[rows, columns] += 1
    return sums / counts
