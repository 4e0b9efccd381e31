"""What weights expect to see, and what their answers are called: of each kind of checkpoint as it
says itself, as its publisher measured it, or as is usual.
"""

import hashlib
import json
from types import SimpleNamespace

import pytest
import timm
import torch
import torchvision.models as tv
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from timm.data import ImageNetInfo, resolve_data_config
from torchvision.transforms.functional import to_pil_image

from convatlas.data import Preprocess
from convatlas.errors import WeightsError
from convatlas.published_model import open_network
from convatlas.registry import create_model
from convatlas.weights import fetching, published, save_weights
from convatlas.weights.pictures import _prepared
from convatlas.weights.sources import TABLES

SQUEEZENET = "squeezenet1_1"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A file under torchvision's names, with random weights."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "s.pth"
    torch.save(tv.squeezenet1_1().state_dict(), path)
    return path


@pytest.fixture(scope="module")
def timms(tmp_path_factory):
    """A file under timm's names, in a folder of its own."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("timm") / "model.safetensors"
    save_file(timm.create_model("regnetx_002").state_dict(), path)
    return path


@pytest.mark.parametrize("theirs", TABLES["torchvision"])
def test_torchvisions_entries_are_prepared_as_it_prepares_them(theirs):
    for ours, entry in zip(
        published.of_torchvision(theirs), tv.get_model_weights(theirs), strict=True
    ):
        transform, prepare = entry.transforms(), _prepared(ours)
        assert ours.words == f"torchvision:{entry.name}"
        assert [prepare.side] == transform.crop_size
        assert [prepare.content] == transform.resize_size
        assert prepare.interpolation == transform.interpolation.value
        assert (list(prepare.mean), list(prepare.std)) == (transform.mean, transform.std)
        assert entry.url.partition(f"-{ours.sha256}.")[2] == "pth"


def test_what_is_stored_of_timms_entries_is_what_the_installed_timm_says():
    assert published.text(TABLES["timm"]).encode() == published.STORED.read_bytes()
    assert published.synsets() == tuple(ImageNetInfo().label_names())
    for words in ("resnet50.a1_in1k", "tf_efficientnetv2_s.in21k_ft_in1k", "convnext_base.fb_in1k"):
        entry = published.of_hub(f"hub:timm/{words}@main")
        config = resolve_data_config(
            pretrained_cfg=timm.get_pretrained_cfg(words).to_dict(), verbose=False
        )
        assert entry.side == config["input_size"][-1]
        assert entry.shorter == int(entry.side / config["crop_pct"])
        assert entry.interpolation == config["interpolation"]
        assert (entry.mean, entry.std) == (config["mean"], config["std"])


def test_every_entry_can_be_prepared():
    entries = [entry for name in TABLES["timm"] for entry in published.of_timm(name)]
    assert len(entries) > 290
    assert {_prepared(entry).fit for entry in entries} == {"whole", "squash"}


@pytest.mark.parametrize(
    ("name", "side", "transform"),
    [
        ("resnet18", 256, tv.ResNet18_Weights.IMAGENET1K_V1.transforms()),
        ("efficientnet_v2_s", 384, tv.EfficientNet_V2_S_Weights.IMAGENET1K_V1.transforms()),
        ("efficientnet_b0", 256, tv.EfficientNet_B0_Weights.IMAGENET1K_V1.transforms()),
        ("efficientnet_b2", 288, tv.EfficientNet_B2_Weights.IMAGENET1K_V1.transforms()),
    ],
)
@pytest.mark.parametrize("size", [(375, 500), (333, 250), (97, 64)])
def test_a_picture_becomes_what_torchvision_makes_of_it(name, side, transform, size):
    torch.manual_seed(0)
    picture = torch.nn.functional.interpolate(torch.rand(1, 3, 9, 13), size, mode="bicubic")[0]
    picture = picture.mul(255).clamp(0, 255).to(torch.uint8)
    prepare = _prepared(published.of_torchvision(name)[0])
    assert prepare.content == side
    step = 1 / 255 / min(STD)  # of one level of 255, standardised
    ours = prepare.normalise(prepare.fit_image(picture)[None])[0]
    theirs = transform(to_pil_image(picture))  # as they were measured
    assert ours.shape == theirs.shape
    off = (ours - theirs).abs() / step  # rounded to whole levels twice, across and down
    assert off.max() < 2.01
    assert off.mean() < 0.05


def test_a_squashed_picture_keeps_no_proportions():
    prepare = Preprocess(3, 4, MEAN, STD, "squash", 4, interpolation="bicubic")
    picture = torch.zeros(3, 8, 16, dtype=torch.uint8)
    picture[:, :, 8:] = 255
    fitted = prepare.fit_image(picture)
    assert fitted.shape == (3, 4, 4)
    assert (fitted[..., 0] < 30).all()
    assert (fitted[..., 3] > 225).all()


def test_the_record_of_older_versions_is_unchanged_and_read():
    plain = Preprocess(3, 224, MEAN, STD, "resize", 256)
    assert "interpolation" not in plain.to_dict()
    bicubic = Preprocess(3, 224, MEAN, STD, "whole", 256, interpolation="bicubic")
    for prepare in (plain, bicubic):
        assert Preprocess.from_dict(json.loads(json.dumps(prepare.to_dict()))) == prepare
    with pytest.raises(ValueError, match="impossible interpolation"):
        Preprocess.from_dict(bicubic.to_dict() | {"interpolation": "lanczos"})


def test_the_published_file_is_known_by_its_hash(file, monkeypatch):
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    entry = published.of_torchvision("resnet50")[1]
    known = {"squeezenet1_1": [entry.__class__(**vars(entry) | {"sha256": sha256[:8]})]}
    monkeypatch.setattr("convatlas.weights.pictures.of_torchvision", known.__getitem__)
    net = create_model(SQUEEZENET, weights=file)
    assert net.preprocess.content == 232
    assert net.certificate.pictures == "as torchvision measured IMAGENET1K_V2"


def test_a_file_that_nobody_published_is_prepared_as_the_first_entry_and_says_so(file):
    net = create_model(SQUEEZENET, weights=file)
    assert net.preprocess == Preprocess(3, 224, MEAN, STD, "whole", 256)
    assert net.classes[:2] == ("tench", "goldfish")
    assert len(net.classes) == len(set(net.classes)) == 1000
    assert "though the file is none that it publishes" in net.certificate.pictures


def test_a_fresh_classifier_has_no_names(file):
    assert create_model(SQUEEZENET, num_classes=5, weights=file).classes == ()
    net = create_model(SQUEEZENET, weights=file)
    net.reset_classifier(1000)
    assert net.classes == ()
    assert net.preprocess is not None


def test_our_own_file_keeps_both(file, tmp_path):
    net = create_model(SQUEEZENET, weights=file)
    save_weights(net, tmp_path / "ours.safetensors")
    again = create_model(SQUEEZENET, weights=tmp_path / "ours.safetensors")
    assert (again.preprocess, again.classes) == (net.preprocess, net.classes)
    assert again.certificate.pictures == "as the file records"
    fresh = create_model(SQUEEZENET)
    save_weights(fresh, tmp_path / "fresh.safetensors")
    assert (
        "usual"
        in create_model(SQUEEZENET, weights=tmp_path / "fresh.safetensors").certificate.pictures
    )


def test_googlenets_pixels_are_those_that_its_module_makes(tmp_path):
    theirs = tv.googlenet(init_weights=False, transform_input=True)
    torch.save(theirs.state_dict(), tmp_path / "g.pth")
    with pytest.warns(UserWarning, match="mean 0.5"):
        net = create_model("googlenet_torchvision", weights=tmp_path / "g.pth")
    assert (net.preprocess.mean, net.preprocess.std) == ((0.5,) * 3, (0.5,) * 3)


def described(timms, **changes) -> None:
    config = {
        **{"input_size": [3, 160, 160], "crop_pct": 0.5, "interpolation": "bicubic"},
        **{"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2], "num_classes": 1000},
    }
    about = {"architecture": "regnetx_002", "pretrained_cfg": config | changes}
    timms.with_name("config.json").write_text(json.dumps(about))


def test_the_hubs_description_beside_a_file_says_it(timms):
    described(timms)
    net = create_model("regnetx_200mf", weights=timms)
    expected = Preprocess(3, 160, (0.5, 0.4, 0.3), (0.2,) * 3, "whole", 320, None, "bicubic")
    assert net.preprocess == expected
    described(timms, crop_mode="squash")
    assert create_model("regnetx_200mf", weights=timms).preprocess.fit == "squash"


@pytest.mark.parametrize(
    "changes",
    [
        {"crop_pct": 0},
        {"crop_pct": "a"},
        {"input_size": []},
        {"input_size": [3, 160, 192]},
        {"input_size": [3, 10**9, 10**9]},
        {"interpolation": "random"},
        {"std": [0, 0, 0]},
        {"mean": None},
        {"num_classes": []},
    ],
)
def test_a_description_that_cannot_be_right_is_not_believed(timms, changes):
    described(timms, **changes)
    net = create_model("regnetx_200mf", weights=timms)
    assert net.preprocess == Preprocess(3, 224, MEAN, STD, "whole", 256)


def test_a_description_of_another_network_is_not_believed(timms):
    described(timms)
    about = json.loads(timms.with_name("config.json").read_text())
    other = about | {"architecture": "resnet50", "label_names": [f"c{i}" for i in range(1000)]}
    timms.with_name("config.json").write_text(json.dumps(other))
    net = create_model("regnetx_200mf", weights=timms, source="timm")
    assert (net.preprocess.mean, net.classes[0]) == (MEAN, "tench")


@pytest.mark.parametrize(
    "change",
    [
        {"convatlas.preprocess": "{"},
        {"convatlas.preprocess": "[]"},
        {"convatlas.preprocess": '{"channels": NaN}'},
        {"convatlas.classes": "7"},
        {"convatlas.classes": json.dumps(["twice"] * 1000)},
        {"convatlas.classes": json.dumps([7] * 1000)},
    ],
)
def test_a_record_that_is_no_longer_whole_is_no_licence_to_guess(file, tmp_path, change):
    net = create_model(SQUEEZENET, weights=file)
    save_weights(net, tmp_path / "ours.safetensors")
    with safe_open(tmp_path / "ours.safetensors", "pt") as held:
        metadata = held.metadata() | change
    tensors = load_file(tmp_path / "ours.safetensors")
    save_file(tensors, tmp_path / "ours.safetensors", metadata)
    with pytest.raises(WeightsError, match="does not say how pictures are prepared"):
        open_network(SQUEEZENET, tmp_path / "ours.safetensors")


def test_words_of_the_hub_find_what_is_stored(timms, monkeypatch):
    timms.with_name("config.json").unlink(missing_ok=True)
    monkeypatch.setattr(fetching, "_from_hub", lambda words: timms)
    net = create_model("regnetx_200mf", weights="hub:timm/regnetx_002.pycls_in1k")
    entry = published.of_hub("hub:timm/regnetx_002.pycls_in1k")
    assert (net.preprocess.content, net.preprocess.interpolation) == (
        entry.shorter,
        entry.interpolation,
    )
    assert net.certificate.pictures == "as timm measures timm/regnetx_002.pycls_in1k"


def test_of_a_networks_own_classes_nothing_is_made_up(tmp_path):
    torch.manual_seed(0)
    save_weights(create_model("lenet5"), tmp_path / "l.safetensors")
    net = create_model("lenet5", weights=tmp_path / "l.safetensors")
    assert net.preprocess is None
    assert net.classes == tuple(f"class {i}" for i in range(10))


def test_shares_that_are_no_numbers_are_left_out():
    entry = published._of_torchvision(
        SimpleNamespace(
            name="X",
            url="https://example.org/x-01234567.pth",
            transforms=tv.VGG16_Weights.IMAGENET1K_FEATURES.transforms,
            meta=tv.VGG16_Weights.IMAGENET1K_FEATURES.meta,
        )
    )
    assert (entry.top1, entry.top5, entry.classes) == (None, None, 0)
