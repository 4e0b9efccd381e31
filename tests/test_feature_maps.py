"""feature_info and features_only: channels and reductions of every stage, and its maps alone."""

import copy
import pickle

import pytest
import torch
from networks import ALL_KINDS, META, SMALLEST, first, images, shapes_in_order

from convatlas.anatomy import features
from convatlas.errors import InputError
from convatlas.layers.feature_maps import FeatureMaps
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only
from convatlas.verification import blueprint
from convatlas.weights import save_weights

REDUCTIONS = {  # what the papers' tables and strides say
    "lenet5": [1, 2, 2, 4, 4],
    "lenet1989": [1, 2, 2, 4],
    "lenet1989_zip": [2, 4],
    "alexnet": [4, 8, 16, 16, 16, 32],
    "vgg16": [1, 2, 4, 8, 16],
    "squeezenet1_0": [2, 4, 8, 16],
    "inception_v3": [2, 4, 8, 16, 32],
    "resnet20_cifar": [1, 1, 2, 4],
    "resnet50": [2, 4, 8, 16, 32],
    "densenet121": [2, 4, 8, 16, 32],
    "mobilenet_v3_small": [2, 4, 8, 8, 16, 16, 16, 16, 16, 32, 32, 32, 32],
    "efficientnet_b0": [2, 2, 4, 8, 16, 16, 32, 32, 32],
}
TIMMS = {  # ours -> timm's model of the same graph, whose stages end where ours do
    "resnet18": "resnet18",
    "resnet50_v15": "resnet50",
    "resnext50_32x4d": "resnext50_32x4d",
    "res2net50_26w4s": "res2net50_26w_4s",
}


def without_numbers(name: str, **arguments):
    with shapes_only():
        return create_model(name, **arguments)


@torch.no_grad()
def sides(net, side: int) -> list[int]:
    """Of the maps of the stages for an image of that side."""
    found = {}
    for stage in net.stages:
        net.get_submodule(stage).register_forward_hook(
            lambda _, args, out, stage=stage: found.update({stage: out.shape[-1]})
        )
    x = images(net, side)
    net.eval()(x)
    return [found[stage] for stage in net.stages]


@first(ALL_KINDS)
def test_channels_and_reductions_are_those_of_the_maps(name):
    net = without_numbers(name)
    info = net.feature_info
    maps = shapes_in_order(name)
    assert info.module_name() == [*net.stages]
    assert info.channels() == [maps[stage][0] for stage in net.stages]
    assert info.reduction() == sorted(info.reduction())
    if net.largest is None:  # a step of all reductions to the right moves every map by whole places
        step = max(info.reduction())
        before, after = (sides(without_numbers(name), net.side + more) for more in (step, 3 * step))
        grown = [b - a for a, b in zip(before, after, strict=True)]
        assert [2 * step // places for places in grown] == info.reduction()
        assert all(2 * step % places == 0 for places in grown)


@first(ALL_KINDS, REDUCTIONS)
def test_reductions_are_the_papers(name):
    assert without_numbers(name).feature_info.reduction() == REDUCTIONS[name]


def test_a_unit_of_each_map_sees_pixels_that_lie_a_reduction_further():
    """Of the network that says its reductions itself, by gradients."""
    net = create_model("lenet1989_zip").eval()
    x = torch.rand(1, 1, 16, 16, requires_grad=True)
    for stage, reduction in zip(net.stages, net.feature_info.reduction(), strict=True):
        seen = []
        for column in (1, 2):
            (grad,) = torch.autograd.grad(features(net, x)[stage][0, :, 1, column].sum(), x)
            seen.append(int(grad[0, 0].abs().sum(0).nonzero().max()))
        assert seen[1] - seen[0] == reduction


@pytest.mark.full
@pytest.mark.parametrize(("ours", "theirs"), TIMMS.items())
def test_timm_says_the_same_of_the_same_graph(ours, theirs):
    timm = pytest.importorskip("timm")
    found = timm.create_model(theirs, features_only=True).feature_info
    info = without_numbers(ours).feature_info
    assert info.channels() == found.channels()
    assert info.reduction() == found.reduction()
    assert info.channels(-1) == found.channels(-1)
    assert {*info[0]} <= {*found.get_dicts()[0]}


@first(ALL_KINDS)
def test_maps_have_the_shapes_of_the_stages_and_every_parameter_a_gradient(name):
    net = without_numbers(name, features_only=True)
    whole = blueprint(name)
    maps = net(images(whole, whole.side))
    assert [tuple(found.shape[1:]) for found in maps] == [
        shapes_in_order(name)[stage] for stage in whole.stages
    ]
    assert net.feature_info == whole.feature_info
    sum(found.sum() for found in maps).backward()
    assert [path for path, p in net.named_parameters() if p.grad is None] == []


@torch.no_grad()
@first({"lenet5", "squeezenet1_1", "resnet20_cifar"}, SMALLEST.values())
def test_maps_are_those_that_hooks_see(name):
    torch.manual_seed(0)
    whole = create_model(name).eval()
    net = FeatureMaps(copy.deepcopy(whole))
    x = images(whole, max(whole.smallest, min(whole.side, 64)), device="cpu")
    assert all(
        torch.equal(ours, seen)
        for ours, seen in zip(net(x), features(whole, x).values(), strict=True)
    )


@first(
    {"lenet5", "resnet20_cifar"},
    ("lenet5", "resnet20_cifar", "xception", "googlenet", "nasnet_a_6_768_cifar"),
)
def test_any_one_stage_can_be_chosen(name):
    count = len(blueprint(name).stages)
    sizes = []
    for index in range(count):
        net = without_numbers(name, features_only=True, out_indices=(index,))
        (only,) = net(images(net.net, net.net.side))
        assert only.shape[1] == net.feature_info.channels(0)
        only.sum().backward()
        assert [path for path, p in net.named_parameters() if p.grad is None] == []
        sizes.append(sum(p.numel() for p in net.parameters()))
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1]


def test_indices_may_count_from_the_end_and_come_in_the_order_of_the_stages():
    net = without_numbers("resnet18", features_only=True, out_indices=(-1, 1))
    assert net.feature_info.module_name() == ["conv2_x", "conv5_x"]
    assert [tuple(found.shape) for found in net(images(net.net, 224))] == [
        (2, 64, 56, 56),
        (2, 512, 7, 7),
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"features_only": True, "out_indices": (5,)}, r"from 0 to 4, not 5$"),
        ({"features_only": True, "out_indices": (0, -6)}, r"from 0 to 4, not -6$"),
        ({"features_only": True, "out_indices": ()}, r"conv5_x; give out_indices .* not none$"),
        ({"features_only": True, "num_classes": 10}, "leave num_classes out"),
        ({"out_indices": (1,)}, "give features_only=True too"),
    ],
)
def test_what_there_is_not_is_refused_in_a_sentence(arguments, said):
    with pytest.raises(InputError, match=f"^resnet18.*{said}"):
        without_numbers("resnet18", **arguments)


def test_weights_are_read_whatever_classes_they_tell_apart(tmp_path):
    theirs = create_model("resnet20_cifar", num_classes=3)
    save_weights(theirs, tmp_path / "w.safetensors")
    net = create_model("resnet20_cifar", weights=tmp_path / "w.safetensors", features_only=True)
    held = theirs.state_dict()
    assert all(torch.equal(held[key], kept) for key, kept in net.net.state_dict().items())


def test_a_copy_a_pickled_and_a_compiled_one_give_their_own_maps():
    net = create_model("resnet20_cifar", features_only=True).eval()
    x = images(net.net, 32, device="cpu")
    twin = copy.deepcopy(net)
    with torch.no_grad():
        twin.net.conv1.conv.bn.bias += 1
        assert not torch.equal(twin(x)[0], net(x)[0])
        expected = net(x)
        exported = torch.export.export(net, (x,)).module()
        for other in (pickle.loads(pickle.dumps(net)), torch.nn.DataParallel(net), exported):
            for ours, kept in zip(other(x), expected, strict=True):
                torch.testing.assert_close(ours, kept)
    assert not any(hasattr(module, "feature_map") for module in net.modules())


def test_feature_info_leaves_the_network_as_it_is():
    net = create_model("lenet5").train()
    called = []
    net.register_forward_hook(lambda *_: called.append(1))
    before = {key: tensor.clone() for key, tensor in net.state_dict().items()}
    assert net.feature_info[0] == {"module": "C1", "num_chs": 6, "reduction": 1}
    assert called == []
    assert net.training
    assert all(torch.equal(before[key], tensor) for key, tensor in net.state_dict().items())
    with META:
        assert create_model("lenet5").feature_info == net.feature_info
