"""Every image of a set shown to a network once, or in several views, and its answers counted."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas.data import Loader
from convatlas.data.readers import Reading, stream
from convatlas.errors import DataError
from convatlas.evaluation.counts import Evaluation
from convatlas.evaluation.dense import Dense
from convatlas.evaluation.multi_crop import MultiCrop
from convatlas.evaluation.noting import Noting

MANY = 1000  # classes, from which on a batch is counted in parts
PART = 2**18  # logits of a part

# places in the split (N,), logits float32 or float64 (N, classes), labels (N,)
Answers = Iterator[tuple[Tensor, Tensor, Tensor]]


def evaluate(
    net: nn.Module,
    loader: Loader,
    num_classes: int,
    loss_of: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    views: MultiCrop | None = None,
    noting: Noting | None = None,
) -> Evaluation:
    """Every image of the loader once, in evaluation mode; the network's own mode and device are
    kept. `noting` is told what was answered for each.

    `loss_of` takes logits (N, classes) and labels (N,) and returns the mean over the batch; with
    several views it is given the logarithm of the mean softmax. Raises MultiCropError for views
    that the network cannot read, DataError for images that cannot be read.
    """
    was_training = net.training
    net.eval()
    found = []
    try:
        with torch.inference_mode():
            answers = (
                _as_trained(net, loader)
                if views is None or views.as_trained
                else _in_views(net, loader, views)
            )
            for batch in answers:
                counted = []
                for indices, logits, labels in _parts(*batch):
                    loss = float(loss_of(logits.double(), labels))
                    counted.append(Evaluation.of(logits, labels, loss))
                    if noting:
                        noting(indices, logits, labels)
                found.append(Evaluation.sum(num_classes, counted))
    finally:
        net.train(was_training)
    return Evaluation.sum(num_classes, found)


def _parts(indices: Tensor, logits: Tensor, labels: Tensor) -> Answers:
    """A batch, or so much of it at a time as a processor counts in its cache: with 10,000 classes
    that is three times as fast as all at once.
    """
    classes = logits.shape[1]
    rows = len(labels) if classes <= MANY else max(1, PART // classes)
    return zip(indices.split(rows), logits.split(rows), labels.split(rows), strict=True)


def require_multi_crop(net: nn.Module, side: int, views: MultiCrop) -> None:
    """Raises MultiCropError unless this network, trained at this side, can be shown these views."""
    if not views.as_trained:
        views.sizes_for(side)
    if views.crops == "dense":
        Dense(net)


def _as_trained(net: nn.Module, loader: Loader) -> Answers:
    device = next(net.parameters()).device
    for x, labels, indices in loader.all():
        yield indices, net(x.to(device)).float().cpu(), labels


def _in_views(net: nn.Module, loader: Loader, views: MultiCrop) -> Answers:
    """A batch's worth of views at a time, cut by the loader's workers."""
    dense = views.crops == "dense"
    answer = Dense(net).eval() if dense else net
    turns = loader.blocks(
        1 if dense else max(1, loader.batch_size // views.count(loader.prep.side))
    )
    cut = partial(_cut, loader, views, turns)
    for turn, stacks in zip(
        turns,
        stream(cut, range(len(turns)), loader.split, loader.workers, loader.timeout),
        strict=True,
    ):
        if isinstance(stacks, DataError):
            raise stacks
        shares = torch.cat([share for stack in stacks for share in _softmax(answer, stack, loader)])
        mean = shares.unflatten(0, (len(turn), -1)).mean(1)
        logits = mean.clamp_min(torch.finfo(mean.dtype).tiny).log()
        yield turn, logits, loader.split.labels[turn]


def _cut(
    loader: Loader, views: MultiCrop, turns: Sequence[Tensor], step: int, reading: Reading
) -> list[Tensor]:
    """The views of these images, one image's after the other's, a stack for each shape: uint8
    (views, C, h, w).
    """
    stacks = []
    for i in turns[step].tolist():
        reading(i)
        image = loader.split.read(i, white=loader.prep.white)
        seen = loader.prep.in_channels(image[None])[0]
        stacks += views.of(seen, loader.prep.side, loader.prep.interpolation)
    return stacks if views.crops == "dense" else [torch.cat(stacks)]


def _softmax(net: nn.Module, views: Tensor, loader: Loader) -> Iterator[Tensor]:
    """uint8 (views, C, h, w) -> float64 (views, classes), a batch at a time."""
    device = next(net.parameters()).device
    for batch in views.split(loader.batch_size):
        yield net(loader.prep.normalise(batch.to(device))).cpu().double().softmax(1)
