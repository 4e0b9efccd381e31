"""MobileNetV3 with a reduced tail: Sec. 6.3 of the paper halves the channels after C4 for
detection; this is torchvision's classifier of it.

C4, the last output with stride 16, is the expansion of bneck13 in Large and of bneck9 in Small.
"""
from functools import partial

from convatlas.nets.mobilenet_v3 import LARGE, SMALL, MobileNetV3, Table
from convatlas.paper import Paper

PAPER = Paper(
    title="MobileNetV3 with a reduced tail (torchvision)",
    authors="torchvision contributors",
    year=2021, code="github.com/pytorch/vision",
    silent="There is no paper of it. Which layers: the outputs of the last three bnecks, the "
           "expansion of the last two, the last 1x1 and the layer before the classifier, as in "
           "torchvision.",
    page="mobilenet_v3_reduced_tail", bare="mobilenet_v3_large_reduced_tail")


def reduced_tail(table: Table) -> Table:
    *before, c4, second, last = table.bnecks
    return table._replace(
        bnecks=(
            *before,
            c4._replace(out=c4.out // 2),
            second._replace(exp_size=second.exp_size // 2, out=second.out // 2),
            last._replace(exp_size=last.exp_size // 2, out=last.out // 2)),
        conv=table.conv // 2,
        nbn=table.nbn // 2)


VARIANTS = {
    "mobilenet_v3_large_reduced_tail": partial(MobileNetV3, reduced_tail(LARGE)),
    "mobilenet_v3_small_reduced_tail": partial(MobileNetV3, reduced_tail(SMALL)),
}
