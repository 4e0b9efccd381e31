"""The same logits as timm's models, with weights carried over by the tables of names.

Every tensor is random, running statistics and negative gammas included, so that no part of a graph
can hide. Sides that are odd on their way down tell SAME padding, ceil_mode and the borders of pools
apart. In double precision, where no difference of the graph can pass for rounding, which a random
network of a hundred layers multiplies.
"""

import pytest
import timm
import torch

from convatlas import create_model
from convatlas.shapes_only import shapes_only
from convatlas.weights.names import Twin
from convatlas.weights.timm import TWINS
from convatlas.weights.translating import to_ours, translated

SIDES = {"vgg": (224,), "dla": (64, 96), "inception": (96, 107), "legacy_xception": (75, 96)}
SMALLEST = {
    "vgg11",
    "resnet18",
    "resnext50_32x4d",
    "seresnet50",
    "legacy_seresnet50",
    "skresnext50_32x4d",
    "res2net50_48w_2s",
    "res2net50d",
    "dla60_res2next",
    "dpn68b",
    "resnest14d",
    "densenet121",
    "inception_v3",
    "inception_v4",
    "inception_resnet_v2",
    "legacy_xception",
    "mobilenetv2_035",
    "mnasnet_050",
    "mnasnet_small",
    "semnasnet_050",
    "convnext_tiny",
    "efficientnet_b0",
    "tf_efficientnet_b0",
    "tf_efficientnetv2_b0",
    "regnetx_002",
    "regnety_002",
    "regnetx_004_tv",
}
State = dict[str, torch.Tensor]


def sides(name: str) -> tuple[int, ...]:
    """(64, 75) unless the network asks for more, or timm's form of it cannot take odd maps."""
    return next((sides for prefix, sides in SIDES.items() if name.startswith(prefix)), (64, 75))


def settle(norm: torch.nn.BatchNorm2d, inputs: tuple[torch.Tensor]) -> None:
    """Running statistics near those of what comes in, but not them."""
    std, mean = torch.std_mean(inputs[0], (0, 2, 3))
    norm.running_mean.copy_(mean + 0.3 * std * torch.randn_like(mean))
    norm.running_var.copy_(std**2 * torch.empty_like(std).uniform_(0.5, 1.5))


def randomise(net: torch.nn.Module, x: torch.Tensor) -> None:
    """All that a checkpoint holds, at random, and such that what flows through neither dies out nor
    runs away.
    """
    hooks = []
    for buffer in net.buffers():
        buffer.zero_()
    for layer in net.modules():
        if isinstance(layer, torch.nn.Conv2d | torch.nn.Linear):
            torch.nn.init.normal_(layer.weight, std=(2 / layer.weight[0].numel()) ** 0.5)
            if layer.bias is not None:
                torch.nn.init.normal_(layer.bias, std=0.1)
        elif isinstance(layer, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(layer.weight, 0.5, 1.5).mul_(
                torch.randint(0, 2, layer.weight.shape) * 2 - 1
            )
            torch.nn.init.normal_(layer.bias, std=0.3)
            hooks.append(layer.register_forward_pre_hook(settle))
        else:  # layer norms, and scales that start near zero
            for parameter in layer.parameters(recurse=False):
                torch.nn.init.uniform_(parameter, 0.5, 1.5)
    if hooks:
        net(x)
    for hook in hooks:
        hook.remove()


def carry(twin: Twin, theirs: State, ours: State) -> State:
    """Their weights under our names and in our shapes; what they do not hold stays as it is."""
    return ours | {key: to_ours(twin, key, theirs[name]) for key, name in twin.names(ours).items()}


def difference(name: str) -> float:
    """The largest difference between two logits, in units of the largest."""
    torch.manual_seed(0)
    twin = TWINS[name]
    with shapes_only():  # no time for initial weights that nobody will see
        theirs = timm.create_model(name, num_classes=10).double().eval()
        ours = create_model(twin.ours, num_classes=10).double().eval()
    theirs.to_empty(device="cpu")
    worst = 0.0
    with torch.no_grad():
        randomise(theirs, torch.randn(4, 3, sides(name)[0], sides(name)[0], dtype=torch.float64))
        ours.load_state_dict(carry(twin, theirs.state_dict(), ours.state_dict()), assign=True)
        for side in sides(name):
            x = torch.randn(2, 3, side, side, dtype=torch.float64)
            a, b = ours(x), theirs(x)
            assert b.isfinite().all() and (b[0] - b[1]).abs().max() > 1e-3 * b.abs().max()
            worst = max(worst, float((a - b).abs().max() / b.abs().max()))
    back = translated(twin, ours.state_dict())
    assert back.keys() == theirs.state_dict().keys()
    assert all(torch.equal(value, back[key]) for key, value in theirs.state_dict().items())
    return worst


@pytest.mark.parametrize(
    "name",
    [name if name in SMALLEST else pytest.param(name, marks=pytest.mark.full) for name in TWINS],
)
def test_the_logits_are_timms(name, record_property):
    record_property("difference", worst := difference(name))
    assert worst <= 1e-10
