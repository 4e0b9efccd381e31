"""What only training does: dropout, stochastic depth, dropped squares. The rates are typed from the
papers.

Where a paper is silent, the rate is that of its authors' release, and the network's `silent` says
so.
"""

import re

import pytest
import torch
import torch.nn as nn
from networks import SMALLEST

from convatlas.layers import StochasticDepth
from convatlas.nets.efficientnet import MBConv
from convatlas.nets.nasnet import ScheduledDropPath
from convatlas.nets.resnest import DropBlock
from convatlas.registry import create_model, entries
from convatlas.verification import blueprint

DROPOUT_OF_A_FILE = {
    "alexnet": [0.5, 0.5],  # Sec. 4.2: in the first two fully connected layers
    "alexnet_owt": [0.5, 0.5],
    "zfnet": [0.5, 0.5],  # Sec. 3: layers 6 and 7
    "alexnet_tutorial": [0.5, 0.5],
    "se_vgg": [0.5, 0.5],
    "vgg": [0.5, 0.5],  # Sec. 3.1: for the first two fully connected layers, 0.5
    "googlenet": [0.4, 0.7, 0.7],  # Sec. 5 and Table 1: 40%; 70% in either auxiliary head
    "googlenet_torchvision": [0.2, 0.7, 0.7],
    "inception_v3": [0.2],  # silent; the release keeps 0.8
    "inception_v4": [0.2],  # Figure 9: keep 0.8
    "inception_v3_released": [0.2],
    "inception_v4_released": [0.2],
    "googlenet_tutorial": [0.5] * 5,  # the posts: one in the body, two in each head
    "inception_resnet": [0.2],  # Figure 15: keep 0.8
    "xception": [0.5],  # Sec. 4.3: 0.5 before the logistic regression
    "squeezenet": [0.5],  # Sec. 3.3: 50% after fire9
    "squeezenet1_1": [0.5],
    "mobilenet_v1": [0.001],  # silent; the release keeps 0.999
    "se_mobilenet_v1": [0.001],
    "mobilenet_v1_released": [0.001],
    "mobilenet_v1_scaled": [0.001],
    "mobilenet_v2": [0.2],  # silent about the rate; the release keeps 0.8
    "mobilenet_v3": [0.2],  # Sec. 6.1: 0.8, which is the share that is kept
    "mobilenet_v3_minimalistic": [0.2],
    "mobilenet_v2_released": [0.2],
    "mnasnet": [0.2],  # Sec. 5: 0.2, the last layer
    "mnasnet_released": [0.2],
    "mobilenet_v2_scaled": [0.2],
    "mobilenet_v3_released": [0.2],
    "mobilenet_v3_reduced_tail": [0.2],
}
DROPOUT = {
    "nin_cifar10": [0.5, 0.5],
    "nin_mnist": [0.5, 0.5],  # Sec. 4.1: on all mlpconv layers but the last
    "nin_imagenet": [0.5],
    "nin_tutorial": [0.5],  # before the last block
    "nasnet_a_4_1056": [0.5],  # App. A.7
    "nasnet_a_6_4032": [0.5],
    "mnasnet_small": [],  # silent; the release, of its small network
    "mnasnet_small_released": [],
    "senet154": [0.2],  # appendix, (d)
    "resnest200": [0.2],
    "resnest269": [0.2],  # Sec. 4.2: 0.2, for very deep networks
    "se_shufflenet_v2_x2_0": [0.2],
    "se_shufflenet_v2_164": [0.2],
    "resnet110_cifar_dropout_shortcut": [0.5] * 54,  # 2016, Table 1: on all shortcuts
    "wide_resnet28_10_cifar_dropout": [0.3] * 12,  # Sec. 3: 0.3 on CIFAR, in each unit
    "pyramidnet200_a450": [0.5],  # the release's README, before the last layer
    "shufflenet_v2_x2_0": [0.2],  # silent; the release, at 2x only
    "densenet40_k12_cifar_dropout": [0.2] * 38,  # Sec. 4.2: after each convolution but the first
    "densenet_bc100_k12_cifar_dropout": [0.2] * 98,
    **{
        f"efficientnet_{b}{suffix}": [rate]
        for suffix in ("", "_torchvision")
        for b, rate in {  # Sec. 5.2
            "b0": 0.2,
            "b1": 0.2,
            "b2": 0.3,
            "b3": 0.3,
            "b4": 0.4,
            "b5": 0.4,
            "b6": 0.5,
            "b7": 0.5,
        }.items()
    },
    "efficientnet_v2_s": [0.3],  # Table 6, the last stage
    "efficientnet_v2_m": [0.4],
    "efficientnet_v2_l": [0.5],
    "efficientnet_v2_xl": [0.4],  # silent; the release, as for B0 to B3
    "efficientnet_v2_b0": [0.2],
    "efficientnet_v2_b1": [0.2],
    "efficientnet_v2_b2": [0.3],
    "efficientnet_v2_b3": [0.3],
    "efficientnet_v2_s_torchvision": [0.2],
    "efficientnet_v2_m_torchvision": [0.3],
    "efficientnet_v2_l_torchvision": [0.4],
}
BLOCKS = {
    "b0": 16,
    "b1": 23,
    "b2": 23,
    "b3": 26,
    "b4": 32,
    "b5": 39,
    "b6": 45,
    "b7": 55,
    "v2_s": 40,  # Table 4: 2 + 4 + 4 + 6 + 9 + 15
    "v2_m": 57,  # the release's block strings
    "v2_l": 79,
    "v2_xl": 100,
    "v2_b0": 21,
    "v2_b1": 27,
    "v2_b2": 28,
    "v2_b3": 32,
}  # of EfficientNets
DROPPED_PATHS = {  # NASNet: cells, and the rate in the last; silent, the release keeps 1, 0.7, 0.6
    "nasnet_a_4_1056": (16, 0.0),
    "nasnet_a_6_4032": (22, 0.3),
    "nasnet_a_6_768_cifar": (20, 0.4),
}
UNITS = {
    "14": (1, 1),
    "26": (2, 2),
    "50": (6, 3),
    "101": (23, 3),
    "200": (36, 3),
    "269": (48, 8),
}  # conv4_x, conv5_x


def dropout_of(name: str) -> list[float]:
    return DROPOUT.get(name, DROPOUT_OF_A_FILE.get(entries()[name].family, []))


# ConvNeXt's Table 5 and App. A.1: the rate of the last block, and the blocks
GROWING = {
    "convnext_tiny": (0.1, 18),
    "convnext_small": (0.4, 36),
    "convnext_base": (0.5, 36),
    "convnext_large": (0.5, 36),
    "convnext_xlarge": (0.2, 36),
    "convnext_isotropic_small": (0.1, 18),
    "convnext_isotropic_base": (0.2, 18),
    "convnext_isotropic_large": (0.5, 36),
}


def depth_of(name: str) -> list[float]:
    """Probabilities to be left out; EfficientNet's grow as if to 0.2 in a block after the last."""
    if name in GROWING:
        last, n = GROWING[name]
        return [last * i / (n - 1) for i in range(n)]
    size = re.match(r"efficientnet_((?:v2_)?[a-z]+\d?)", name)
    n = BLOCKS[size[1]] if size else 0
    return [0.2 * i / n for i in range(n)]


def training_only(net: nn.Module) -> list[nn.Module]:
    return [
        m for m in net.modules() if re.search("drop|stochastic", type(m).__name__, re.IGNORECASE)
    ]


@pytest.mark.parametrize("name", entries())
def test_the_rates_are_the_papers(name):
    net = blueprint(name)
    parts = training_only(net)
    kinds = {nn.Dropout, StochasticDepth, DropBlock, ScheduledDropPath}
    assert {type(part) for part in parts} <= kinds
    assert [part.p for part in parts if isinstance(part, nn.Dropout) and part.p] == dropout_of(name)

    depth = [part.p for part in parts if isinstance(part, StochasticDepth)]
    assert depth == pytest.approx(depth_of(name))

    paths = [part.p for part in parts if isinstance(part, ScheduledDropPath)]
    cells, last = DROPPED_PATHS.get(name, (0, 0.0))  # from the first cell to the last
    assert paths == pytest.approx([last * (i + 1) / cells for i in range(cells)])

    squares = {
        path: (part.rate, part.size)
        for path, part in net.named_modules()
        if isinstance(part, DropBlock)
    }
    units = UNITS[re.match(r"resnest(\d+)", name)[1]] if name.startswith("resnest") else ()
    paths = {
        f"{stage}.{i}"
        for stage, n in zip(("conv4_x", "conv5_x"), units, strict=False)
        for i in range(n)
    }
    assert {
        ".".join(path.split(".")[:2]) for path in squares
    } == paths  # Sec. 4.2: the last two stages
    assert len(squares) == 3 * len(paths)
    assert set(squares.values()) <= {(0.1, 3)}


RUN = sorted(
    {
        *SMALLEST.values(),
        "shufflenet_v2_x2_0",
        "nin_imagenet",
        "densenet40_k12_cifar_dropout",
        "senet154",
    }
)
HEADS = {
    "nasnet": [True, True],  # paths on the way to both
    "googlenet": [True] * 3,
    "googlenet_torchvision": [True] * 3,
    "googlenet_tutorial": [True] * 3,
    "inception_v3": [True, False],
    "inception_v3_released": [True, False],
    "inception_v4_released": [True, False],
}  # random or not


def twice(net: nn.Module, batch: int = 12) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """The logits of each head in two passes over the same images."""
    side = max(net.smallest, min(net.side, 32))
    x = torch.randn(batch, net.in_channels, side, side)
    heads = (
        net.training_outputs
        if net.training and hasattr(net, "training_outputs")
        else lambda x: [(net(x), 1.0)]
    )
    with torch.no_grad():
        return [(first, second) for (first, _), (second, _) in zip(heads(x), heads(x), strict=True)]


@pytest.mark.parametrize("name", RUN)
def test_only_these_parts_are_random_and_only_in_training(name):
    torch.manual_seed(0)
    net = create_model(name)
    for norm in net.modules():
        if isinstance(norm, nn.BatchNorm2d) and norm.weight is not None:
            nn.init.uniform_(norm.weight, 0.5, 1.5)  # a gamma of zero hides what is dropped
    rates = dropout_of(name)
    batch = 12 if rates and min(rates) < 0.1 else 2  # a rate of 0.001 must show
    random = bool(rates) or name.startswith(("convnext", "efficientnet", "resnest"))
    assert [not torch.equal(*passes) for passes in twice(net.train(), batch)] == HEADS.get(
        entries()[name].family, [random]
    )
    for first, second in twice(net.eval(), batch):
        assert torch.equal(first, second)


def test_a_part_that_forgets_to_stop_is_caught():
    net = create_model("squeezenet1_1").eval()
    net.dropout.train()
    ((first, second),) = twice(net)
    assert not torch.equal(first, second)


@pytest.mark.parametrize("name", ["efficientnet_b0", "efficientnet_b0_torchvision"])
def test_each_block_leaves_out_as_many_images_as_it_should(name):
    torch.manual_seed(0)
    net, images, seen = create_model(name).train(), 600, []
    for block in net.modules():
        if isinstance(block, MBConv):
            block.drop.register_forward_hook(lambda m, args, out: seen.append((m.p, args[0], out)))
    with torch.no_grad():
        net(torch.randn(images, 3, 8, 8))
    assert [p for p, _, _ in seen] == pytest.approx(
        [0.2 * i / 16 for i in (2, 4, 6, 7, 9, 10, 12, 13, 14)]
    )
    for p, before, after in seen:
        kept = after.flatten(1).any(1)
        spread = (images * p * (1 - p)) ** 0.5
        assert abs(int((~kept).sum()) - images * p) < 3.5 * spread
        torch.testing.assert_close(after[kept], before[kept] / (1 - p))
    dropped = [~after.flatten(1).any(1) for _, _, after in seen]
    assert len({tuple(mask.tolist()) for mask in dropped}) == len(dropped), (
        "blocks draw for themselves"
    )
