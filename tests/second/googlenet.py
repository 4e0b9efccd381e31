"""Szegedy and others, Going Deeper with Convolutions: Table 1, Figure 3 and Sec. 5; and the form
for small images of pytorch-cifar.
"""

import torch.nn.functional as F
from plain import across_channels, cat, conv, conv_norm, hidden, linear, max_pool, mean

TABLE_1 = {  # #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def relu_conv(w, x, name, width, kernel, **rest):
    return F.relu(conv(w, x, f"{name}.conv", width, kernel, bias=True, **rest))


def inception(w, x, name, one, reduce3, three, reduce5, five, proj):
    """Figure 2b."""
    a = relu_conv(w, x, f"{name}.1x1", one, 1)
    b = relu_conv(w, x, f"{name}.3x3.reduce", reduce3, 1)
    b = relu_conv(w, b, f"{name}.3x3.conv", three, 3)
    c = relu_conv(w, x, f"{name}.5x5.reduce", reduce5, 1)
    c = relu_conv(w, c, f"{name}.5x5.conv", five, 5)
    d = relu_conv(w, max_pool(x, 3, 1, padding=1), f"{name}.pool.proj", proj, 1)
    return cat(a, b, c, d)


def full(w, x):
    return relu_conv(w, x, "conv1", 64, 7, stride=2)


def separable(w, x):
    """7x7, 8 filters for each channel by itself, then 1x1; 2.7K parameters in Table 1."""
    x = conv(w, x, "conv1.depthwise", 24, 7, stride=2, groups=3)
    return F.relu(conv(w, x, "conv1.pointwise", 64, 1, bias=True))


def modules(w, x, first):
    """All but the classifier, and what the auxiliary heads read."""
    x = max_pool(first(w, x), 3, 2, up=True)
    x = across_channels(x, 5, 1e-4, 0.75, 2)
    x = relu_conv(w, x, "conv2.reduce", 64, 1)
    x = relu_conv(w, x, "conv2.conv", 192, 3)
    x = across_channels(x, 5, 1e-4, 0.75, 2)
    x = max_pool(x, 3, 2, up=True)
    seen = {}
    for name, widths in TABLE_1.items():
        x = seen[name] = w.stage(f"inception_{name}", inception(w, x, f"inception_{name}", *widths))
        if name in ("3b", "4e"):
            x = max_pool(x, 3, 2, up=True)
    return x, seen


def googlenet(w, x, first=full):
    return linear(w, mean(modules(w, x, first)[0]), "fc")


def head(w, x, name):
    """Sec. 5: means of 5x5, stride 3, which are 4x4 maps for 224 pixels; 128 1x1; 1024; softmax.
    Other sizes are brought to 4x4, and so is a map too small for a 5x5.
    """
    x = F.avg_pool2d(x, 5, 3) if min(x.shape[2:]) >= 5 else x
    x = relu_conv(w, F.adaptive_avg_pool2d(x, 4), f"{name}.conv", 128, 1)
    return linear(w, F.relu(hidden(w, x, f"{name}.fc1.fc", 1024)), f"{name}.fc2")


def with_heads(w, x, first=full):
    x, seen = modules(w, x, first)
    heads = [(head(w, seen[at], f"aux_{at}"), 0.3) for at in ("4a", "4d")]
    return [(linear(w, mean(x), "fc"), 1.0), *heads]


def normed(w, x, name, width, kernel):
    return F.relu(conv_norm(w, x, name, width, kernel, bias=True))


def small_inception(w, x, name, one, reduce3, three, reduce5, five, proj):
    """Batch norm everywhere, and two 3x3 for the 5x5."""
    a = normed(w, x, f"{name}.1x1", one, 1)
    b = normed(w, x, f"{name}.3x3.reduce", reduce3, 1)
    b = normed(w, b, f"{name}.3x3.conv", three, 3)
    c = normed(w, x, f"{name}.5x5.reduce", reduce5, 1)
    c = normed(w, c, f"{name}.5x5.conv1", five, 3)
    c = normed(w, c, f"{name}.5x5.conv2", five, 3)
    d = normed(w, max_pool(x, 3, 1, padding=1), f"{name}.pool.proj", proj, 1)
    return cat(a, b, c, d)


def small(w, x):
    x = normed(w, x, "conv1", 192, 3)
    for name, widths in TABLE_1.items():
        x = w.stage(f"inception_{name}", small_inception(w, x, f"inception_{name}", *widths))
        if name in ("3b", "4e"):
            x = max_pool(x, 3, 2, padding=1)
    return linear(w, mean(x), "fc")


NETWORKS = {
    "googlenet": googlenet,
    "googlenet_separable": lambda w, x: googlenet(w, x, separable),
    "googlenet_bn_32": small,
}
HEADS = {
    "googlenet": with_heads,
    "googlenet_separable": lambda w, x: with_heads(w, x, separable),
}
