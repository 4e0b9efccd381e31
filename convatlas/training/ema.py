"""A running average of the weights."""

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel


def averaged(net: nn.Module, decay: float) -> AveragedModel:
    """A copy of the network that follows it: parameters and running statistics, counters as they
    are.

    The n-th update keeps min(decay, (1 + n) / (10 + n)) of the average, as TensorFlow's
    ExponentialMovingAverage does with num_updates, so that the first steps do not weigh on a short
    run.
    """

    def blend(average: list[Tensor], current: list[Tensor], count: Tensor) -> None:
        if average[0].is_floating_point():
            torch._foreach_lerp_(
                average, current, 1 - min(decay, (1 + int(count)) / (10 + int(count)))
            )
        else:
            torch._foreach_copy_(average, current)

    return AveragedModel(net, multi_avg_fn=blend, use_buffers=True)
