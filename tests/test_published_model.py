"""A network with published weights used at once: predict, eval, list, a device, from Python and the
command line.
"""

import json

import pytest
import torch
import torchvision.models as tv
from PIL import Image

import convatlas
from convatlas.cli import run as command
from convatlas.data import read_image
from convatlas.device import usable_device
from convatlas.errors import DataError, InputError, WeightsError
from convatlas.weights import save_weights

NAME = "squeezenet1_1"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Weights under torchvision's names, and photographs of two classes, in folders of ImageNet's
    own names and of ours.
    """
    folder = tmp_path_factory.mktemp("place")
    torch.manual_seed(0)
    theirs = tv.squeezenet1_1()
    torch.nn.init.normal_(theirs.classifier[1].weight)  # so that pictures differ in their answers
    torch.save(theirs.state_dict(), folder / "w.pth")
    for name, seed in (("n01440764", 1), ("goldfish", 2)):
        (folder / "val" / name).mkdir(parents=True)
        torch.manual_seed(seed)
        colours = (torch.rand(7, 9, 3) * 255).byte().numpy()
        picture = Image.fromarray(colours).resize((320, 240), Image.Resampling.BICUBIC)
        picture.save(folder / "val" / name / "a.png")
    return folder


@pytest.fixture(scope="module")
def answer(place):
    """What torchvision's own module and transforms say of the first photograph."""
    theirs = tv.squeezenet1_1()
    theirs.load_state_dict(torch.load(place / "w.pth"))
    entry = tv.SqueezeNet1_1_Weights.IMAGENET1K_V1
    picture = read_image(place / "val" / "n01440764" / "a.png")
    with torch.no_grad():
        shares = theirs.eval()(entry.transforms()(picture)[None]).softmax(1)[0]
    best = shares.argsort(descending=True)[:3].tolist()
    return [entry.meta["categories"][i] for i in best], shares[best]


def test_predict_takes_a_network_and_its_weights(place, answer, capsys):
    words = ["predict", NAME, "--weights", str(place / "w.pth"), "--json"]
    assert command([*words, str(place / "val" / "n01440764" / "a.png")]) == 0
    shown = capsys.readouterr()
    said = json.loads(shown.out)["classes"]
    assert [one["class"] for one in said] == answer[0]
    assert [one["probability"] for one in said] == pytest.approx(answer[1].tolist(), rel=0.1)
    assert "shorter side 256, middle 224x224, bilinear" in shown.err


def test_a_network_answers_files_images_and_tensors(place, answer):
    saved = convatlas.open_network(NAME, place / "w.pth")
    path = place / "val" / "n01440764" / "a.png"
    with Image.open(path) as image:
        found = [
            saved(path),
            saved(str(path)),
            saved(image),
            saved(read_image(path)),
            saved([path, place / "val" / "goldfish" / "a.png"])[:1],
        ]
    assert all(list(one.classes[:3]) == answer[0] for (one,) in found)
    assert all(one.probabilities == found[0][0].probabilities for (one,) in found)
    assert saved(path, top=2)[0].classes == tuple(answer[0][:2])
    assert saved(place / "none.png")[0].problem


@pytest.mark.parametrize("wrong", [torch.rand(3, 8, 8), torch.zeros(2, 8, 8).byte(), 7])
def test_what_is_no_picture_is_refused(place, wrong):
    saved = convatlas.open_network(NAME, place / "w.pth")
    with pytest.raises(DataError, match="a picture is a file, an image of Pillow, or a uint8"):
        saved([wrong])


def test_eval_knows_imagenets_folders_by_either_name(place, capsys):
    words = ["eval", NAME, "--weights", str(place / "w.pth"), "--json"]
    assert command([*words, "--data", str(place / "val")]) == 0
    found = json.loads(capsys.readouterr().out)
    counted = {row["class"]: row["count"] for row in found["per_class"] if row["count"]}
    assert counted == {"tench": 1, "goldfish": 1}
    saved = convatlas.open_network(NAME, place / "w.pth")
    assert convatlas.evaluate(saved, place / "val").count == found["count"] == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["predict", NAME, "x.png"], "is a network without weights; give --weights torchvision"),
        (["eval", NAME], "is a network without weights; give --weights torchvision"),
        (["eval", NAME, "--weights", "w.pth"], "give --data FOLDER"),
        (["predict", NAME, "--weights", "w.pth", "--test", "8"], "name image files"),
        (["predict", "none", "--weights", "w.pth", "x.png"], "there is no network called 'none'"),
        (["predict", "runs/a", "--source", "timm", "x.png"], "--source says whose file"),
        (["predict", NAME, "x.png", "--weights", "w.pth", "--device", "tpu"], "no device 'tpu'"),
        (["list", "lenet5", "--weights"], "neither torchvision nor timm publishes weights"),
    ],
)
def test_wrong_usage_is_one_sentence(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.png").touch()
    assert command(words) in (1, 2)
    shown = capsys.readouterr().err
    assert said in shown
    assert shown.count("\n") == 1


def test_list_shows_published_weights(capsys):
    assert command(["list", "resnet50_v15", "--weights"]) == 0
    shown = capsys.readouterr().out
    assert "torchvision:IMAGENET1K_V2" in shown
    assert "80.858  95.434" in shown
    assert command(["list", "resnet50_v15", "--weights", "--json"]) == 0
    found = {one["weights"]: one for one in json.loads(capsys.readouterr().out)}
    assert found["torchvision:IMAGENET1K_V1"]["top1"] == 76.13
    assert found["hub:timm/resnet50.a1_in1k"]["side"] == 224


def test_weights_of_which_nobody_says_what_they_see_are_refused(tmp_path):
    torch.manual_seed(0)
    save_weights(convatlas.create_model("lenet5"), tmp_path / "l.safetensors")
    with pytest.raises(WeightsError, match="give the folder of the run that trained it"):
        convatlas.open_network("lenet5", tmp_path / "l.safetensors")


def test_a_device_that_is_not_there_is_refused(place, monkeypatch):
    assert usable_device("cpu") == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert usable_device("auto") == torch.device("cpu")
    with pytest.raises(InputError, match="has no cuda:1 that torch can use"):
        usable_device("cuda:1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert usable_device("auto") == usable_device("cuda") == torch.device("cuda")
    with pytest.raises(InputError, match="counted from cuda:0"):
        usable_device("cuda:1")
    assert usable_device("cuda:000") == torch.device("cuda:0")
    assert usable_device(torch.device("cpu")) == torch.device("cpu")


@pytest.mark.parametrize(
    "wrong",
    ["", "CPU", " cpu", "cpu:0", "cuda:", "cuda:-1", "cuda:\u0661", "gpu", "x" * 999, 0, None],
)
def test_a_device_that_is_no_name_of_one_is_refused_in_a_sentence(wrong):
    with pytest.raises(InputError, match=r"there is no device .*; give cpu, cuda") as refused:
        usable_device(wrong)
    assert len(str(refused.value)) < 300


@pytest.mark.parametrize("device", ["cuda", "cuda:1", "mps", "tpu"])
def test_each_door_refuses_a_device_that_is_not_there(device, place, capsys, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    weights, picture = str(place / "w.pth"), str(place / "val" / "goldfish" / "a.png")
    for words in (
        ["predict", NAME, "--weights", weights, picture],
        ["eval", NAME, "--weights", weights, "--data", str(place / "val")],
        ["predict", "runs/none", picture],
        ["eval", "runs/none"],
    ):
        assert command([*words, "--device", device]) in (1, 2)
        said = capsys.readouterr().err
        assert f"has no {device} that" in said or f"there is no device '{device}'" in said
        assert said.count("\n") == 1
    for ask in (convatlas.load_model, convatlas.open_network(NAME, weights).to):
        with pytest.raises(InputError, match=f"no (device '?)?{device}"):
            ask(*[place] * (ask is convatlas.load_model), device=device)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_answers_the_same(place):
    here = convatlas.open_network(NAME, place / "w.pth")
    there = convatlas.open_network(NAME, place / "w.pth", device="cuda")
    assert next(there.net.parameters()).is_cuda
    path = place / "val" / "goldfish" / "a.png"
    assert here(path)[0].classes[0] == there(path)[0].classes[0]
