"""The Inceptions of TensorFlow-Slim: batch norms that shift without a scale, average pools that
leave their padding out, and the auxiliary heads.
"""

import torch
import torch.nn.functional as F
from plain import cat, conv, linear, max_pool, mean

ROW, COLUMN = (1, 7), (7, 1)


def step(w, x, name, width, kernel=1, stride=1, valid=False):
    x = conv(w, x, f"{name}.conv", width, kernel, stride, padding=0 if valid else None)
    mean_, variance = w[f"{name}.bn.running_mean"], w[f"{name}.bn.running_var"]
    x = (x - mean_[:, None, None]) / torch.sqrt(variance[:, None, None] + 1e-3)
    return F.relu(x + w[f"{name}.bn.bias"][:, None, None])


def chain(w, x, name, *boxes):
    for i, box in enumerate(boxes, 1):
        x = step(w, x, f"{name}.conv{i}", *box)
    return x


def halved(width, kernel=3):
    return width, kernel, 2, True


def neighbours(x):
    return F.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)


def head(w, x):
    """5x5 means, stride 3; 1x1, 128; 5x5, 768, not padded; a linear layer. Maps of 17x17 give 5x5
    means, and so must all others.
    """
    x = F.avg_pool2d(x, 5, 3) if min(x.shape[2:]) >= 5 else x
    x = chain(w, F.adaptive_avg_pool2d(x, 5), "aux.convs", (128,), (768, 5, 1, True))
    return linear(w, x.flatten(1), "aux.fc")


def v3_35(w, x, name, pooled):
    """Mixed_5b to 5d."""
    a = chain(w, x, f"{name}.1x1", (64,))
    b = chain(w, x, f"{name}.5x5", (48,), (64, 5))
    c = chain(w, x, f"{name}.double_3x3", (64,), (96, 3), (96, 3))
    return w.stage(name, cat(a, b, c, chain(w, neighbours(x), f"{name}.pool", (pooled,))))


def v3_17(w, x, name, inner):
    """Mixed_6b to 6e."""
    a = chain(w, x, f"{name}.1x1", (192,))
    b = chain(w, x, f"{name}.7x7", (inner,), (inner, ROW), (192, COLUMN))
    double = ((inner,), (inner, COLUMN), (inner, ROW), (inner, COLUMN), (192, ROW))
    c = chain(w, x, f"{name}.double_7x7", *double)
    return w.stage(name, cat(a, b, c, chain(w, neighbours(x), f"{name}.pool", (192,))))


def v3_split(w, x, name, *boxes):
    x = chain(w, x, f"{name}.stack", *boxes)
    return cat(*(step(w, x, f"{name}.split.{k[0]}x{k[1]}", 384, k) for k in ((1, 3), (3, 1))))


def v3_8(w, x, name):
    """Mixed_7b and 7c."""
    a = chain(w, x, f"{name}.1x1", (320,))
    b = v3_split(w, x, f"{name}.3x3", (384,))
    c = v3_split(w, x, f"{name}.double_3x3", (448,), (384, 3))
    return w.stage(name, cat(a, b, c, chain(w, neighbours(x), f"{name}.pool", (192,))))


def v3_modules(w, x):
    x = step(w, x, "conv_1a", *halved(32))
    x = step(w, step(w, x, "conv_2a", 32, 3, 1, True), "conv_2b", 64, 3)
    x = step(w, max_pool(x, 3, 2), "conv_3b", 80)
    x = max_pool(step(w, x, "conv_4a", 192, 3, 1, True), 3, 2)
    for name, pooled in (("mixed_5b", 32), ("mixed_5c", 64), ("mixed_5d", 64)):
        x = v3_35(w, x, name, pooled)
    a = chain(w, x, "mixed_6a.3x3", halved(384))
    b = chain(w, x, "mixed_6a.double_3x3", (64,), (96, 3), halved(96))
    x = w.stage("mixed_6a", cat(a, b, max_pool(x, 3, 2)))
    for letter, inner in zip("bcde", (128, 160, 160, 192), strict=True):
        x = v3_17(w, x, f"mixed_6{letter}", inner)
    read = x
    a = chain(w, x, "mixed_7a.3x3", (192,), halved(320))
    b = chain(w, x, "mixed_7a.7x7", (192,), (192, ROW), (192, COLUMN), halved(192))
    x = w.stage("mixed_7a", cat(a, b, max_pool(x, 3, 2)))
    return linear(w, mean(v3_8(w, v3_8(w, x, "mixed_7b"), "mixed_7c")), "fc"), read


def v4_stem(w, x):
    """Inception-v4, Figure 3."""
    x = chain(w, x, "stem.convs", halved(32), (32, 3, 1, True), (64, 3))
    x = cat(max_pool(x, 3, 2), chain(w, x, "stem.concat1.branch2", halved(96)))
    a = chain(w, x, "stem.concat2.branch1", (64,), (96, 3, 1, True))
    b = ((64,), (64, ROW), (64, COLUMN), (96, 3, 1, True))
    x = cat(a, chain(w, x, "stem.concat2.branch2", *b))
    return cat(chain(w, x, "stem.concat3.branch1", halved(192)), max_pool(x, 3, 2))


def branches(w, x, name, *lists):
    return [chain(w, x, f"{name}.branch{i}", *boxes) for i, boxes in enumerate(lists, 1)]


def v4_module(w, x, name, pooled, *lists):
    """Figures 4 and 5."""
    pool = chain(w, neighbours(x), f"{name}.branch4.convs", (pooled,))
    return cat(*branches(w, x, name, *lists), pool)


def v4_fork(w, x, name, *boxes):
    x = chain(w, x, f"{name}.convs", *boxes)
    return cat(*branches(w, x, f"{name}.fork", [(256, (1, 3))], [(256, (3, 1))]))


def v4_c(w, x, name):
    """Figure 6."""
    a = chain(w, x, f"{name}.branch1", (256,))
    b = v4_fork(w, x, f"{name}.branch2", (384,))
    c = v4_fork(w, x, f"{name}.branch3", (384,), (448, (3, 1)), (512, (1, 3)))
    return cat(a, b, c, chain(w, neighbours(x), f"{name}.branch4.convs", (256,)))


def reduction(w, x, name, *lists):
    return w.stage(name, cat(*branches(w, x, name, *lists), max_pool(x, 3, 2)))


A = ([(96,)], [(64,), (96, 3)], [(64,), (96, 3), (96, 3)])
LONG = [(192,), (192, COLUMN), (224, ROW), (224, COLUMN), (256, ROW)]
B = ([(384,)], [(192,), (224, ROW), (256, COLUMN)], LONG)


def v4_modules(w, x):
    x = w.stage("stem", v4_stem(w, x))
    for i in range(4):
        x = v4_module(w, x, f"inception_a.{i}", 96, *A)
    x = reduction(w, x, "reduction_a", [halved(384)], [(192,), (224, 3), halved(256)])
    for i in range(7):
        x = v4_module(w, x, f"inception_b.{i}", 128, *B)
    read = x
    long = [(256,), (256, ROW), (320, COLUMN), halved(320)]
    x = reduction(w, x, "reduction_b", [(192,), halved(192)], long)
    for i in range(3):
        x = v4_c(w, x, f"inception_c.{i}")
    return linear(w, mean(x), "fc"), read


def residual(w, x, name, scale, *lists):
    y = cat(*branches(w, x, f"{name}.branches", *lists))
    return x + scale * conv(w, y, f"{name}.linear", x.shape[1], 1, bias=True)


BLOCK_35 = ([(32,)], [(32,), (32, 3)], [(32,), (48, 3), (64, 3)])
BLOCK_17 = ([(192,)], [(128,), (160, ROW), (192, COLUMN)])
BLOCK_8 = ([(192,)], [(192,), (224, (1, 3)), (256, (3, 1))])


def resnet_modules(w, x):
    """Inception-ResNet-v2: 10, 20 and 9 blocks, and a last one, not scaled, without a ReLU."""
    x = chain(w, x, "conv_2b", halved(32), (32, 3, 1, True), (64, 3))
    x = chain(w, max_pool(x, 3, 2), "conv_4a", (80,), (192, 3, 1, True))
    first = ([(96,)], [(48,), (64, 5)], [(64,), (96, 3), (96, 3)])
    x = w.stage("mixed_5b", v4_module(w, max_pool(x, 3, 2), "mixed_5b", 64, *first))
    for i in range(10):
        x = F.relu(residual(w, x, f"repeat.{i}", 0.17, *BLOCK_35))
    x = reduction(w, x, "mixed_6a", [halved(384)], [(256,), (256, 3), halved(384)])
    for i in range(20):
        x = F.relu(residual(w, x, f"repeat_1.{i}", 0.10, *BLOCK_17))
    read = x
    three = ([(256,), halved(384)], [(256,), halved(288)], [(256,), (288, 3), halved(320)])
    x = reduction(w, x, "mixed_7a", *three)
    for i in range(9):
        x = F.relu(residual(w, x, f"repeat_2.{i}", 0.20, *BLOCK_8))
    x = chain(w, residual(w, x, "block8", 1.0, *BLOCK_8), "conv_7b", (1536,))
    return linear(w, mean(x), "fc"), read


def both(w, x, modules):
    logits, read = modules(w, x)
    return [(logits, 1.0), (head(w, read), 0.4)]


MODULES = {
    "inception_v3_released": v3_modules,
    "inception_v4_released": v4_modules,
    "inception_resnet_v2_slim": resnet_modules,
}
NETWORKS = {name: lambda w, x, m=m: m(w, x)[0] for name, m in MODULES.items()}
HEADS = {name: lambda w, x, m=m: both(w, x, m) for name, m in MODULES.items()}
SLOW = tuple(NETWORKS)  # tests/parity runs the release's graph beside them by default
