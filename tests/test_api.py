"""The public names, as a person meets them: dir, help, an editor's completion, a type checker."""

import inspect
import subprocess
import sys
import typing
from pathlib import Path

import jedi
import pytest
from PIL import Image

import convatlas

PUBLIC = sorted(convatlas.__all__)
VERBS = sorted(name for name in PUBLIC if not inspect.isclass(getattr(convatlas, name)))
SAMPLE = """
import torch
import convatlas

names = convatlas.list_models("resnet*", max_params=3e7)
facts = convatlas.describe("resnet50")
net = convatlas.create_model("resnet20_cifar", num_classes=5, in_channels=1)
images = torch.zeros(1, 1, 32, 32)
logits = net(images)
print(net.stages, net.cam_layer, net.classifier)
net.reset_classifier(7)
print(net.num_features, net.num_classes, net.feature_info.channels())
maps = convatlas.create_model("resnet20_cifar", features_only=True, out_indices=(1, 2))
print(maps.feature_info.reduction(), [found.shape for found in maps(images)])
print(convatlas.scale(3).resolution, convatlas.scale(3).equation.width)
print(convatlas.summary(net).macs, convatlas.features(net, images).keys())
print(convatlas.diff(net, convatlas.create_model("resnet32_cifar")))
print([verdict.measured for verdict in convatlas.verify("lenet5")])
certificate = convatlas.load_weights(net, "weights.safetensors")
print(certificate.sha256)
convatlas.save_weights(net, "mine.safetensors")
convatlas.convert("theirs.pth", "resnet50_v15", "ours.safetensors")
report = convatlas.check_data("photos")
print(report.problems)
recipe = convatlas.Recipe(network="lenet5", epochs=2)


class Mine(convatlas.Callback):
    def epoch(self, record: dict) -> None:
        print(record["val_accuracy"])


metrics = convatlas.train(recipe, "runs/mine", callback=Mine())
saved = convatlas.load_model("runs/mine")
print(saved.classes, convatlas.predict(saved, "photo.jpg")[0].classes)
print(convatlas.evaluate("runs/mine").accuracy)
print(convatlas.model_card("runs/mine"), convatlas.push_to_hub(saved, "me/mine", folder="files"))
print(convatlas.from_pretrained("files").classes)
"""


def checked(tmp_path: Path, source: str) -> tuple[int, str]:
    """The exit code and the findings of the type checker ty, as in somebody's project."""
    (tmp_path / "sample.py").write_text(source)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ty", "check", "--output-format", "concise"),
            *("--python", sys.executable, "--project", str(tmp_path)),
            *("--extra-search-path", str(Path(convatlas.__file__).parents[1])),
            str(tmp_path / "sample.py"),
        ],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout


def test_what_dir_shows_is_what_there_is():
    assert sorted(dir(convatlas)) == sorted([*PUBLIC, "__version__"])
    assert sorted(convatlas._HOMES) == PUBLIC
    assert all(getattr(convatlas, name) is not None for name in PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_an_editor_completes_a_name_and_shows_its_signature(name):
    completed = jedi.Script(f"import convatlas\nconvatlas.{name}").complete(2)
    assert name in [found.name for found in completed]
    signatures = jedi.Script(f"import convatlas\nconvatlas.{name}(").get_signatures(2)
    assert {signature.name for signature in signatures} == {name}  # of create_model there are two
    assert all(each.docstring(raw=True) for each in signatures), f"{name} has no docstring"


@pytest.mark.parametrize("name", VERBS)
def test_every_verb_says_what_it_takes_and_gives(name):
    hints = typing.get_type_hints(getattr(convatlas, name))
    parameters = inspect.signature(getattr(convatlas, name)).parameters
    assert {*parameters, "return"} <= hints.keys()


def test_a_type_checker_follows_the_public_names(tmp_path):
    assert checked(tmp_path, SAMPLE) == (0, "All checks passed!\n")


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("convatlas.create_model(", "convatlas.create_modle("),
        ("net.reset_classifier(7)", "net.reset_classifier(clases=7)"),
        ("num_classes=5", "num_clases=5"),
        ("features_only=True, out", "features_only=True, num_classes=5, out"),
        ("summary(net).macs", "summary(net).madds"),
        ("saved.classes", "saved.clases"),
        ("scale(3).resolution", "scale(3).side"),
        ("convatlas.evaluate(", "convatlas.eval("),
    ],
)
def test_a_misspelt_name_is_an_error(tmp_path, right, wrong):
    assert right in SAMPLE
    code, found = checked(tmp_path, SAMPLE.replace(right, wrong))
    assert code == 1
    assert "error[" in found


def test_help_shows_the_public_names():
    shown = subprocess.run(
        [sys.executable, "-c", "import convatlas; help(convatlas)"], capture_output=True, text=True
    ).stdout
    assert all(name in shown for name in PUBLIC)


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, convatlas; convatlas.Recipe; convatlas.Callback; convatlas.Error; "
        "convatlas.list_models(); convatlas.describe('resnet50'); convatlas.scale(1); "
        "print({'torch', 'torchvision', 'numpy', 'matplotlib', 'rich'} & sys.modules.keys())"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (shown.stdout, shown.stderr) == ("set()\n", "")


def test_train_takes_a_name_and_changes_and_shows_what_goes_on(tmp_path, capsys):
    class Silent(convatlas.Callback):
        pass

    changes = {"network": "lenet1989", "data": "digits", "epochs": 1}
    metrics = convatlas.train("modern", tmp_path / "shown", **changes)
    shown = capsys.readouterr().out
    assert "lenet1989, 2,578 parameters, on digits" in shown
    assert f"test accuracy {100 * metrics['test']['accuracy']:.2f} %" in shown
    again = convatlas.train("modern", tmp_path / "silent", callback=Silent(), **changes)
    assert capsys.readouterr().out == ""
    assert again["test"] == metrics["test"] == convatlas.evaluate(tmp_path / "shown").to_dict()


def test_predict_takes_a_run_or_a_model_and_files_or_folders(tmp_path):
    convatlas.train("lenet5_digits", tmp_path / "run", epochs=1, callback=convatlas.Callback())
    saved = convatlas.load_model(tmp_path / "run")
    (tmp_path / "images").mkdir()
    for number in (0, 1):
        image = Image.new("L", (28, 28), 200 * number)
        image.save(tmp_path / "images" / f"{number}.png")
    (tmp_path / "images" / "2.png").write_bytes(b"no image")
    one = convatlas.predict(saved, tmp_path / "images" / "0.png", top=2)
    assert [len(found.classes) for found in one] == [2]
    found = convatlas.predict(tmp_path / "run", [tmp_path / "images"])
    assert [Path(each.name).name for each in found] == ["0.png", "1.png", "2.png"]
    assert found[0].classes[:2] == one[0].classes
    assert [bool(each.problem) for each in found] == [False, False, True]
