"""The auxiliary heads of the GoogLeNets."""

import pytest
import torch

from convatlas.claims.googlenet import CLAIMS
from convatlas.nets.googlenet import TABLE
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only

HEADS = ("aux_4a", "aux_4d")


def blueprint(name: str, **given):
    with shapes_only():
        return create_model(name, **given)


def size(net) -> int:
    return sum(p.numel() for p in net.parameters())


def outputs(net, *image: int) -> dict[str, tuple[int, ...]]:
    seen = {}
    for path, module in net.named_modules():
        module.register_forward_hook(
            lambda m, args, out, path=path: seen.update({path: tuple(out.shape[1:])})
        )
    net(torch.empty(1, *image, device="meta"))
    return seen


@pytest.mark.parametrize(
    ("name", "sizes"),
    [("googlenet", (3_188_840, 3_190_888)), ("googlenet_torchvision", (3_188_968, 3_191_016))],
)
def test_the_two_heads_on_the_side(name, sizes):
    """Sec. 5: on 4a and 4d, 4x4 maps of 128 filters, 1024 units, 70% dropout; the
    losses weigh 0.3.
    """
    net = blueprint(name)
    assert tuple(size(getattr(net, head)) for head in HEADS) == sizes
    read = {}
    for head in HEADS:
        getattr(net, head).register_forward_pre_hook(
            lambda m, args, head=head: read.update({head: args[0].shape[1:]})
        )
        getattr(net, head).conv.register_forward_hook(
            lambda m, args, out, head=head: read.update({f"{head}.conv": out.shape[1:]})
        )
    logits = net.training_outputs(torch.empty(2, 3, 224, 224, device="meta"))
    assert [(tuple(y.shape), weight) for y, weight in logits] == [
        ((2, 1000), 1.0),
        ((2, 1000), 0.3),
        ((2, 1000), 0.3),
    ]
    assert read == {
        "aux_4a": (512, 14, 14),
        "aux_4d": (528, 14, 14),
        "aux_4a.conv": (128, 4, 4),
        "aux_4d.conv": (128, 4, 4),
    }
    assert [m.p for m in net.modules() if isinstance(m, torch.nn.Dropout)] == [
        net.dropout.p,
        0.7,
        0.7,
    ]
    assert not any(path.startswith("aux") for path in outputs(net.eval(), 3, 224, 224))


def test_the_pool_of_the_heads_is_the_papers_where_its_size_is():
    """Windows of 5x5 that start at 0, 3, 6 and 9; an adaptive pool would take others."""
    head = create_model("googlenet").aux_4a.eval()
    seen = {}
    head.conv.register_forward_pre_hook(lambda m, args: seen.update(x=args[0]))
    ramp = torch.arange(14.0).expand(2, 512, 14, 14)
    with torch.no_grad():
        head(ramp)
    assert seen["x"][0, 0, 0].tolist() == [2.0, 5.0, 8.0, 11.0]


def test_pools_round_up_and_are_not_padded():
    net = blueprint("googlenet")
    for pool in (net.pool1, net.pool2, net.pool3, net.pool4):
        assert (pool.kernel_size, pool.stride, pool.padding, pool.ceil_mode) == (3, 2, 0, True)


def test_the_columns_of_params_and_ops_are_those_that_are_claimed():
    printed = {
        claim.part: claim.printed
        for name in ("googlenet", "googlenet_separable")
        for claim in CLAIMS[name]
        if claim.quantity == "macs" and claim.source == "Table 1" and not claim.by
    }
    rows = {row.part: row.ops for row in TABLE if row.ops}
    assert rows == {part: printed[part] for part in rows}
