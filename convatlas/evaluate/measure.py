"""Every picture of a set shown to a network once, or in several views, and its answers counted."""
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from convatlas.data import DataError, Feed
from convatlas.data.readers import Reading, stream
from convatlas.evaluate.counts import Evaluation
from convatlas.evaluate.dense import Dense
from convatlas.evaluate.views import Views

Answers = Iterator[tuple[Tensor, Tensor]]       # logits float32 or float64 (N, classes), labels (N,)


def evaluate(net: nn.Module, feed: Feed, num_classes: int,
             loss_of: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy, views: Views | None = None) -> Evaluation:
    """Every picture of the feed once, in evaluation mode; the network's own mode and device are kept.

    `loss_of` takes logits (N, classes) and labels (N,) and returns the mean over the batch; with several views it is
    given the logarithm of the mean softmax. Raises ViewsError for views that the network cannot read, DataError for
    pictures that cannot be read.
    """
    was_training = net.training
    net.eval()
    found = Evaluation.none(num_classes)
    try:
        with torch.inference_mode():
            answers = _as_trained(net, feed) if views is None or views.as_trained else _in_views(net, feed, views)
            for logits, labels in answers:
                found += Evaluation.of(logits, labels, float(loss_of(logits.double(), labels)))
    finally:
        net.train(was_training)
    return found


def require_views(net: nn.Module, side: int, views: Views) -> None:
    """Raises ViewsError unless this network, trained at this side, can be shown these views."""
    if not views.as_trained:
        views.sizes_for(side)
    if views.crops == "dense":
        Dense(net)


def _as_trained(net: nn.Module, feed: Feed) -> Answers:
    device = next(net.parameters()).device
    for x, labels, _ in feed.all():
        yield net(x.to(device)).float().cpu(), labels


def _in_views(net: nn.Module, feed: Feed, views: Views) -> Answers:
    """A batch's worth of views at a time, cut by the feed's workers."""
    dense = views.crops == "dense"
    answer = Dense(net).eval() if dense else net
    turns = feed.blocks(1 if dense else max(1, feed.batch_size // views.count(feed.prep.side)))
    cut = partial(_cut, feed, views, turns)
    for turn, stacks in zip(turns, stream(cut, range(len(turns)), feed.split, feed.workers, feed.timeout), strict=True):
        if isinstance(stacks, DataError):
            raise stacks
        shares = torch.cat([share for stack in stacks for share in _softmax(answer, stack, feed)])
        mean = shares.unflatten(0, (len(turn), -1)).mean(1)
        yield mean.clamp_min(torch.finfo(mean.dtype).tiny).log(), feed.split.labels[turn]


def _cut(feed: Feed, views: Views, turns: Sequence[Tensor], step: int, reading: Reading) -> list[Tensor]:
    """The views of these pictures, one picture's after the other's, a stack for each shape: uint8 (views, C, h, w)."""
    stacks = []
    for i in turns[step].tolist():
        reading(i)
        stacks += views.of(feed.prep.in_channels(feed.split.read(i)[None])[0], feed.prep.side)
    return stacks if views.crops == "dense" else [torch.cat(stacks)]


def _softmax(net: nn.Module, views: Tensor, feed: Feed) -> Iterator[Tensor]:
    """uint8 (views, C, h, w) -> float64 (views, classes), a batch at a time."""
    device = next(net.parameters()).device
    for batch in views.split(feed.batch_size):
        yield net(feed.prep.normalise(batch.to(device))).double().softmax(1).cpu()
