"""A batch norm that would see one value a channel is named before the first step."""

import pytest
import torch
from torch.nn.modules.batchnorm import _BatchNorm

from convatlas.cli import run
from convatlas.errors import Error, InputError, RunError
from convatlas.registry import create_model
from convatlas.training import Recipe, train
from convatlas.training.batch_norm import far_too_small, require_several_values
from convatlas.training.callbacks import Callback

SMALL = Recipe(network="mobilenet_v2_x0_35", size=32, batch_size=4)


@pytest.mark.parametrize(
    ("flags", "says"),
    [
        ("-b 1", "a step has one image; give --batch-size 2 or more, or a larger --size"),
        ("-b 4 --accumulate 4", "has one image; give --accumulate 2, or --batch-size 8 or more"),
    ],
)
def test_a_run_is_refused_with_the_layer_and_the_remedy(flags, says, tmp_path, capsys):
    words = f"train mobilenet_v2_x0_35 --size 32 {flags} --output {tmp_path / 'run'}"
    assert run(words.split()) == 1
    said = capsys.readouterr().err
    assert says in said
    assert "the batch norm bottleneck6.0.layers.depthwise.bn of mobilenet_v2_x0_35" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("network", ["mobilenet_v2_x0_35", "inception_v3", "resnest14"])
def test_what_torch_would_refuse_is_what_we_refuse(network):
    """One image in training, at the smallest legal side and at others: the same answer, and where
    it is a refusal, one of the named layers is what torch stops at.
    """
    with torch.device("meta"):
        net = create_model(network).train()
    for side in (max(net.smallest, 32), net.smallest + 40):
        recipe = Recipe(network=network, batch_size=1)
        try:
            with torch.device("meta"):
                getattr(net, "training_outputs", net)(torch.empty(1, 3, side, side))
        except ValueError as error:
            torch_s = (
                error.__context__ or error
            )  # where the network itself says it, torch said it first
            assert "more than 1 value per channel" in str(torch_s)
            with pytest.raises(RunError, match="would see one value"):
                require_several_values(recipe, 1, 1, side, 3)
        else:
            require_several_values(recipe, 1, 1, side, 3)


@pytest.mark.parametrize(
    ("change", "part", "processes"),
    [
        ({}, 2, 1),
        ({"freeze_bn": True}, 1, 1),
        ({"sync_bn": True}, 1, 2),
        ({"accumulate": 2}, 4, 1),
        ({"size": 224}, 1, 1),
        ({"freeze": tuple(create_model("mobilenet_v2_x0_35").stages[:-1])}, 1, 1),
    ],
    ids=str,
)
def test_what_can_be_trained_is_let_through(change, part, processes):
    recipe = SMALL.change(**change)
    if change.get("freeze"):
        with pytest.raises(RunError, match=f"norm {create_model(recipe.network).stages[-1]}"):
            require_several_values(recipe, part, processes, 32, 3)
        recipe = SMALL.change(freeze=create_model(recipe.network).stages)
    require_several_values(recipe, part, processes, recipe.size, 3)


def test_several_processes_and_drawn_sizes_count():
    with pytest.raises(RunError, match="each of 4 processes has one image; give --batch-size 8 or"):
        require_several_values(SMALL, 1, 4, 32, 3)
    with pytest.raises(RunError, match="would see one value of each channel, for its map is 1x1 a"):
        require_several_values(SMALL.change(size=224, sizes=(224, 32)), 1, 1, 224, 3)


def test_a_frozen_run_of_single_images_really_trains(tmp_path):
    class Enough(Error):
        pass

    class Two(Callback):
        def step(self, progress, loss, rate):
            if progress.step == 2:
                raise Enough

    recipe = SMALL.change(batch_size=1, freeze_bn=True)
    with pytest.raises(Enough):
        train(recipe, tmp_path / "run", callback=Two())


@pytest.mark.parametrize(
    ("network", "side", "said"),
    [
        ("resnet50", 8, True),
        ("resnet50", 64, False),
        ("resnet50", 224, False),
        ("resnet18", 32, False),
        ("mobilenet_v2_x0_35", 32, False),
        ("resnet20_cifar", 32, False),
        ("lenet5", 32, False),
        ("vgg16_bn_32", 32, False),
    ],
)
def test_maps_of_one_pixel_are_named(network, side, said):
    text = far_too_small(Recipe(network=network), side, 3)
    assert bool(text) is said
    if said:
        assert "at --size 8, 13 of 17 convolutions of resnet50" in text
        assert "the paper's --size is 224" in text


def test_a_network_that_is_called_by_hand_says_it_too():
    net = create_model("mobilenet_v2_x0_35").train()
    with pytest.raises(InputError, match=r"mobilenet_v2_x0_35 in training cannot read one image"):
        net(torch.rand(1, 3, 32, 32))
    net(torch.rand(2, 3, 32, 32))
    net.eval()(torch.rand(1, 3, 32, 32))


def test_no_batch_norm_of_the_atlas_is_of_another_kind():
    """Which the hooks would not see."""
    for name in ("inception_v3", "resnet20_cifar", "efficientnet_b0"):
        with torch.device("meta"):
            norms = [m for m in create_model(name).modules() if isinstance(m, _BatchNorm)]
        assert norms and {type(norm) for norm in norms} == {torch.nn.BatchNorm2d}
