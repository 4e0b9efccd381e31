"""torchvision's networks and ours, with the same weights: the same logits, and the weights unharmed
on the way back.
"""

import pytest
import torch
import torchvision.models as tv

from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only
from convatlas.weights.torchvision import TWINS
from convatlas.weights.translating import to_ours, translated

QUICK = {
    "alexnet",
    "resnet18",
    "squeezenet1_1",
    "densenet121",
    "mobilenet_v2",
    "mnasnet0_5",
    "mobilenet_v3_small",
    "googlenet",
    "shufflenet_v2_x0_5",
    "efficientnet_b0",
    "efficientnet_v2_s",
    "regnet_y_400mf",
}  # the others wait for `make test-all`


def side(net: torch.nn.Module) -> int:
    return max(net.smallest, min(net.side, 64))


def pair(name: str, randomised) -> tuple[torch.nn.Module, torch.nn.Module, dict]:
    options = {"init_weights": False} if name in {"googlenet", "inception_v3"} else {}
    torch.manual_seed(0)
    twin = TWINS[name]
    with shapes_only():
        ours = create_model(twin.ours)
    theirs = randomised(tv.get_model(name, **options), torch.randn(2, 3, side(ours), side(ours)))
    state = theirs.state_dict()
    ours.load_state_dict(
        {
            key: to_ours(twin, key, state[name])
            for key, name in twin.names(ours.state_dict()).items()
        },
        assign=True,
    )
    return theirs, ours.eval(), state


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[] if name in QUICK else [pytest.mark.full]) for name in TWINS],
)
def test_same_weights_same_logits(name, randomised):
    theirs, ours, state = pair(name, randomised)
    torch.manual_seed(1)
    small = side(ours)
    for h, w in {(small, small), (min(small + 13, ours.largest or small + 13), small)}:
        x = torch.randn(2, 3, h, w)
        with torch.no_grad():
            expected = theirs(x)
            difference = (ours(x) - expected).abs().max() / expected.abs().max()
        assert difference <= 1e-5, f"{name} at {h}x{w}: {difference:.1e} of the largest logit"
        assert expected.std(0).max() > 1e-2 * expected.abs().max(), (
            "two images, one answer: nothing was compared"
        )
    back = translated(TWINS[name], ours.state_dict())
    assert back.keys() == state.keys()
    assert all(torch.equal(back[key], state[key]) for key in state)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name == "convnext_tiny" else [pytest.mark.full])
        for name in TWINS
        if name.startswith("convnext")
    ],
)
def test_layer_norms_agree_in_double_precision(name, randomised):
    theirs, ours, _ = pair(name, randomised)
    x = torch.randn(2, 3, 32, 45, dtype=torch.float64)
    with torch.no_grad():
        expected = theirs.double()(x)
        assert (ours.double()(x) - expected).abs().max() <= 1e-10 * expected.abs().max()


def test_another_form_of_the_same_weights_is_seen(randomised):
    """The stride in the 1x1, not in the 3x3, with the very same weights: what parity must not
    overlook.
    """
    theirs, ours, _ = pair("resnet50", randomised)
    other = create_model("resnet50").eval()
    other.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        assert (other(x) - theirs(x)).abs().max() > 1e-2 * theirs(x).abs().max()
