"""torchvision's networks and ours, with the same weights: the same logits, and the weights unharmed
on the way back.
"""

import pytest
import torch
import torchvision.models as tv

from convatlas.registry import create_model
from convatlas.weights.torchvision import TWINS
from convatlas.weights.translating import translated

QUICK = {
    "alexnet",
    "resnet18",
    "squeezenet1_1",
    "densenet121",
    "mobilenet_v2",
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
    with torch.device("meta"):
        ours = create_model(twin.ours)
    theirs = randomised(tv.get_model(name, **options), torch.randn(2, 3, side(ours), side(ours)))
    state = theirs.state_dict()
    ours.load_state_dict(
        {key: state[name] for key, name in twin.names(ours.state_dict()).items()}, assign=True
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
