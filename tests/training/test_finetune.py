"""A run that begins with weights: how images are standardised for them, what is remembered when the
file is gone, and the rates of body and head.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
import torchvision.models as tv
from PIL import Image
from safetensors.torch import load_file, save_file

from convatlas.cli import run as command
from convatlas.data import Augment, Loader, Preprocess, open_data, read_image
from convatlas.errors import CheckpointError, RecipeError, RunError
from convatlas.evaluation import MultiCrop
from convatlas.model_file import load_model
from convatlas.registry import create_model
from convatlas.training import Callback, Recipe, train
from convatlas.training.optimisers import optimiser
from convatlas.training.trainer import Trainer

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NETWORK = "regnetx_200mf"
THEIRS = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.21, 0.22]}


class Heard(Callback):
    def __init__(self):
        self.facts, self.warnings = {}, []

    def begin(self, facts):
        self.facts = facts

    def warn(self, text):
        self.warnings.append(text)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Photographs of two classes; a file under timm's names, with the hub's description beside it,
    and one under torchvision's.
    """
    folder, dice = tmp_path_factory.mktemp("finetune"), np.random.default_rng(0)
    for channel, name in enumerate(("red", "green")):
        (folder / "photos" / name).mkdir(parents=True)
        for i in range(10):
            colours = dice.integers(0, 200, (5, 6, 3), dtype=np.uint8)
            colours[..., channel] = 255
            picture = Image.fromarray(colours).resize((48, 40), Image.Resampling.BICUBIC)
            picture.save(folder / "photos" / name / f"{i}.png")
    torch.manual_seed(0)
    (folder / "timm").mkdir()
    save_file(timm.create_model("regnetx_002").state_dict(), folder / "timm" / "model.safetensors")
    config = THEIRS | {"input_size": [3, 160, 160], "crop_pct": 0.5, "interpolation": "bicubic"}
    about = {"architecture": "regnetx_002", "pretrained_cfg": config | {"num_classes": 1000}}
    (folder / "timm" / "config.json").write_text(json.dumps(about))
    torch.save(tv.squeezenet1_1().state_dict(), folder / "squeezenet.pth")
    return folder


def recipe(place: Path, **given) -> Recipe:
    weights = str(place / "timm" / "model.safetensors")
    short = {"epochs": 2, "batch_size": 4, "size": 32, "lr": 1e-3, "body_lr": 0.1, "opt": "sgd"}
    same = {"network": NETWORK, "data": str(place / "photos"), "weights": weights, "device": "cpu"}
    return Recipe(**short | same | {"crop": "random-resized"} | given)


@pytest.fixture(scope="module")
def whole(place, tmp_path_factory):
    """A run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    train(recipe(place), folder, callback=Heard())
    return folder


@pytest.fixture
def stopped(place, whole, tmp_path):
    """The same after its first epoch, with its weights somewhere else by now."""
    moved = tmp_path / "place"
    shutil.copytree(place / "timm", moved / "timm")
    given = recipe(place, weights=str(moved / "timm" / "model.safetensors"))

    class Stop(Heard):
        def epoch(self, record):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(given.change(save_every=0), tmp_path / "run", callback=Stop())
    shutil.rmtree(moved)
    return tmp_path / "run"


def same_weights(a: Path, b: Path) -> bool:
    one, other = (load_file(run / "model.safetensors") for run in (a, b))
    return all(torch.equal(one[name], other[name]) for name in {*one, *other})


def test_images_are_standardised_as_the_weights_were_trained(place, whole):
    found = load_model(whole).preprocess
    assert (list(found.mean), list(found.std)) == (THEIRS["mean"], THEIRS["std"])
    assert (found.interpolation, found.side, found.fit) == ("bicubic", 32, "resize")
    assert json.loads((whole / "run.json").read_text())["start"]["pictures"] == THEIRS | {
        "interpolation": "bicubic",
        "said": "as the config.json beside the file says",
    }


def test_a_resumed_run_needs_no_file_of_weights_and_has_the_same_bits(whole, stopped):
    seen = Heard()
    train(Recipe.recorded(stopped / "recipe.toml"), stopped, resume=True, callback=seen)
    assert same_weights(whole, stopped)
    assert load_model(stopped).preprocess == load_model(whole).preprocess
    assert "std 0.2 0.21 0.22, bicubic" in seen.facts["standardised"]


def test_the_checkpoints_know_it_where_run_json_is_gone(whole, stopped):
    (stopped / "run.json").unlink()
    train(Recipe.recorded(stopped / "recipe.toml"), stopped, resume=True, callback=Heard())
    assert same_weights(whole, stopped)
    assert json.loads((stopped / "run.json").read_text())["start"]["pictures"]["mean"] == [
        *THEIRS["mean"]
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"mean": [0.5, 0.4, 0.31]}, "says that images are standardised otherwise"),
        ({"interpolation": "bilinear"}, "says that images are standardised otherwise"),
        ({"mean": [0.5, 0.4, "x"]}, "run.json is damaged"),
        ({"std": [0.0, 0.2, 0.2]}, "run.json is damaged"),
        ({"mean": 7}, "run.json is damaged"),
        ({"mean": [0.5], "std": [0.5]}, "run.json is damaged"),
        (None, "says that images are standardised otherwise"),
        (7, "run.json is damaged"),
    ],
)
def test_another_standard_is_refused(stopped, change, says):
    file = stopped / "run.json"
    known = json.loads(file.read_text())
    pictures = known["start"]["pictures"]
    known["start"]["pictures"] = pictures | change if isinstance(change, dict) else change
    file.write_text(json.dumps(known))
    with pytest.raises((RunError, CheckpointError), match=says):
        train(Recipe.recorded(stopped / "recipe.toml"), stopped, resume=True, callback=Heard())


def test_other_weights_before_the_first_checkpoint_are_refused(place, stopped, tmp_path):
    shutil.rmtree(stopped / "checkpoints")
    weights = Path(Recipe.recorded(stopped / "recipe.toml").weights)
    shutil.copytree(place / "timm", weights.parent)
    tensors = load_file(weights)
    save_file({name: tensor + 0 * tensor for name, tensor in tensors.items()}, weights)
    with weights.open("r+b") as file:  # the last bit of the last weight
        file.seek(-4, 2)
        last = file.read(1)[0]
        file.seek(-4, 2)
        file.write(bytes([last ^ 1]))
    with pytest.raises(RunError, match="holds other weights than when the run in"):
        train(Recipe.recorded(stopped / "recipe.toml"), stopped, resume=True, callback=Heard())


class Look(Heard):
    """Ends a run where it would begin."""

    def begin(self, facts):
        super().begin(facts)
        raise KeyboardInterrupt


def standard(given: Recipe, folder: Path) -> tuple[dict | None, str]:
    """How such a run standardises images, and what it says of that."""
    seen = Look()
    with pytest.raises(KeyboardInterrupt):
        train(given, folder, callback=seen)
    start = json.loads((folder / "run.json").read_text())["start"]
    return start["pictures"], seen.facts["standardised"]


def test_grey_images_are_standardised_by_the_mean_of_the_channels(place, tmp_path):
    given = recipe(place, data="digits", batch_size=64)
    pictures, said = standard(given, tmp_path / "run")
    assert pictures["mean"] == pytest.approx([0.4])
    assert pictures["std"] == pytest.approx([0.21])
    assert "mean 0.4 and std 0.21, bicubic" in said


def test_torchvisions_are_standardised_as_imagenet(place, tmp_path):
    given = recipe(place, network="squeezenet1_1", weights=str(place / "squeezenet.pth"))
    pictures, said = standard(given, tmp_path / "run")
    assert (tuple(pictures["mean"]), tuple(pictures["std"])) == (MEAN, STD)
    assert "as torchvision measured IMAGENET1K_V1" in said


def test_those_of_a_run_are_standardised_as_it_was(whole, place, tmp_path):
    given = recipe(place, weights=str(whole / "model.safetensors"))
    pictures, said = standard(given, tmp_path / "run")
    assert {name: pictures[name] for name in THEIRS} == THEIRS
    assert pictures["interpolation"] == "bicubic"
    assert "as the run was trained" in said


def test_where_nothing_is_known_the_training_images_decide_and_that_is_said(place, tmp_path):
    torch.manual_seed(0)
    save_file(create_model("resnet20_cifar").state_dict(), tmp_path / "r.safetensors")
    weights = str(tmp_path / "r.safetensors")
    given = recipe(place, network="resnet20_cifar", weights=weights, epochs=1)
    plain = given.change(weights="", body_lr=1.0)
    pictures, said = standard(given, tmp_path / "run")
    assert pictures is None
    assert said.startswith("standardised by the mean and std of the training images, for it is not")
    found = [
        load_model(folder).preprocess
        for folder, one in ((tmp_path / "run", given), (tmp_path / "plain", plain))
        if train(one, folder, resume=folder.exists(), callback=Heard())
    ]
    assert found[0] == found[1]


def test_a_run_without_weights_records_nothing_of_them(tmp_path):
    seen = Look()
    with pytest.raises(KeyboardInterrupt):
        train(Recipe(), tmp_path / "run", callback=seen)
    assert "start" not in json.loads((tmp_path / "run" / "run.json").read_text())
    assert seen.facts["standardised"] == ""


def test_crops_are_scaled_as_the_weights_were(place):
    """Bicubic in training, and in tests of many crops, not only where one picture is fitted."""
    data = open_data(str(place / "photos"))
    ways = ("bilinear", "bicubic")
    preps = [Preprocess(3, 16, MEAN, STD, "resize", 16, interpolation=way) for way in ways]
    crop = Augment(crop="random-resized")
    cut = [Loader(data.train, prep, 4, augment=crop).sample(4)[0] for prep in preps]
    sized = Augment(sizes=(12,))
    small = [Loader(data.train, prep, 4, augment=sized).sample(4)[0] for prep in preps]
    picture = read_image(next((place / "photos" / "red").iterdir()))
    views = [MultiCrop("144", (20,)).of(picture, 16, way)[0] for way in ways]
    for one, other in (cut, small, views):
        assert one.shape == other.shape
        assert not torch.equal(one, other)
    assert torch.equal(views[0], MultiCrop("144", (20,)).of(picture, 16)[0])


@pytest.mark.parametrize("decay_norm", [True, False])
@pytest.mark.parametrize("network", ["resnet20_cifar", "googlenet_torchvision"])
def test_all_but_the_classifiers_learn_at_a_share_of_the_rate(network, decay_norm):
    plain = Recipe(opt="sgd", momentum=0.0, lr=0.1, warmup_epochs=0, sched="constant")
    moved = []
    for share in (1.0, 0.25):
        torch.manual_seed(0)
        net = create_model(network, num_classes=3)
        one = plain.change(body_lr=share, decay_norm=decay_norm)
        trainer = Trainer(one, net, 10, torch.device("cpu"))
        before = {name: weight.detach().clone() for name, weight in net.named_parameters()}
        trainer._prepare()
        for weight in net.parameters():
            weight.grad = torch.ones_like(weight)
        trainer.optimiser.step()
        moved.append({name: weight - before[name] for name, weight in net.named_parameters()})
    heads = (f"{net.classifier_path}.", *(f"{path}." for path in net.auxiliary_paths))
    for name, step in moved[0].items():
        share = 1.0 if name.startswith(heads) else 0.25
        torch.testing.assert_close(moved[1][name], share * step)
    assert any(name.startswith(heads) for name in moved[0])


def test_one_rate_for_all_is_one_group():
    net = create_model("lenet5")
    assert [group["share"] for group in optimiser(Recipe(), net).param_groups] == [1.0]
    two = optimiser(Recipe(body_lr=0.5), net).param_groups
    assert [group["share"] for group in two] == [0.5]  # its output has no weights that learn
    assert sum(len(group["params"]) for group in two) == len(list(net.parameters()))


@pytest.mark.parametrize("value", [0, -0.1, 1.5, float("nan")])
def test_a_share_of_the_rate_is_above_0_and_up_to_1(value):
    with pytest.raises(RecipeError, match="body_lr"):
        Recipe(body_lr=value)


def test_a_body_without_weights_that_learns_slowly_is_said(tmp_path):
    seen = Look()
    with pytest.raises(KeyboardInterrupt):
        train(Recipe(body_lr=0.1), tmp_path / "run", callback=seen)
    assert any("--body-lr 0.1 is for layers that are trained already" in w for w in seen.warnings)


def test_the_command_takes_the_recipe_and_says_what_is_loaded_and_fresh(place, tmp_path, capsys):
    words = ["train", NETWORK, "--weights", str(place / "timm" / "model.safetensors")]
    words += ["--data", str(place / "photos"), "--size", "32", "--epochs", "1"]
    assert command([*words, "--freeze-bn", "--output", str(tmp_path / "run")]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "recipe: finetune, built in"
    assert any(line.startswith(f"weights: {NETWORK} holds timm's regnetx_002") for line in shown)
    assert "weights: not from the file, as they were: fc.weight, fc.bias" in shown
    assert any("images are standardised with mean 0.5 0.4 0.3" in line for line in shown)
    made = Recipe.recorded(tmp_path / "run" / "recipe.toml")
    assert (made.body_lr, made.lr, made.warmup_epochs, made.freeze_bn) == (0.1, 1e-3, 0.5, True)
    again = tmp_path / "again"
    assert command([*words, "--recipe", "modern", "--output", str(again)]) == 0
    assert "recipe: finetune" not in capsys.readouterr().out
    assert Recipe.recorded(again / "recipe.toml").body_lr == 1.0
