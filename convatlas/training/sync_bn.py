"""Batch norm over the whole batch of all processes. torch's own refuses tensors of
the processor.
"""

import torch
import torch.distributed as dist
from torch import Tensor, nn


class _Sum(torch.autograd.Function):
    """The sum over all processes, (c) -> (c); each one's gradient is the sum of theirs."""

    @staticmethod
    def forward(context, x: Tensor) -> Tensor:
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(context, gradient: Tensor) -> Tensor:
        return _Sum.forward(context, gradient)


class SyncBatchNorm2d(nn.BatchNorm2d):
    """nn.BatchNorm2d that learns from the images of all processes. (N, C, H, W) ->
    the same shape
    """

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        self._check_input_dim(x)
        wide = x.float() if x.dtype in (torch.bfloat16, torch.float16) else x
        count = torch.tensor([x.numel() / x.shape[1]], dtype=torch.float64, device=x.device)
        dist.all_reduce(count)
        count = float(count)
        mean = _Sum.apply(wide.sum((0, 2, 3))) / count
        away = wide - mean[:, None, None]
        variance = _Sum.apply(away.square().sum((0, 2, 3))) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        y = away * (variance + self.eps).rsqrt()[:, None, None]
        if self.affine:
            scale = 1.0 if self.weight is None else self.weight[:, None, None]
            y = y * scale + self.bias[:, None, None]
        return y.to(x.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        if self.track_running_stats:
            self.num_batches_tracked.add_(1)
            share = (
                self.momentum if self.momentum is not None else 1 / int(self.num_batches_tracked)
            )
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), share)
            self.running_var.lerp_(variance.to(self.running_var.dtype), share)


def synchronise(net: nn.Module) -> None:
    """Make every batch norm of the network one over all processes; names, weights and statistics
    stay.
    """
    for module in net.modules():
        is_plain = isinstance(module, nn.BatchNorm2d) and (
            type(module).forward is nn.BatchNorm2d.forward
        )
        if is_plain:
            module.__class__ = SyncBatchNorm2d
