"""A network is a module like any other: called by keyword, wrapped, traced, halved, inherited from,
given another head. Where one cannot be, a sentence says so.

Calls run on the meta device, where shapes and types are followed without arithmetic.
"""

import copy
import pickle

import pytest
import torch
import torch.nn as nn
from networks import SMALLEST, SMALLEST_OF_A_PAPER, first
from torch.nn.utils.parametrizations import weight_norm
from torch.optim.swa_utils import AveragedModel

from convatlas.errors import Error, InputError
from convatlas.layers import Network
from convatlas.nets.resnet_cifar import VARIANTS
from convatlas.registry import create_model, stored_facts

META = torch.device("meta")
SMALL = 12_000_000  # parameters that a test may fill
smallest_of_each_file = first(SMALLEST_OF_A_PAPER.values(), SMALLEST.values())
# their forward loops over parts of a tensor, or over its sizes: see docs/decisions.md
NOT_BY_FX = {
    *("efficientnet", "lenet1989", "lenet1989_zip", "lenet5"),
    *("res2net", "res2net_cifar", "res2net_dla"),
    *("mobilenet_v1_released", "mobilenet_v2_released", "mobilenet_v3_released"),
    *("inception_v3_released", "inception_v4_released", "xception_released"),
    *("mnasnet_released", "efficientnet_v2", "nasnet"),
}


def few(*names: str) -> pytest.MarkDecorator:
    """Those named, and in `make test-all` the small ones of every file."""
    small = [name for name in SMALLEST.values() if stored_facts()[name]["params"] <= SMALL]
    return first(names, dict.fromkeys([*names, *small]))


class Wrapper(nn.Module):
    """A model of somebody else that has a network inside."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.backbone = net

    def forward(self, images):
        return self.backbone(x=2 * images).softmax(1)


def on_meta(name: str) -> tuple[Network, torch.Tensor]:
    with META:
        return (net := create_model(name).eval()), images(net)


def images(net: Network, batch: int = 2) -> torch.Tensor:
    side = max(net.smallest, min(net.side, 32))
    return torch.randn(batch, net.in_channels, side, side)


def ready(name: str) -> tuple[Network, torch.Tensor]:
    torch.manual_seed(0)
    return (net := create_model(name).eval()), images(net)


@smallest_of_each_file
@torch.no_grad()
def test_keywords_and_wrappers(name):
    net, x = on_meta(name)
    expected = net(x).shape
    weights = dict(net.named_parameters())
    assert torch.func.functional_call(net, weights, (), {"x": x}).shape == expected
    assert nn.DataParallel(net)(x=x).shape == expected


@smallest_of_each_file
@torch.no_grad()
def test_half_precision_from_end_to_end(name):
    net, x = on_meta(name)
    for dtype in (torch.float16, torch.bfloat16):
        assert net.to(dtype)(x.to(dtype)).dtype == dtype
        net.reset_classifier(3)
        assert net(x.to(dtype)).shape == (2, 3)
        assert {p.dtype for p in net.parameters()} == {dtype}


@smallest_of_each_file
@torch.no_grad()
def test_symbolic_tracing_inside_another_module(name):
    net, x = on_meta(name)
    if stored_facts()[name]["family"] in NOT_BY_FX:
        reasons = r"cannot be iterated|inputs to control flow"
        with pytest.raises(torch.fx.proxy.TraceError, match=reasons):
            torch.fx.symbolic_trace(Wrapper(net))
    else:
        assert torch.fx.symbolic_trace(Wrapper(net))(x).shape == Wrapper(net)(x).shape


@pytest.mark.filterwarnings("ignore:.*deprecated")
@few("lenet5", "resnet20_cifar", "sknet26")
@torch.no_grad()
def test_tracing_inside_another_module(name):
    """A trace is for any number of images."""
    net, x = ready(name)
    traced = torch.jit.trace(Wrapper(net), x)
    more = images(net, batch=3)
    torch.testing.assert_close(traced(more), Wrapper(net)(more), rtol=1e-4, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*deprecated", "error::torch.jit.TracerWarning")
def test_the_check_of_images_is_not_traced():
    net, x = ready("resnet20_cifar")
    torch.jit.trace(net, x)


@pytest.mark.full
@smallest_of_each_file
def test_exporting_with_keywords(name):
    net, x = on_meta(name)
    exported = torch.export.export(net, (), {"x": x})
    with torch.no_grad():
        assert exported.module()(x=x).shape == net(x).shape


def test_exporting_with_keywords_and_open_sizes():
    """The check of images closes no size that the caller leaves open."""
    net, x = ready("resnet20_cifar")
    sizes = {0: torch.export.Dim("n"), 2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
    exported = torch.export.export(net, (), {"x": x}, dynamic_shapes={"x": sizes}).module()
    other = torch.randn(3, 3, 48, 40)
    torch.testing.assert_close(exported(x=other), net(other), rtol=1e-4, atol=1e-5)


@few("lenet5", "resnet20_cifar")
@torch.no_grad()
def test_compiled(name):
    net, x = ready(name)
    torch._dynamo.reset()
    compiled = torch.compile(net, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(x=x), net(x), rtol=1e-4, atol=1e-5)
    compiled.reset_classifier(4)
    assert compiled(x).shape == (2, 4)


def test_a_compiled_network_names_what_it_reads():
    net, x = ready("resnet20_cifar")
    torch._dynamo.reset()
    with pytest.raises(InputError, match="resnet20_cifar reads batches of 3-channel images"):
        torch.compile(net, backend="eager")(x[:, :2])


@few("lenet5", "resnet20_cifar")
@torch.no_grad()
def test_copies(name):
    net, x = ready(name)
    expected = net(x)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net)), AveragedModel(net).eval()):
        torch.testing.assert_close(other(x=x), expected, rtol=0, atol=0)


def test_a_subclass_and_a_hook_may_read_what_they_like():
    """Only what reaches the layers is checked."""
    net, x = ready("resnet20_cifar")

    class Views(type(net)):
        """(N, V, C, H, W) -> (N, classes)"""

        def forward(self, views, weights=None):
            logits = super().forward(views.flatten(0, 1))
            return logits.unflatten(0, views.shape[:2]).mean(1)

    views = Views(*VARIANTS["resnet20_cifar"].args, n=3).eval()
    assert views(torch.randn(2, 4, 3, 32, 32)).shape == (2, 10)
    assert views(weights=None, views=torch.randn(2, 4, 3, 32, 32)).shape == (2, 10)
    with pytest.raises(InputError, match="Views reads batches of 3-channel images"):
        views(torch.randn(2, 4, 1, 32, 32))

    net.register_forward_pre_hook(lambda module, args: (args[0].expand(-1, 3, -1, -1),))
    assert net(x[:, :1]).shape == (2, 10)


def test_what_is_wrong_is_told_by_keyword_too():
    net, x = on_meta("resnet20_cifar")
    for call in (
        lambda: net(x=x[:, :2]),
        lambda: net(x=x[0]),
        lambda: nn.DataParallel(net)(x=x[:, :2]),
        lambda: torch.func.functional_call(net, {}, (), {"x": x[:, :2]}),
        lambda: Wrapper(net)(x[:, :2]),
    ):
        with pytest.raises(InputError, match="resnet20_cifar reads batches of 3-channel images"):
            call()
    for call in (lambda: net.reset_classifier(-1), lambda: create_model("lenet5", num_classes=-1)):
        with pytest.raises(InputError, match=r"num_classes must be 1 or more, or 0 for .* not -1"):
            call()


@pytest.mark.filterwarnings("ignore:.*deprecated")
def test_scripting_is_refused_with_what_to_use_instead():
    net, _ = ready("resnet20_cifar")
    for module in (net, Wrapper(net)):
        with pytest.raises(Error, match=r"cannot compile resnet20_cifar: .*; use torch\.export"):
            torch.jit.script(module)


@pytest.mark.parametrize(
    ("name", "place", "head"),
    [
        ("resnet20_cifar", "fc", nn.Identity()),
        ("resnet20_cifar", "fc", nn.Sequential(nn.Dropout(), nn.Linear(64, 5))),
        ("lenet5", "output", nn.Sequential(nn.Linear(84, 3))),
        ("squeezenet1_1", "conv10", nn.Identity()),  # the classifier was inside
        ("inception_v3", "aux", nn.Identity()),
    ],
)
def test_a_head_of_ones_own_is_not_reset(name, place, head):
    with META:
        net = create_model(name)
    setattr(net, place, head)
    before = dict(net.named_modules())
    with pytest.raises(InputError, match=rf"{name}: {place}.* is no longer the network's own"):
        net.reset_classifier(5)
    assert dict(net.named_modules()) == before, "one of several heads was reset"


def test_a_layer_of_ones_own_for_a_head_is_reset():
    net, x = ready("resnet20_cifar")
    net.fc = weight_norm(nn.Linear(64, 5))
    net.reset_classifier(3)
    assert net(x).shape == (2, 3)
