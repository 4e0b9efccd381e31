"""MobileNetV1 as EfficientNet's Table 3 scales it up, to show that depth, width and resolution
should grow together.

    row of Table 3                          network                 d     w     pixels
    by width (w=2)                          mobilenet_v1_x2_0       1     2     224
    by resolution (r=2)                     mobilenet_v1 itself     1     1     448
    compound scale (d=1.4, w=1.2, r=1.3)    mobilenet_v1_compound   1.4   1.2   299

d times as many layers in every stage, rounded up; w times as many channels in every layer.
"""
from functools import partial
from math import ceil

from convatlas.nets.mobilenet_v1 import TABLE, MobileNetV1, Row, separable
from convatlas.paper import Paper

PAPER = Paper(
    title="EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks",
    authors="Tan, Le",
    year=2019, venue="ICML", arxiv="1905.11946v5",
    silent="How the networks of Table 3 are rounded. Layers are rounded up, as the authors' code "
           "does for EfficientNet, channels down, as MobileNetV1's multiplier is applied here. A "
           "stage is a layer that halves the map or widens it, with those like it that follow. r = "
           "1.3 is 299 pixels, as Figure 4's caption has it.",
    page="efficientnet", bare="mobilenet_v1_compound")


def deeper(rows: tuple[Row, ...], d: float) -> tuple[Row, ...]:
    """Every stage with d times its layers, rounded up; new ones are named after the stage's first,
    conv8_5 being the sixth layer of the stage that begins with conv8.
    """
    stages: list[list[Row]] = []
    for row in rows:
        if stages and row.s == 1 and row.c == stages[-1][0].c:
            stages[-1].append(row)
        else:
            stages.append([row])
    scaled: list[Row] = []
    for stage in stages:
        first = stage[0]
        scaled += stage
        for i in range(len(stage), ceil(len(stage) * d)):
            scaled.append(first._replace(name=f"{first.name}_{i}", s=1))
    return tuple(scaled)


class MobileNetV1Compound(MobileNetV1):
    """(N, 3, 299, 299) -> (N, num_classes)"""
    side = 299


VARIANTS = {
    "mobilenet_v1_x2_0": partial(MobileNetV1, separable, alpha=2.0),
    "mobilenet_v1_compound": partial(MobileNetV1Compound, separable, deeper(TABLE, 1.4), alpha=1.2),
}
