"""What a study makes of data sets and flags before its first run."""

import shutil

import pytest

from convatlas.data import open_data
from convatlas.errors import RecipeError
from convatlas.study import checking
from convatlas.study.plan import Asked
from convatlas.training.recipe import Recipe


def asked(*networks: str, **given) -> Asked:
    return Asked(networks, (), 1, given={"epochs": 1, "warmup_epochs": 0.0, **given})


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Two folders of the same name with the same images, and one with others."""
    from PIL import Image

    root = tmp_path_factory.mktemp("images")
    for name, shade in (("a", 10), ("b", 200)):
        folder = root / "one" / "photos" / name
        folder.mkdir(parents=True)
        for number in range(12):
            Image.new("L", (28, 28), shade + number).save(folder / f"{number}.png")
    shutil.copytree(root / "one", root / "two")
    shutil.copytree(root / "one", root / "three")
    Image.new("L", (28, 28), 99).save(root / "three" / "photos" / "a" / "99.png")
    return root


def test_data_sets_of_one_name_get_two(photos):
    places = [str(photos / each / "photos") for each in ("one", "three")]
    found = checking.planned(asked("lenet_caffe"), places)
    assert [images.name for images in found.asked.data] == ["photos", "photos-2"]
    assert [images.place for images in found.asked.data] == places
    names = [line.run.rsplit("-", 1)[0] for line, _ in found.runs]
    assert names == ["lenet_caffe-photos", "lenet_caffe-photos-2"]
    assert [recipe.data for _, recipe in found.runs] == places


def test_the_same_images_elsewhere_are_the_same_run(photos):
    one, two, three = (
        checking.planned(asked("lenet_caffe"), [str(photos / each / "photos")]).runs[0][0].run
        for each in ("one", "two", "three")
    )
    assert one == two != three
    data = open_data(photos / "one" / "photos")
    planned = checking.planned(asked("lenet_caffe"), [str(photos / "one" / "photos")])
    assert planned.asked.data[0].fingerprint == data.fingerprint


@pytest.mark.parametrize(("given", "workers"), [({}, 0), ({"workers": -1}, 0), ({"workers": 3}, 3)])
def test_runs_beside_each_other_have_no_readers_that_nobody_asked_for(given, workers):
    """Wherever they are carried out: a pod of Kubernetes sees all cores of its machine."""
    [(_, recipe)] = checking.planned(asked("lenet_caffe", **given), ["digits"]).runs
    assert recipe.workers == workers


def test_a_flag_is_for_the_data_sets_that_have_a_use_for_it(photos):
    """And refused where none has."""
    place = str(photos / "one" / "photos")
    found = checking.planned(asked("lenet_caffe", max_megapixels=1.0), ["digits", place])
    assert [recipe.max_megapixels for _, recipe in found.runs] == [
        Recipe().max_megapixels,
        1.0,
    ]
    with pytest.raises(RecipeError, match="--max-megapixels 1 has no effect with --data digits"):
        checking.planned(asked("lenet_caffe", max_megapixels=1.0), ["digits"])


def test_a_network_typed_twice_is_one():
    found = checking.planned(asked("lenet_caffe", "lenet_caffe"), ["digits", "digits"])
    assert len(found.runs) == 1 and found.asked.networks == ("lenet_caffe",)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"weights": "nowhere.pt"}, "nowhere.pt"),
        ({"freeze_bn": True}, "lenet_caffe has no batch norm; leave it out"),
        ({"device": "cuda"}, "this machine has no CUDA device"),
        ({"lr": -1.0}, "lr = -1.0 is not allowed"),
    ],
)
def test_what_would_fail_in_every_run_fails_now(given, sentence, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(RecipeError, match=sentence):
        checking.planned(asked("lenet_caffe", **given), ["digits"])


def test_a_plan_for_elsewhere_asks_nothing_of_this_machine(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    found = checking.planned(asked("lenet_caffe", device="cuda"), ["digits"], is_here=False)
    assert found.runs[0][1].device == "cuda"


def test_one_sentence_for_many_networks_names_the_first():
    networks = ("lenet_caffe", "lenet5_tutorial", "nin_mnist", "alexnet", "vgg11")
    with pytest.raises(RecipeError) as refused:
        checking.planned(asked(*networks, lr=-1.0), ["digits"])
    assert str(refused.value).startswith("lenet_caffe, lenet5_tutorial, nin_mnist and 2 more: ")
