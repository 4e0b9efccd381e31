"""Class activation maps: CAM adds up to the score on every network that it fits, Grad-CAM is
captum's, Grad-CAM++ is its paper's sums, a planted pattern lights up, and no hook is left behind.
"""

import copy

import numpy as np
import pytest
import torch
import torch.nn as nn
from networks import META, SMALLEST, SMALLEST_OF_A_PAPER, first
from skips import needs

from convatlas import create_model
from convatlas.errors import InputError
from convatlas.explanation import (
    activation_maps,
    cam,
    feature_maps,
    grad_cam,
    grad_cam_pp,
    occlusion,
)
from convatlas.explanation.heads import head_of
from convatlas.explanation.watching import layer_path
from convatlas.registry import stored_facts

# Files of networks that end otherwise than in a global average and one linear layer, or a map for
# each class; typed from the papers.
OTHER_ENDS = {
    *("lenet1989", "lenet1989_zip", "lenet5", "lenet5_tutorial", "lenet5_tutorial_max"),
    *("lenet_caffe", "alexnet", "alexnet_owt", "alexnet_tutorial", "zfnet", "vgg"),
    *("mobilenet_v3", "mobilenet_v3_released", "mobilenet_v3_minimalistic", "se_vgg"),
    *("mobilenet_v3_reduced_tail", "mobilenet_v3_tutorial"),  # a layer stands behind the average
    "convnext",  # a layer norm stands behind the average
    "vgg_32",  # its last map has one place
}
PART_MEANS = ("senet18_tutorial",)  # its mean is over 4 x 4 of 28 x 28 places: 7 x 7 remain
SMALL = 12_000_000  # parameters of a network that is filled with numbers by default
FEW = [name for name in SMALLEST.values() if stored_facts()[name]["params"] <= SMALL]
captum_of = needs("captum is not installed", "captum")
FAMILIES = (
    *("resnet20_cifar", "preresnet110_cifar", "densenet40_k12_cifar", "mobilenet_v2_x0_35"),
    *("shufflenet_v2_x0_5", "squeezenet1_1", "googlenet_bn_32", "mobilenet_v3_small_x0_35"),
    *("nin_cifar10", "lenet5", "mnasnet_small", "se_mobilenet_v1"),
)


def small(name: str, dtype=torch.float32) -> tuple[nn.Module, torch.Tensor]:
    """A network with 5 classes (LeNet-5 has its ten), and two images of a size at which its last
    maps have several places.
    """
    torch.manual_seed(0)
    net = create_model(name, num_classes=10 if name == "lenet5" else 5).to(dtype).eval()
    for side in (max(net.smallest, min(net.side, 64)), min(net.side, 128), net.side):
        x = torch.randn(2, net.in_channels, side, side, dtype=dtype)
        if min(feature_maps(net, x[:1]).shape[2:]) > 1:
            break
    return net, x


@first(FEW)
def test_cam_adds_up_to_the_score_where_its_paper_says_so_and_is_refused_elsewhere(name):
    net, x = small(name, torch.float64)
    if stored_facts()[name]["family"] in OTHER_ENDS or name in PART_MEANS:
        with pytest.raises(InputError, match=f"^{name} does not end in a global average"):
            cam(net, x)
        return
    with torch.no_grad():
        logits = net(x).numpy()
    for target in (None, (4, 1)):
        found = cam(net, x, target)
        chosen = logits.argmax(1) if target is None else np.broadcast_to(target, 2)
        expected = logits[[0, 1], chosen]
        assert found.maps.shape[1] > 1
        scale = max(1.0, np.abs(logits).max())  # untrained ones answer with millions
        sums = found.maps.mean((1, 2)) + found.bias
        np.testing.assert_allclose(sums / scale, expected / scale, 0, 1e-10)
        np.testing.assert_array_equal(found.scores, expected)


@first(FEW)
def test_grad_cam_needs_only_a_name(name):
    """On shapes alone: the layer is known by name, its gradient reaches the class."""
    with META:
        net = create_model(name)
    x = torch.empty(2, *net.input_size, device=META)
    maps, gradients, targets, _, path = activation_maps.gradients_at(net, x, None, None)
    assert net.get_submodule(path) is net.cam_layer
    assert maps.shape == gradients.shape
    assert min(maps.shape[2:]) > 1
    assert targets.shape == (2,)


@captum_of
@pytest.mark.parametrize("name", FAMILIES)
def test_grad_cam_is_captums(name):
    from captum.attr import LayerGradCam

    net, x = small(name, torch.float64)
    inner = net.get_submodule(net.stages[len(net.stages) // 2])  # whose places differ in gradient
    for layer in (net.cam_layer, inner):
        found = grad_cam(net, x, (1, 3), layer)
        theirs = LayerGradCam(net, layer).attribute(x, [1, 3])[:, 0].detach().numpy()
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(found.maps / scale, np.maximum(theirs, 0) / scale, 0, 1e-6)


def test_grad_cam_is_cam_where_cam_is_the_score():
    """Selvaraju et al., Sec. 3.1: Grad-CAM generalises CAM, but for a factor, the places."""
    net, x = small("resnet20_cifar", torch.float64)
    plain = cam(net, x, 2).maps
    places = plain[0].size
    np.testing.assert_allclose(grad_cam(net, x, 2).maps * places, np.maximum(plain, 0), 0, 1e-10)


def test_grad_cam_pp_is_the_sums_of_its_paper():
    """Equations 10 and 11, place by place, with exp(S): its k-th derivative is exp(S) times the
    k-th power of that of S, for S is piecewise linear in the last maps.
    """
    net, x = small("resnet20_cifar", torch.float64)
    maps, gradients, _, logits, _ = activation_maps.gradients_at(net, x, 3, None)
    found = grad_cam_pp(net, x, 3).maps
    for image in range(2):
        growth = float(logits[image, 3].exp())
        total = np.zeros(maps.shape[2:])
        for channel in range(maps.shape[1]):
            a, g = maps[image, channel].numpy(), gradients[image, channel].numpy()
            weight = 0.0
            for i in range(a.shape[0]):
                for j in range(a.shape[1]):
                    second, third = growth * g[i, j] ** 2, growth * g[i, j] ** 3
                    below = 2 * second + (a * third).sum()
                    alpha = second / below if below else 0.0
                    weight += alpha * max(growth * g[i, j], 0.0)
            total += weight * a
        np.testing.assert_allclose(found[image], np.maximum(total, 0) / growth, 1e-9, 1e-12)


def everything_of(net: nn.Module) -> list:
    """What a hook, or a pass in another mode, could leave behind."""
    return [
        {name: value.clone() for name, value in net.state_dict().items()},
        [(name, p.requires_grad, p.grad, p._version) for name, p in net.named_parameters()],
        [
            (module.training, [len(held) for key, held in vars(module).items() if "_hooks" in key])
            for module in net.modules()
        ],
    ]


@pytest.mark.parametrize("method", [cam, grad_cam, grad_cam_pp, occlusion])
def test_nothing_is_left_behind(method):
    net, x = small("resnet20_cifar")
    net.train()
    net.stages and net.get_submodule(net.stages[0]).eval()  # a mode of its own
    first_parameter = next(net.parameters())
    first_parameter.requires_grad_(False)
    before, random = everything_of(net), torch.get_rng_state()
    with torch.set_grad_enabled(False):
        method(net, x[:, :, :32, :32], 1)
        assert not torch.is_grad_enabled()
    state, parameters, modules = everything_of(net)
    assert all(torch.equal(value, state[name]) for name, value in before[0].items())
    assert (parameters, modules) == (before[1], before[2])
    assert torch.equal(torch.get_rng_state(), random)
    assert x.grad is None


def test_nothing_is_left_behind_where_it_fails():
    net, x = small("resnet20_cifar")
    before = everything_of(net.train())
    with pytest.raises(InputError):
        grad_cam(net, x, 99)
    with pytest.raises(InputError, match="reads batches"):
        grad_cam(net, x[:, :1])
    assert everything_of(net)[1:] == before[1:]


def test_in_inference_mode_too():
    net, x = small("resnet20_cifar")
    expected = grad_cam(net, x, 1).maps
    with torch.inference_mode():
        np.testing.assert_array_equal(grad_cam(net, x.clone(), 1).maps, expected)


def test_a_module_of_anybody_that_changes_maps_in_place():
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True))
    net = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3))
    apart = copy.deepcopy(net)
    apart[0][1] = nn.ReLU()
    x = torch.randn(2, 1, 8, 8)
    np.testing.assert_array_equal(
        grad_cam(net, x, 1, "0.0").maps, grad_cam(apart, x, 1, apart[0][0]).maps
    )
    found = cam(net, x, 2)
    scores = net(x)[:, 2].detach().numpy()
    np.testing.assert_allclose(found.maps.mean((1, 2)) + found.bias, scores, 1e-4, 1e-5)
    with pytest.raises(InputError, match=r"Sequential does not say .* one of 0, 0\.0, 0\.1, 1"):
        grad_cam(net, x)


PLANT = torch.tensor([[1.0, -1.0], [-1.0, 1.0]]).repeat(4, 4)  # 8x8, a pattern of its own


@pytest.fixture(scope="module")
def planted() -> tuple[nn.Module, torch.Tensor, list[tuple[int, int]]]:
    """A small network that has learnt to see a pattern in noise, and pictures with it in each
    quadrant.
    """
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 16, 3, padding=1), nn.ReLU()),
        *(nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 2)),
    )
    optimiser = torch.optim.Adam(net.parameters(), 0.02)
    for _ in range(60):
        labels = torch.arange(32) % 2
        x = 0.5 * torch.randn(32, 1, 32, 32)
        for i in labels.nonzero().flatten().tolist():
            top, left = torch.randint(0, 24, (2,)).tolist()
            x[i, 0, top : top + 8, left : left + 8] += PLANT
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x), labels).backward()
        optimiser.step()
    places = [(4, 4), (4, 20), (20, 4), (20, 20)]
    x = 0.5 * torch.randn(4, 1, 32, 32)
    for image, (top, left) in zip(x, places, strict=True):
        image[0, top : top + 8, left : left + 8] += PLANT
    assert net(x).argmax(1).tolist() == [1] * 4
    return net, x, places


@pytest.mark.parametrize("method", [cam, grad_cam, grad_cam_pp, occlusion])
def test_the_quadrant_with_the_planted_pattern_lights_up(planted, method):
    net, x, places = planted
    given = {"layer": "4"} if method in (grad_cam, grad_cam_pp) else {}
    if method is occlusion:
        given = {"window": 8, "stride": 4}
    heats = method(net, x, 1, **given).heat((32, 32))
    assert (heats.dtype, heats.shape, heats.min() >= 0, heats.max()) == (
        np.float32,
        (4, 32, 32),
        True,
        1,
    )
    for heat, (top, left) in zip(heats, places, strict=True):
        rows, columns = slice(top - 4, top + 12), slice(left - 4, left + 12)
        assert heat[rows, columns].sum() > 0.6 * heat.sum()
        assert heat[rows, columns].max() == heat.max()


def test_an_unknown_layer_is_answered_with_layers():
    net, x = small("resnet20_cifar")
    with pytest.raises(InputError, match=r"^resnet20_cifar has no layer 'conv9'; .*conv1, "):
        grad_cam(net, x, layer="conv9")
    with pytest.raises(InputError, match=r"no maps, .* a tensor \(2, 5\); choose one of conv1"):
        grad_cam(net, x, layer="fc")
    with pytest.raises(InputError, match="there is no class 5; resnet20_cifar knows 5"):
        grad_cam(net, x, target=5)
    with pytest.raises(InputError, match="one for each of the 2 images"):
        grad_cam(net, x, target=(1, 2, 3))


def test_a_layer_is_found_by_the_end_of_its_path():
    with META:
        net = create_model("vgg16")
    assert layer_path(net, "conv5_3") == "conv5.conv5_3"
    assert layer_path(net, net.cam_layer) == "conv5"


def test_a_head_is_told_by_its_numbers_not_by_its_names():
    """A linear layer behind a maximum, or behind another layer, is no such head."""
    torch.manual_seed(0)
    body = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU())
    x = torch.randn(2, 1, 8, 8)
    for pool, rest in (
        (nn.AdaptiveMaxPool2d(1), [nn.Flatten(), nn.Linear(4, 3)]),
        (nn.AdaptiveAvgPool2d(1), [nn.Flatten(), nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 3)]),
        (nn.AdaptiveAvgPool2d(2), [nn.Flatten(), nn.Linear(16, 3)]),
    ):
        assert head_of(nn.Sequential(body, pool, *rest), x) is None
    pointwise = nn.Sequential(body, nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 3, 1), nn.Flatten())
    assert head_of(pointwise, x).weight.shape == (3, 4)
    mapped = nn.Sequential(body, nn.Conv2d(4, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    assert head_of(mapped, x).weight is None


def test_the_smallest_networks_are_those_of_every_file():
    assert {stored_facts()[name]["family"] for name in SMALLEST.values()} >= OTHER_ENDS
    assert {*SMALLEST_OF_A_PAPER.values()} <= {*stored_facts()}
