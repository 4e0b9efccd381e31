"""Memory-Efficient Implementation of DenseNets (Pleiss, Chen, Huang, Li, van der Maaten,
Weinberger; 2017).

A layer of DenseNet reads all maps before it, so that the concatenations kept for the backward pass
grow with the square of the depth. Here none is kept: the backward pass computes the concatenation,
batch norm, ReLU and 1x1 convolution of a layer again, from the maps themselves.
"""
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch
import torch.nn as nn
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from convatlas.nets.densenet import TABLE, Bottleneck, DenseNet
from convatlas.nets.densenet_cifar import DENSENET_BC, DenseNetCIFAR
from convatlas.paper import Paper

PAPER = Paper(
    title="Memory-Efficient Implementation of DenseNets",
    authors="Pleiss, Chen, Huang, Li, van der Maaten, Weinberger",
    year=2017, arxiv="1707.06990v1", code="github.com/gpleiss/efficient_densenet_pytorch",
    silent="A layer is computed again up to its 1x1 convolution, as in the authors' code, and "
           "without their shared buffers. What the second run would add to running statistics is "
           "undone, as in their code for Torch, so that training is the same to the bit. The "
           "configuration of 264 layers with k = 48 is Table 1's of 264.",
    page="densenet_checkpointed", bare="densenet201_checkpointed")


@contextmanager
def keeping_statistics(bn: nn.BatchNorm2d) -> Iterator[None]:
    """Undoes what `bn` adds to its running statistics inside: a batch counts once."""
    before = [buffer.clone() for buffer in bn.buffers()]
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, value in zip(bn.buffers(), before, strict=True):
                buffer.copy_(value)


class CheckpointedBottleneck(Bottleneck):
    """The same layer; in training, all up to the output of `conv1` is computed again when needed.

    Several maps (N, c_i, H, W), of c channels together -> (N, k, H, W)
    """

    def forward(self, *maps: Tensor) -> Tensor:
        if not self.training:
            return super().forward(*maps)
        # compiled, the second run counts no batch anyway
        again = {} if torch.compiler.is_compiling() else {"context_fn": self.contexts}
        return self.conv2(checkpoint(self.narrow, *maps, use_reentrant=False, **again))

    def narrow(self, *maps: Tensor) -> Tensor:
        """(N, c_i, H, W), ... -> (N, 4k, H, W)"""
        return self.conv1(torch.cat(maps, 1))

    def contexts(self) -> tuple[AbstractContextManager, AbstractContextManager]:
        """Of the first run and of the second."""
        return nullcontext(), keeping_statistics(self.conv1.bn)


def imagenet(blocks: tuple[int, int, int, int], k: int) -> partial:
    return partial(DenseNet, CheckpointedBottleneck, blocks, k)


def cifar(L: int, k: int) -> partial:
    form = DENSENET_BC._replace(layer=CheckpointedBottleneck)
    return partial(DenseNetCIFAR, form, L, k)


VARIANTS = {
    "densenet121_checkpointed": imagenet(TABLE["densenet121"].blocks, k=32),
    "densenet201_checkpointed": imagenet(TABLE["densenet201"].blocks, k=32),
    "densenet264_k48_checkpointed": imagenet(TABLE["densenet264"].blocks, k=48),
    "densenet_bc100_k12_cifar_checkpointed": cifar(100, k=12),      # the authors' README
    "densenet_bc190_k40_cifar_checkpointed": cifar(190, k=40),
}
