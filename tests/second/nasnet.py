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
            x, c = same(F.relu(x), kernel, s), x.shape[1]
            x = conv(self.w, x, f"{name}.depthwise{i}", c, kernel, s, groups=c, padding=0)
            x = conv(self.w, x, f"{name}.pointwise{i}", width, 1)
            x = norm(self.w, x, f"{name}.bn{i}", self.eps)
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
        return norm(self.w, cat(a, b), f"{name}.paths_bn", self.eps)

    def earlier(self, x, before, name, width):
        """What is read beside `x`: of its size, and of the cell's width if it is not `x` itself."""
        if before is None:
            return x
        if before.shape[3] != x.shape[3]:
            return self.halved(before, f"{name}.before", width)
        if before.shape[1] != width:
            return self.one(before, f"{name}.before", width)
        return before

    def blocks(self, table, x, before, name, width, stride):
        """h_i and h_(i-1), then five sums of two operations; only h_i and h_(i-1) are strided."""
        states = [self.one(x, f"{name}.current", width), self.earlier(x, before, name, width)]
        for i, (left, right) in enumerate(table):
            a = self.operation(*left, states, f"{name}.left.{i}", width, stride)
            b = self.operation(*right, states, f"{name}.right.{i}", width, stride)
            states.append(a + b)
        return states

    def operation(self, source, kind, states, name, width, stride):
        stride = stride if source < 2 else 1
        if isinstance(kind, int):
            return self.separable(kind, states[source], name, width, stride)
        return getattr(self, kind)(states[source], name, width, stride)

    def normal(self, x, before, name, width):
        states = self.blocks(NORMAL, x, before, name, width, 1)
        if states[1].shape[1] != width:
            states[1] = self.one(states[1], f"{name}.joining", width, active=False)
        return self.w.stage(name, cat(*states[1:]))

    def reduction(self, x, before, name, width):
        """The first of the five sums is read by others, and is no output."""
        states = self.blocks(REDUCTION, x, before, name, width, 2)
        return self.w.stage(name, cat(*states[3:]))


# Figure 4: 0 is h_i, 1 is h_(i-1), 2 and more are the sums of the cell; of separable convolutions
# the size of their kernels
NORMAL = (
    ((0, 5), (1, 3)),
    ((1, 5), (1, 3)),
    ((0, "avg3"), (1, "identity")),
    ((1, "avg3"), (1, "avg3")),
    ((0, 3), (0, "identity")),
)
REDUCTION = (
    ((0, 5), (1, 7)),
    ((0, "max3"), (1, 7)),
    ((0, "avg3"), (1, 5)),
    ((3, "identity"), (2, "avg3")),
    ((2, 3), (0, "max3")),
)


def nasnet(w, x, n, penultimate, stem, kind, skip=False, heads=False):
    """N @ P: thrice N normal cells, the last of which gives P maps: six times a cell's width.
    `skip`: the cell behind a reduction reads, beside it, what the reduction read beside its input.
    """
    cells, width = Cells(w, EPS[kind]), penultimate // 24
    if kind == "imagenet":
        x = conv(w, x, "conv1.conv", stem, 3, stride=2, padding=0)
        outputs = [None, w.stage("conv1", norm(w, x, "conv1.bn", cells.eps))]
        for i in (1, 2):  # a quarter and a half of the width
            x = cells.reduction(outputs[-1], outputs[-2], f"stem{i}.0", width * i // 4)
            outputs.append(x)
    else:
        x = conv(w, x, "conv1.conv", stem, 3)
        outputs = [None, w.stage("conv1", norm(w, x, "conv1.bn", cells.eps))]
    for i in range(3 * n):
        before, group = outputs[-2], i // n + 1
        if i in (n, 2 * n):
            aside = outputs[-1]
            width *= 2
            outputs.append(cells.reduction(outputs[-1], before, f"reduction{i // n}.0", width))
        if not skip:
            before = outputs[-2]
        outputs.append(cells.normal(outputs[-1], before, f"normal{group}.{i % n}", width))
    logits = linear(w, mean(F.relu(outputs[-1])), "fc")
    if not heads:
        return logits
    return [(logits, 1.0), (auxiliary(w, aside, cells.eps), 0.4)]


def auxiliary(w, x, eps):
    """Means of 5x5 every third pixel, 1x1, and a convolution over all that is left. Maps of other
    sizes than the printed images' are the atlas's choice: those too small for the means go without
    them, what is too small for the convolution is brought to its size, and what it gives is
    averaged.
    """
    x = F.relu(x)
    if min(x.shape[2:]) >= 5:
        x = F.avg_pool2d(x, 5, 3)
    side = w["aux.convs.conv2.weight"].shape[-1]
    x = F.adaptive_avg_pool2d(x, [max(side, size) for size in x.shape[2:]])
    x = F.relu(norm(w, conv(w, x, "aux.convs.conv1", 128, 1), "aux.convs.bn1", eps))
    x = conv(w, x, "aux.convs.conv2", 768, side, padding=0)
    return linear(w, mean(F.relu(norm(w, x, "aux.convs.bn2", eps))), "aux.fc")


FORMS = {
    "nasnet_a_4_1056": partial(nasnet, n=4, penultimate=1056, stem=32, kind="imagenet"),
    "nasnet_a_6_4032": partial(nasnet, n=6, penultimate=4032, stem=96, kind="imagenet", skip=True),
    "nasnet_a_6_768_cifar": partial(nasnet, n=6, penultimate=768, stem=96, kind="cifar"),
}
NETWORKS = FORMS
HEADS = {name: partial(form, heads=True) for name, form in FORMS.items()}
SLOW = ("nasnet_a_6_4032", "nasnet_a_6_768_cifar")
