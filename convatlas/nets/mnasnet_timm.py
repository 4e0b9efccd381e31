"""MnasNet-small as timm has it: a shortcut around the first separable convolution, too."""
from functools import partial

from convatlas.nets.mnasnet import SMALL, Conv, MBConv, MnasNet, Row
from convatlas.paper import Paper

PAPER = Paper(
    title="MnasNet-small (timm)",
    authors="timm contributors",
    year=2019, code="github.com/huggingface/pytorch-image-models timm/models/efficientnet.py",
    silent="There is no paper of this form. The authors' code allows a shortcut in the first block "
           "of the small network and never takes it, for it says that the block reads 16 channels, "
           "not the 8 that it does read. All else is mnasnet_small: epsilon 1e-5, initial weights.",
    departs="Batch norm's momentum is that of mnasnet_small, 0.01; timm has PyTorch's 0.1.",
    page="mnasnet_timm", bare="mnasnet_small_timm")


class Shortcut(MBConv):
    """(N, c_in, H, W) -> (N, c_out, H/s, W/s), rounded up"""

    def __init__(self, c_in: int, c_out: int, row: Row, s: int, conv: Conv):
        super().__init__(c_in, c_out, row, s, conv)
        self.residual = s == 1 and c_in == c_out


VARIANTS = {"mnasnet_small_timm": partial(MnasNet, SMALL, layer=Shortcut)}
