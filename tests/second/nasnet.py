"""Zoph and others, Learning Transferable Architectures for Scalable Image Recognition: Figures 2
and 4, Appendix A.4, Tables 1 to 3; what they leave open as in the authors' release (TensorFlow's
slim, nets/nasnet).
"""

from functools import partial

import torch.nn.functional as F
from plain import cat, conv, linear, mean, norm

EPS = {"imagenet": 1e-3, "cifar": 1e-5}


def same(x, kernel, stride, value=0.0):
    """SAME: of an odd number of new rows or columns the smaller half above and to the left."""
    border = []
    for size in (x.shape[3], x.shape[2]):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        border += [total // 2, total - total // 2]
    return F.pad(x, border, value=value)


class Cells:
    """A network's epsilon, and the words of its cells."""

    def __init__(self, w, eps):
        self.w, self.eps = w, eps

    def one(self, x, name, width, active=True):
        """ReLU, 1x1, batch norm."""
        x = conv(self.w, F.relu(x) if active else x, f"{name}.conv", width, 1)
        return norm(self.w, x, f"{name}.bn", self.eps)

    def separable(self, kernel, x, name, width, stride):
        """Applied twice (A.4), each time ReLU, depthwise, pointwise, batch norm; the first time
        it strides and changes the width.
        """
        for i, s in ((1, stride), (2, 1)):
            x, layer = same(F.relu(x), kernel, s), f"{name}.separable{i}"
            c = x.shape[1]
            x = conv(self.w, x, f"{layer}.depthwise", c, kernel, s, groups=c, padding=0)
            x = conv(self.w, x, f"{layer}.pointwise", width, 1)
            x = norm(self.w, x, f"{layer}.bn", self.eps)
        return x

    def fitted(self, x, name, width):
        """A pool keeps the width of what it reads: 1x1 and batch norm where that is another."""
        return x if x.shape[1] == width else self.one(x, name, width, active=False)

    def max3(self, x, name, width, stride):
        x = F.max_pool2d(same(x, 3, stride, float("-inf")), 3, stride)
        return self.fitted(x, name, width)

    def avg3(self, x, name, width, stride):
        """Means of what lies in the map."""
        inside = F.avg_pool2d(same(x.new_ones(x.shape), 3, stride), 3, stride)
        x = F.avg_pool2d(same(x, 3, stride), 3, stride) / inside
        return self.fitted(x, name, width)

    def identity(self, x, name, width, stride):
        return x if x.shape[1] == width else self.one(x, name, width)

    def halved(self, x, name, width):
        """Every second pixel, and every second from the second on, each a half of the width."""
        x = F.relu(x)
        a = conv(self.w, x[:, :, ::2, ::2], f"{name}.path1", width // 2, 1)
        x = F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:]
        b = conv(self.w, x[:, :, ::2, ::2], f"{name}.path2", width // 2, 1)
        return norm(self.w, cat(a, b), f"{name}.bn", self.eps)

    def earlier(self, x, before, name, width):
        """What is read beside `x`: of its size, and of the cell's width if it is not `x` itself."""
        if before is None:
            return x
        if before.shape[3] != x.shape[3]:
            return self.halved(before, f"{name}.previous", width)
        if before.shape[1] != width:
            return self.one(before, f"{name}.previous", width)
        return before

    def blocks(self, table, x, before, name, width, stride):
        """h_i and h_(i-1), then five sums of two operations; only h_i and h_(i-1) are strided."""
        states = [self.one(x, f"{name}.current", width), self.earlier(x, before, name, width)]
        for i, pair in enumerate(table, 1):
            sides = [
                getattr(self, kind[0])(
                    *kind[1:],
                    states[source],
                    f"{name}.block{i}.{side}",
                    width,
                    stride if source < 2 else 1,
                )
                for side, (source, *kind) in zip(("left", "right"), pair, strict=True)
            ]
            states.append(sides[0] + sides[1])
        return states

    def normal(self, x, before, name, width):
        states = self.blocks(NORMAL, x, before, name, width, 1)
        if states[1].shape[1] != width:
            states[1] = self.one(states[1], f"{name}.reduced", width, active=False)
        return self.w.stage(name, cat(*states[1:]))

    def reduction(self, x, before, name, width):
        """The first of the five sums is read by others, and is no output."""
        states = self.blocks(REDUCTION, x, before, name, width, 2)
        return self.w.stage(name, cat(*states[3:]))


SEP3, SEP5, SEP7 = (("separable", kernel) for kernel in (3, 5, 7))
AVG, MAX, IDENTITY = ("avg3",), ("max3",), ("identity",)
# Figure 4: 0 is h_i, 1 is h_(i-1), 2 and more are the sums of the cell
NORMAL = (
    ((0, *SEP5), (1, *SEP3)),
    ((1, *SEP5), (1, *SEP3)),
    ((0, *AVG), (1, *IDENTITY)),
    ((1, *AVG), (1, *AVG)),
    ((0, *SEP3), (0, *IDENTITY)),
)
REDUCTION = (
    ((0, *SEP5), (1, *SEP7)),
    ((0, *MAX), (1, *SEP7)),
    ((0, *AVG), (1, *SEP5)),
    ((3, *IDENTITY), (2, *AVG)),
    ((2, *SEP3), (0, *MAX)),
)


def nasnet(w, x, n, penultimate, stem, kind, skip=False):
    """N @ P: thrice N normal cells, the last of which gives P maps: six times a cell's width.
    `skip`: the cell behind a reduction reads, beside it, what the reduction read beside its input.
    """
    cells, width = Cells(w, EPS[kind]), penultimate // 24
    if kind == "imagenet":
        x = conv(w, x, "conv0.conv", stem, 3, stride=2, padding=0)
        outputs = [None, norm(w, x, "conv0.bn", cells.eps)]
        for i in (0, 1):
            thin = int(width / 4 * 2**i)
            outputs.append(cells.reduction(outputs[-1], outputs[-2], f"stem{i + 1}", thin))
    else:
        x = conv(w, x, "conv0.conv", stem, 3)
        outputs = [None, norm(w, x, "conv0.bn", cells.eps)]
    for i in range(3 * n):
        before = outputs[-2]
        if i in (n, 2 * n):
            width *= 2
            outputs.append(cells.reduction(outputs[-1], before, f"reduction{i // n}", width))
        if not skip:
            before = outputs[-2]
        outputs.append(cells.normal(outputs[-1], before, f"cell{i + 1}", width))
    return linear(w, mean(F.relu(outputs[-1])), "fc")


NETWORKS = {
    "nasnet_a_mobile": partial(nasnet, n=4, penultimate=1056, stem=32, kind="imagenet"),
    "nasnet_a_large": partial(nasnet, n=6, penultimate=4032, stem=96, kind="imagenet", skip=True),
    "nasnet_a_6_768_cifar": partial(nasnet, n=6, penultimate=768, stem=96, kind="cifar"),
    "nasnet_a_7_2304_cifar": partial(nasnet, n=7, penultimate=2304, stem=288, kind="cifar"),
}
