"""NASNet-A's graph as its release makes it (tensorflow/models, research/slim/nets/nasnet), with
that code's own lists. See tf_slim.py.
"""

import torch
import torch.nn.functional as F
from tf_slim import Scope, pad_same, padding
from torch import Tensor

NORMAL = (
    ("sep5", "sep3", "sep5", "sep3", "avg", "none", "avg", "avg", "sep3", "none"),
    (0, 1, 1, 1, 0, 1, 1, 1, 0, 0),
    (1, 0, 0, 0, 0, 0, 0),
)
REDUCTION = (
    ("sep5", "sep7", "max", "sep7", "avg", "sep5", "none", "avg", "sep3", "max"),
    (0, 1, 0, 1, 0, 1, 3, 2, 2, 0),
    (1, 1, 1, 0, 0, 0, 0),
)


class NASNetScope(Scope):
    """Convolutions and their norms have scopes side by side, and there is no root."""

    def __init__(self, epsilon: float):
        super().__init__("", F.relu)
        self.epsilon = epsilon

    def conv_bn(self, x: Tensor, c: int, k: int, scope: str, norm: str, stride: int = 1) -> Tensor:
        w = self.kernel(f"{scope}/weights", (k, k, x.shape[1], c))
        return self.norm(F.conv2d(x, w, stride=stride), norm)

    def separable(self, x: Tensor, c: int, k: int, scope: str, number: int, stride: int) -> Tensor:
        channels = x.shape[1]
        place = f"{scope}/separable_{k}x{k}_{number}"
        w = self.variable(f"{place}/depthwise_weights", (k, k, channels, 1), std=2**0.5 / k)
        x = pad_same(F.relu(x), (k, k), stride)
        x = F.conv2d(x, w.permute(2, 3, 0, 1), stride=stride, groups=channels)
        x = F.conv2d(x, self.kernel(f"{place}/pointwise_weights", (1, 1, channels, c)))
        return self.norm(x, f"{scope}/bn_sep_{k}x{k}_{number}")


def pool(x: Tensor, kind: str, stride: int) -> Tensor:
    """3x3, SAME: what lies beyond the edge has no part in it."""
    rows, columns = (padding(size, 3, stride) for size in x.shape[2:])
    if kind == "max":
        return F.max_pool2d(F.pad(x, (*columns, *rows), value=-float("inf")), 3, stride)
    ones = F.pad(torch.ones_like(x), (*columns, *rows))
    sums = F.avg_pool2d(F.pad(x, (*columns, *rows)), 3, stride)
    return sums / F.avg_pool2d(ones, 3, stride)


def operation(s: NASNetScope, x: Tensor, kind: str, c: int, stride: int, scope: str) -> Tensor:
    if kind.startswith("sep"):
        k = int(kind[3])
        return s.separable(s.separable(x, c, k, scope, 1, stride), c, k, scope, 2, 1)
    if kind == "none":
        if stride == 1 and x.shape[1] == c:
            return x
        return s.conv_bn(F.relu(x), c, 1, f"{scope}/1x1", f"{scope}/bn_1", stride)
    pooled = pool(x, kind, stride)
    if x.shape[1] == c:
        return pooled
    return s.conv_bn(pooled, c, 1, f"{scope}/1x1", f"{scope}/bn_1")


def factorized(s: NASNetScope, x: Tensor, c: int, scope: str) -> Tensor:
    halves = []
    for number, pixels in ((1, x), (2, F.pad(x, (0, 1, 0, 1))[:, :, 1:, 1:])):
        w = s.kernel(f"{scope}/path{number}_conv/weights", (1, 1, x.shape[1], c // 2))
        halves.append(F.conv2d(pixels[:, :, ::2, ::2], w))
    return s.norm(torch.cat(halves, 1), f"{scope}/final_path_bn")


def previous(s: NASNetScope, h: Tensor, before: Tensor | None, c: int, scope: str) -> Tensor:
    if before is None:
        return h
    if before.shape[2] != h.shape[2]:
        return factorized(s, F.relu(before), c, scope)
    if before.shape[1] != c:
        return s.conv_bn(F.relu(before), c, 1, f"{scope}/prev_1x1", f"{scope}/prev_bn")
    return before


def cell(
    s: NASNetScope, kind: tuple, h: Tensor, before: Tensor | None, c: int, scope: str, stride: int
) -> Tensor:
    operations, indices, used = kind
    second = previous(s, h, before, c, scope)
    states = [s.conv_bn(F.relu(h), c, 1, f"{scope}/1x1", f"{scope}/beginning_bn"), second]
    for i in range(5):
        made = [
            operation(
                s,
                states[indices[2 * i + j]],
                operations[2 * i + j],
                c,
                stride if indices[2 * i + j] < 2 else 1,
                f"{scope}/comb_iter_{i}/{side}",
            )
            for j, side in enumerate(("left", "right"))
        ]
        states.append(made[0] + made[1])
    for i, state in enumerate(states):
        if not used[i] and state.shape[1] != c:
            place = f"{scope}/cell_output/reduction_{i}"
            states[i] = s.conv_bn(state, c, 1, f"{place}/path_conv", f"{place}/path_bn")
    return torch.cat([state for state, is_used in zip(states, used, strict=True) if not is_used], 1)


def imagenet_stem(s: NASNetScope, x: Tensor, filters: int, stem: int) -> list[Tensor | None]:
    h = s.conv_bn(x, stem, 3, "conv0", "conv0_bn", stride=2)
    outputs = [None, h]
    for i in range(2):
        h = cell(s, REDUCTION, h, outputs[-2], filters * 2**i // 4, f"cell_stem_{i}", 2)
        outputs.append(h)
    return outputs


def cifar_stem(s: NASNetScope, x: Tensor, filters: int, stem: int) -> list[Tensor | None]:
    return [None, s.conv_bn(F.pad(x, (1, 1, 1, 1)), stem, 3, "l1_stem_3x3", "l1_stem_bn")]


def nasnet(
    s: NASNetScope, outputs: list[Tensor | None], n: int, filters: int, skip: bool, classes: int
) -> tuple[Tensor, Tensor]:
    """What the auxiliary head reads, before its ReLU, and the logits; `outputs` are the stem's."""
    h = outputs[-1]
    c = filters
    for number in range(3 * n):
        before = outputs[-2]
        if number in (n, 2 * n):
            c *= 2
            h = cell(s, REDUCTION, h, outputs[-2], c, f"reduction_cell_{number // n - 1}", 2)
            outputs.append(h)
        before = before if skip else outputs[-2]
        h = cell(s, NORMAL, h, before, c, f"cell_{number}", 1)
        outputs.append(h)
        if number == 2 * n - 1:
            middle = h
    pooled = F.relu(h).mean((2, 3))
    return middle, s.dense(pooled, classes, "final_layer/FC", ("weights", "biases"))


def auxiliary(s: NASNetScope, x: Tensor, n: int, classes: int) -> Tensor:
    scope = f"aux_{2 * n - 1}/aux_logits"
    x = F.avg_pool2d(F.relu(x), 5, 3)
    x = F.relu(s.conv_bn(x, 128, 1, f"{scope}/proj", f"{scope}/aux_bn0"))
    x = F.relu(s.conv_bn(x, 768, x.shape[2], f"{scope}/Conv", f"{scope}/aux_bn1"))
    return s.dense(x.flatten(1), classes, f"{scope}/FC", ("weights", "biases"))
