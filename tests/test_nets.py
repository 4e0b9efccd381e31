"""One contract for every network of the catalogue. Shapes are followed on the meta device: no
memory, no arithmetic.

Real numbers run through every network small enough, and through the smallest of each file in nets/.
Exporting and compiling are in test_export.py, the names of the stages in test_stage_names.py.
"""

import copy
import random

import pytest
import torch
import torch.nn as nn
from networks import (
    BY_SIZE,
    META,
    SMALLEST,
    SMALLEST_OF_A_PAPER,
    first,
    images,
    outputs_of,
    shapes_in_order,
)

from convatlas.layers import Network
from convatlas.registry import create_model, entries
from convatlas.verification import blueprint

SMALL = 12_000_000  # parameters that a test may fill and differentiate


def size(net: nn.Module) -> int:
    return sum(p.numel() for p in net.parameters())


def training_logits(net: Network, x: torch.Tensor) -> list[torch.Tensor]:
    """All that the training loop reads: auxiliary heads too."""
    return (
        [logits for logits, _ in net.training_outputs(x)]
        if hasattr(net, "training_outputs")
        else [net(x)]
    )


@torch.no_grad()
def batch_read(net: Network, training: bool, h: int, w: int) -> int:
    return net.train(training)(images(net, h, w)).shape[0]


@torch.no_grad()
def runs_unchecked(net: Network, side: int) -> bool:
    """Whether the layers alone, without the check of the input, take this size in evaluation and in
    training.
    """
    for mode in (False, True):
        try:
            net.train(mode).forward.__wrapped__(net, images(net, side))
        except (RuntimeError, ValueError, IndexError):
            return False
    return True


every_network = pytest.mark.parametrize("name", entries())
smallest_of_each_file = pytest.mark.parametrize("name", SMALLEST.values())
every_file = first(SMALLEST.values())
small_networks = first(
    SMALLEST.values(), [name for name, facts in BY_SIZE if facts["params"] <= SMALL]
)


@every_network
def test_logits(name):
    net = blueprint(name)
    assert net.name == name
    assert net.input_size == (net.in_channels, net.side, net.side)
    assert {tensor.device for tensor in [*net.parameters(), *net.buffers()]} == {META}
    assert shapes_in_order(name)[""] in {(10,), (1000,)}


@every_file
def test_every_module_gives_out_what_the_table_says_and_none_is_written_over(name):
    """After its hook saw it."""
    net = blueprint(name).eval()
    seen = outputs_of(net, images(net, net.side))
    assert [path for path, out, version in seen if out._version != version] == []
    assert {path: tuple(out.shape) for path, out, _ in seen} == {
        path: (2, *shape) for path, shape in shapes_in_order(name).items()
    }
    assert list(dict.fromkeys(path for path, *_ in seen)) == list(shapes_in_order(name))


@every_file
def test_every_legal_size_and_no_other(name):
    net = blueprint(name)
    above = net.largest or net.side + 37
    assert net.smallest <= net.side <= above
    some = random.Random(name)
    for mode, h, w in [
        (False, net.smallest, net.smallest),
        (False, above, above),
        (True, net.smallest, net.side),
        (True, net.smallest, net.smallest),
        (False, some.randint(net.smallest, above), some.randint(net.smallest, above)),
    ]:
        assert batch_read(net, mode, h, w) == 2, f"{h}x{w}"
    for side in range(net.smallest, above, 5) if net.largest else ():
        assert batch_read(net, False, side, side) == 2, side
    for side in {net.smallest - 1, *([net.largest + 1] if net.largest else [])}:
        with pytest.raises(ValueError, match=rf"^{name} reads .*{side}x{side}"):
            net(images(net, side))
        assert side == 0 or not runs_unchecked(net, side), (
            f"{name} would read {side}x{side}: its bounds are too narrow"
        )


@every_network
def test_images_of_another_kind_are_refused(name):
    net = blueprint(name)
    for shape in [
        (2, net.in_channels + 1, net.side, net.side),
        (net.in_channels, net.side, net.side),
    ]:
        with pytest.raises(
            ValueError, match=rf"^{name} reads batches of {net.in_channels}-channel images"
        ):
            net(torch.empty(shape, device=META))


@every_network
def test_stages_are_maps_in_the_order_of_execution(name):
    net = blueprint(name)
    maps = {path: shape for path, shape in shapes_in_order(name).items() if path in net.stages}
    assert list(maps) == list(net.stages)
    assert {len(shape) for shape in maps.values()} == {3}
    sides = [shape[-1] for shape in maps.values()]
    assert sides == sorted(sides, reverse=True)


@every_network
def test_the_cam_layer_gives_the_last_map_before_the_classifier(name):
    net = blueprint(name)
    path = net.cam_path or net.stages[-1]
    assert net.get_submodule(path) is net.cam_layer
    outputs = shapes_in_order(name)
    assert len(outputs[path]) == 3
    assert min(outputs[path][1:]) > 1
    (classifier,) = [p for p, module in net.named_modules() if module is net.classifier]
    assert list(outputs).index(path) < list(outputs).index(classifier) or classifier.startswith(
        path
    )


@every_file
def test_every_parameter_has_a_gradient_and_hooks_on_every_module_see_it(name):
    """An operation in place after a module would break its backward hook."""
    with META:
        net = create_model(name, num_classes=7, in_channels=2).train()
    called = set()
    for path, module in net.named_modules():
        module.register_full_backward_hook(lambda m, grad_in, grad_out, path=path: called.add(path))
    x = images(net, max(net.smallest, min(net.side, 32))).requires_grad_()
    outputs = training_logits(net, x)
    assert {y.shape for y in outputs} == {(2, 7)}
    sum(y.sum() for y in outputs).backward()
    assert [
        path for path, p in net.named_parameters() if p.grad is None or p.grad.shape != p.shape
    ] == []
    weighted = {
        path for path, module in net.named_modules() if list(module.parameters(recurse=False))
    }
    assert weighted <= called


@every_file
def test_a_copy_takes_a_new_classifier_and_leaves_the_original_alone(name):
    net = blueprint(name)
    twin = copy.deepcopy(net)
    assert [(k, v.shape) for k, v in twin.state_dict().items()] == [
        (k, v.shape) for k, v in net.state_dict().items()
    ]
    old, shapes = twin.classifier, [p.shape for p in net.parameters()]
    replaced = [old, *(twin.get_submodule(path) for path in twin.auxiliary_paths)]
    others = {id(p) for p in twin.parameters()} - {
        id(p) for layer in replaced for p in layer.parameters()
    }
    twin.reset_classifier(5)
    assert twin.classifier is not old
    assert type(twin.classifier) is type(old)
    assert others <= {id(p) for p in twin.parameters()}
    assert {logits.shape for logits in training_logits(twin.eval(), images(twin, twin.side))} == {
        (2, 5)
    }
    assert [p.shape for p in net.parameters()] == shapes
    with pytest.raises(ValueError, match=name):
        twin(torch.empty(2, twin.in_channels + 1, twin.side, twin.side, device=META))


def assert_gradients_are_finite(net: Network) -> None:
    x = images(net, max(net.smallest, min(net.side, 32)), device="cpu").requires_grad_()
    outputs = training_logits(net.train(), x)
    sum(nn.functional.cross_entropy(y, torch.tensor([1, 2])) for y in outputs).backward()
    assert [
        path for path, p in net.named_parameters() if p.grad is None or not p.grad.isfinite().all()
    ] == []
    assert x.grad.isfinite().all()
    assert x.grad.any(), "no gradient reaches the image"
    assert net.classifier is net.get_submodule(net.classifier_path)


@small_networks
def test_gradients_are_finite(name):
    torch.manual_seed(0)
    assert_gradients_are_finite(create_model(name))


@first(SMALLEST_OF_A_PAPER.values(), SMALLEST.values())
def test_weights_travel(name):
    """Gradients and state dict with real numbers; the giants' smallest members too."""
    torch.manual_seed(0)
    net = create_model(name)
    if size(net) > SMALL:
        assert_gradients_are_finite(net)
        net.zero_grad()
    with META:
        other = create_model(name)
    assert other.load_state_dict(net.state_dict(), assign=True) == ([], [])
    x = images(net, max(net.smallest, min(net.side, 32)), device="cpu")
    with torch.no_grad():
        expected = net.eval()(x)
        torch.testing.assert_close(other.eval()(x), expected, rtol=0, atol=0)
        torch.testing.assert_close(copy.deepcopy(net)(x), expected, rtol=0, atol=0)


def test_an_operation_in_place_is_caught():
    """By the version of what a forward hook saw, and in training by backward hooks, which refuse
    it.
    """
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True)).to(META)
    x = torch.empty(2, 3, 8, 8, device=META)
    assert [path for path, out, version in outputs_of(net, x) if out._version != version] == ["1"]
    net[1].register_full_backward_hook(lambda m, grad_in, grad_out: None)
    with pytest.raises(RuntimeError, match="modified inplace"):
        net(x).sum().backward()


def test_a_head_that_keeps_its_classes_is_caught(monkeypatch):
    monkeypatch.setattr(type(blueprint("inception_v3")), "auxiliary_paths", ())
    with pytest.raises(AssertionError):
        test_a_copy_takes_a_new_classifier_and_leaves_the_original_alone("inception_v3")


def test_fewer_than_no_classes_are_refused():
    with pytest.raises(ValueError, match="resnet18: num_classes must be 1 or more, or 0"):
        blueprint("resnet18").reset_classifier(-1)
