"""What a layer of a DenseNet reads, its dropout; and that checkpointing changes only the memory."""

import pytest
import torch
import torch.nn as nn

from convatlas.nets.densenet import Bottleneck, DenseBlock
from convatlas.nets.densenet_checkpointed import CheckpointedBottleneck
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

CHECKPOINTED = [
    "densenet121",
    "densenet201",
    "densenet_bc100_k12_cifar",
    "densenet_bc190_k40_cifar",
]
DROPPED = ["densenet40_k12_cifar", "densenet_bc100_k12_cifar"]


def blueprint(name: str) -> nn.Module:
    with shapes_only():
        return create_model(name).eval()


def test_the_sizes_that_the_tutorial_prints():
    net, seen = blueprint("densenet_tutorial"), {}
    for path, module in net.named_children():
        module.register_forward_hook(
            lambda m, args, out, path=path: seen.update({path: tuple(out.shape[1:])})
        )
    net(torch.empty(1, 3, 224, 224, device="meta"))
    assert list(seen.values()) == [
        (64, 112, 112),
        (64, 55, 55),
        (192, 55, 55),
        (96, 27, 27),
        (224, 27, 27),
        (112, 13, 13),
        (240, 13, 13),
        (120, 6, 6),
        (248, 6, 6),
        (248, 6, 6),
        (10,),
    ]


@pytest.mark.parametrize(
    "name",
    [
        "densenet121",
        "densenet40_k12_cifar",
        "densenet_bc100_k12_cifar",
        "densenet121_checkpointed",
        "densenet_tutorial",
    ],
)
def test_a_layer_reads_all_maps_before_it(name):
    """Sec. 3, growth rate: layer l reads k_0 + k (l - 1) channels; a block passes its input and all
    layers on.
    """
    torch.manual_seed(0)
    net = create_model(name).eval()
    block, read = net.dense_block2, []
    first = block[0](
        x := torch.randn(
            2, next(m.num_features for m in block.modules() if hasattr(m, "num_features")), 3, 3
        )
    )
    for layer in block:
        layer.register_forward_pre_hook(lambda m, maps: read.append([y.shape[1] for y in maps]))
    out = block(x)
    k = first.shape[1]
    assert read == [[x.shape[1]] + [k] * i for i in range(len(block))]
    assert torch.equal(out[:, : x.shape[1]], x)
    assert torch.equal(out[:, x.shape[1] : x.shape[1] + k], first)
    assert out.shape[1] == x.shape[1] + k * len(block)


@pytest.mark.parametrize("name", DROPPED)
def test_dropout_follows_each_convolution_but_the_first(name):
    with_dropout, without = blueprint(f"{name}_dropout"), blueprint(name)
    rates = [m.p for m in with_dropout.modules() if isinstance(m, nn.Dropout)]
    convolutions = [m for m in without.modules() if isinstance(m, nn.Conv2d)]
    assert rates == [0.2] * (len(convolutions) - 1)
    assert not any(isinstance(m, nn.Dropout) for m in without.modules())
    kinds = [type(m) for m in with_dropout.modules() if isinstance(m, nn.Conv2d | nn.Dropout)]
    assert kinds == [nn.Conv2d] + [nn.Conv2d, nn.Dropout] * len(rates)
    assert with_dropout.state_dict().keys() == without.state_dict().keys()


def train_twice(net: nn.Module, x: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    """Logits and gradients of two steps, and the state after them."""
    net.train()
    seen = []
    for _ in range(2):
        net.zero_grad()
        y = net(x)
        y.square().mean().backward()
        seen += [y.detach(), *(p.grad.clone() for p in net.parameters())]
    return seen, list(net.state_dict().values())


def twins(name: str) -> tuple[nn.Module, nn.Module]:
    torch.manual_seed(0)
    plain, checkpointed = create_model(name), create_model(f"{name}_checkpointed")
    checkpointed.load_state_dict(plain.state_dict())
    return plain, checkpointed


def bytes_kept(net: nn.Module, x: torch.Tensor) -> int:
    """What autograd holds on to between forward and backward."""
    kept = {}

    def pack(tensor):
        kept[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        y = net.train()(x)
    del y
    return sum(kept.values())


@pytest.mark.parametrize(("name", "side"), [("densenet_bc100_k12_cifar", 16), ("densenet121", 64)])
def test_checkpointing_changes_no_bit_of_training(name, side):
    plain, checkpointed = twins(name)
    x = torch.randn(2, 3, side, side)
    for mine, theirs in zip(train_twice(plain, x), train_twice(checkpointed, x), strict=True):
        assert len(mine) == len(theirs)
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
    with torch.no_grad():
        assert torch.equal(plain.eval()(x), checkpointed.eval()(x))


def test_checkpointing_keeps_less():
    plain, checkpointed = twins("densenet_bc100_k12_cifar")
    x = torch.randn(4, 3, 32, 32)
    assert bytes_kept(checkpointed, x) < 0.4 * bytes_kept(plain, x)


def test_a_compiled_step_counts_a_batch_once_too():
    """Dynamo takes no context of a second run; the graph it compiles must not write running
    statistics twice.
    """
    torch.manual_seed(0)
    plain, checkpointed = (
        DenseBlock(Bottleneck, 2, 8, 4),
        DenseBlock(CheckpointedBottleneck, 2, 8, 4),
    )
    checkpointed.load_state_dict(plain.state_dict())
    x = torch.randn(2, 8, 5, 5)
    mine, theirs = (
        train_twice(plain, x),
        train_twice(torch.compile(checkpointed, backend="aot_eager"), x),
    )
    torch.testing.assert_close(theirs, mine)
    assert all(
        m.num_batches_tracked == 2 for m in checkpointed.modules() if isinstance(m, nn.BatchNorm2d)
    )
