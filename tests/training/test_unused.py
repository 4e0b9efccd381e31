"""What a network, the images or this machine have no use for is refused, or said, before the first
step.
"""

import shutil
from types import SimpleNamespace

import pytest
from PIL import Image

from convatlas.cli import run
from convatlas.errors import RunError
from convatlas.registry import create_model
from convatlas.shapes_only import shapes_only
from convatlas.training import Recipe, train
from convatlas.training import run as run_module
from convatlas.training.callbacks import Callback
from convatlas.training.unused import require_use, warnings


class Heard(Callback):
    def __init__(self):
        self.warnings = []

    def warn(self, text):
        self.warnings.append(text)


def ready(network: str, train_names=("a/0.png",), val_names=("a/1.png",)):
    """What require_use looks at."""
    with shapes_only():
        net = create_model(network)
    data = SimpleNamespace(
        name="photos",
        channels=3,
        train=SimpleNamespace(names=list(train_names), __len__=lambda: 1),
        val=SimpleNamespace(names=list(val_names)),
    )
    prep = SimpleNamespace(side=net.side)
    return SimpleNamespace(net=net, side=net.side, prep=prep, data=data)


@pytest.mark.parametrize(
    ("network", "given", "says"),
    [
        ("lenet5", {"freeze_bn": True}, "--freeze-bn has no effect, for lenet5 has no batch norm"),
        ("vgg11", {"sync_bn": True}, "--sync-bn has no effect, for vgg11 has no batch norm"),
        ("googlenet", {"compile": True}, "--compile has no effect on googlenet"),
        ("resnet18", {"freeze": ("conv1.act",)}, "--freeze conv1.act has no effect"),
        ("resnet18", {"crop": "center", "resize": (200,)}, "--resize 200 has no effect, for the 2"),
        ("alexnet", {"crop": "random-resized", "resize": (64,)}, "give --resize 224 or more"),
    ],
    ids=str,
)
def test_what_has_no_effect_on_this_network_is_refused(network, given, says):
    got = ready(network)
    if given.get("freeze"):
        inert = next(
            name for name, part in got.net.named_modules() if name and not list(part.parameters())
        )
        given, says = {"freeze": (inert,)}, f"--freeze {inert} has no effect"
    with pytest.raises(RunError) as error:
        require_use(Recipe(network=network, **given), got)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("network", "given"),
    [
        ("resnet18", {"freeze_bn": True}),
        ("resnet18", {"sync_bn": True}),
        ("resnet18", {"compile": True}),
        ("resnet18", {"crop": "center", "resize": (224,)}),
        ("resnet18", {"freeze": ("conv1",)}),
        ("resnet18", {"val_fraction": 0.3}),
    ],
    ids=str,
)
def test_what_has_an_effect_is_let_through(network, given):
    require_use(Recipe(network=network, **given), ready(network))


@pytest.fixture
def photos(tmp_path):
    for part in ("train", "val", "test"):
        for name, level in (("dark", 40), ("light", 200)):
            folder = tmp_path / "photos" / part / name
            folder.mkdir(parents=True)
            for i in range(8):
                Image.new("L", (28, 28), level + i).save(folder / f"{i}.png")
    return tmp_path / "photos"


def test_a_share_for_validation_is_refused_where_a_folder_has_its_own(photos, tmp_path, capsys):
    words = f"train lenet1989 --data {photos} --val-fraction 0.3 --output {tmp_path / 'run'}"
    assert run(words.split()) == 1
    assert (
        "--val-fraction 0.3 has no effect, for photos has a validation" in capsys.readouterr().err
    )
    shutil.rmtree(photos / "val")
    assert run([*words.split(), "--epochs", "1"]) == 0


def test_what_this_machine_has_no_use_for_is_said(photos, tmp_path):
    heard = Heard()
    recipe = Recipe(
        network="resnet20_cifar",
        data=str(photos),
        epochs=1,
        batch_size=100,
        sync_bn=True,
        timeout=60,
    )
    train(recipe, tmp_path / "run", callback=heard)
    assert heard.warnings == [
        "--batch-size 100 is more than the 16 training images; each epoch is one step of all of "
        "them",
        "--sync-bn changes nothing in one process; torchrun starts several",
        "--timeout is for several processes, and this run has one",
    ]


def test_a_run_begun_before_such_rules_goes_on(tmp_path):
    """They are for new runs."""
    recipe, got = Recipe(network="lenet5", freeze_bn=True), ready("lenet5")
    with pytest.raises(RunError, match="has no batch norm"):
        run_module._start(recipe, got, tmp_path)
    (tmp_path / "recipe.toml").write_text(recipe.to_toml())
    assert run_module._start(recipe, got, tmp_path) == {}


def test_a_schedule_that_does_not_fit_a_shorter_run_is_said():
    recipe = Recipe(network="lenet5").change(epochs=30, warmup_epochs=3).change(epochs=2)
    group, got = SimpleNamespace(size=1), ready("lenet5")
    got.data.train = range(1000)
    (said,) = warnings(recipe, got, group)
    assert "--warmup-epochs 3 is longer than --epochs 2: the rate would only rise to 67%" in said
