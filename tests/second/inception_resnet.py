"""Szegedy and others, Inception-v4, Inception-ResNet: Figures 3, 7, 10 to 19; branches in the order
of the authors' release, which also has the scales and the 0.001 of batch norm.
"""

import torch.nn.functional as F
from plain import cat, conv, conv_norm, linear, max_pool, mean


def step(w, x, name, width, kernel, stride=1, valid=False):
    """A box of the figures; V is `valid`."""
    padding = 0 if valid else None
    return F.relu(conv_norm(w, x, name, width, kernel, stride, padding=padding, eps=1e-3))


def chain(w, x, name, *boxes):
    for i, box in enumerate(boxes, 1):
        x = step(w, x, f"{name}.conv{i}", *box)
    return x


def reduced(width, kernel=3):
    return width, kernel, 2, True


def stem_v1(w, x):
    """Figure 14."""
    x = chain(w, x, "stem.convs", reduced(32), (32, 3, 1, True), (64, 3))
    x = max_pool(x, 3, 2)
    return chain(w, x, "stem.more", (80, 1), (192, 3, 1, True), reduced(256))


def stem_v2(w, x):
    """Figure 3."""
    x = chain(w, x, "stem.convs", reduced(32), (32, 3, 1, True), (64, 3))
    x = cat(max_pool(x, 3, 2), chain(w, x, "stem.concat1.branch2", reduced(96)))
    a = chain(w, x, "stem.concat2.branch1", (64, 1), (96, 3, 1, True))
    b = ((64, 1), (64, (1, 7)), (64, (7, 1)), (96, 3, 1, True))
    x = cat(a, chain(w, x, "stem.concat2.branch2", *b))
    return cat(chain(w, x, "stem.concat3.branch1", reduced(192)), max_pool(x, 3, 2))


def residual(w, x, name, scale, *branches):
    """Figures 10, 11, 13, 16, 17 and 19; the last 1x1 is linear, as wide as what it is added to."""
    out = [chain(w, x, f"{name}.branches.branch{i}", *boxes) for i, boxes in enumerate(branches, 1)]
    out = conv(w, cat(*out), f"{name}.linear", x.shape[1], 1, bias=True)
    return F.relu(x + scale * out)


def reduction(w, x, name, *branches):
    """Figures 7, 12 and 18."""
    out = [chain(w, x, f"{name}.branch{i}", *boxes) for i, boxes in enumerate(branches, 1)]
    return w.stage(name, cat(*out, max_pool(x, 3, 2)))


def inception_resnet(w, x, stem, a, reduction_a, b, reduction_b, c):
    """Figure 15: 5 of A, 10 of B, 5 of C."""
    x = w.stage("stem", stem(w, x))
    for i in range(5):
        x = residual(w, x, f"inception_resnet_a.{i}", 0.17, *a)
    x = reduction(w, x, "reduction_a", *reduction_a)
    for i in range(10):
        x = residual(w, x, f"inception_resnet_b.{i}", 0.10, *b)
    x = reduction(w, x, "reduction_b", *reduction_b)
    for i in range(5):
        x = residual(w, x, f"inception_resnet_c.{i}", 0.20, *c)
    return linear(w, mean(x), "fc")


def v1(w, x):
    return inception_resnet(
        w,
        x,
        stem_v1,
        a=([(32, 1)], [(32, 1), (32, 3)], [(32, 1), (32, 3), (32, 3)]),
        reduction_a=([reduced(384)], [(192, 1), (192, 3), reduced(256)]),
        b=([(128, 1)], [(128, 1), (128, (1, 7)), (128, (7, 1))]),
        reduction_b=(
            [(256, 1), reduced(384)],
            [(256, 1), reduced(256)],
            [(256, 1), (256, 3), reduced(256)],
        ),
        c=([(192, 1)], [(192, 1), (192, (1, 3)), (192, (3, 1))]),
    )


def v2(w, x):
    return inception_resnet(
        w,
        x,
        stem_v2,
        a=([(32, 1)], [(32, 1), (32, 3)], [(32, 1), (48, 3), (64, 3)]),
        reduction_a=([reduced(384)], [(256, 1), (256, 3), reduced(384)]),
        b=([(192, 1)], [(128, 1), (160, (1, 7)), (192, (7, 1))]),
        reduction_b=(
            [(256, 1), reduced(384)],
            [(256, 1), reduced(288)],
            [(256, 1), (288, 3), reduced(320)],
        ),
        c=([(192, 1)], [(192, 1), (224, (1, 3)), (256, (3, 1))]),
    )


NETWORKS = {"inception_resnet_v1": v1, "inception_resnet_v2": v2}
