"""MnasNets that timm has no name for, made by its builder: other widths, the authors' padding and
epsilon (timm's tf_ form), and the small network without the shortcut that timm adds.

tests/second counts them among the networks that have a peer.
"""

import pytest
import timm
import torch
from test_timm import carry, randomise
from timm.models.efficientnet import _gen_mnasnet_a1

from convatlas import create_model
from convatlas.weights.names import Twin
from convatlas.weights.timm import MNASNET

TF = {"pad_type": "same", "bn_eps": 1e-3}
WIDTHS = {"": "semnasnet_100", "_x0_5": "semnasnet_050", "_x0_75": "semnasnet_075"}
WIDTHS |= {"_x1_4": "semnasnet_140"}
BUILT = {
    "mnasnet_a1_x0_35": lambda **o: _gen_mnasnet_a1("semnasnet_100", 0.35, **o),
    "mnasnet_a1_released_x0_35": lambda **o: _gen_mnasnet_a1("semnasnet_100", 0.35, **TF, **o),
    **{
        f"mnasnet_a1_released{width}": lambda name=name, **o: timm.create_model(name, **TF, **o)
        for width, name in WIDTHS.items()
    },
    "mnasnet_b1_released": lambda **o: timm.create_model("mnasnet_100", **TF, **o),
    "mnasnet_small": lambda **o: without_shortcut(timm.create_model("mnasnet_small", **o)),
    "mnasnet_small_released": lambda **o: without_shortcut(
        timm.create_model("mnasnet_small", **TF, **o)
    ),
}
SLOW = {f"mnasnet_a1_released{width}" for width in WIDTHS} | {"mnasnet_b1_released"}
SLOW -= {"mnasnet_a1_released_x0_5"}


def without_shortcut(net: torch.nn.Module) -> torch.nn.Module:
    """Of the first block, which the release says to read 16 channels."""
    first = net.blocks[0][0]
    assert first.has_skip
    first.has_skip = False
    return net


@torch.no_grad()
@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.full] if n in SLOW else []) for n in BUILT]
)
def test_the_logits_are_timms(name):
    torch.manual_seed(0)
    with torch.device("meta"):
        theirs = BUILT[name](num_classes=10).double().eval()
        ours = create_model(name, num_classes=10).double().eval()
    theirs.to_empty(device="cpu")
    randomise(theirs, torch.randn(4, 3, 64, 64, dtype=torch.float64))
    twin = Twin(name, MNASNET)
    ours.load_state_dict(carry(twin, theirs.state_dict(), ours.state_dict()), assign=True)
    for side in (64, 75):
        x = torch.randn(2, 3, side, side, dtype=torch.float64)
        a, b = ours(x), theirs(x)
        assert (b[0] - b[1]).abs().max() > 1e-3 * b.abs().max()
        assert (a - b).abs().max() <= 1e-10 * b.abs().max()


@torch.no_grad()
def test_the_shortcut_of_timm_s_small_network_changes_its_answers():
    torch.manual_seed(0)
    with_it = create_model("mnasnet_small_timm", num_classes=10).double().eval()
    randomise(with_it, torch.randn(4, 3, 64, 64, dtype=torch.float64))
    without = create_model("mnasnet_small", num_classes=10).double().eval()
    without.load_state_dict(with_it.state_dict())
    x = torch.randn(2, 3, 64, 64, dtype=torch.float64)
    assert (with_it(x) - without(x)).abs().max() > 1e-2 * with_it(x).abs().max()
