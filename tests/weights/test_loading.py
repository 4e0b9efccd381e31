"""A checkpoint goes into the network it is for, and into no other; what is adapted or missing is
said.
"""

import hashlib
import json
from collections import defaultdict

import pytest
import torch
import torchvision.models as tv
from safetensors.torch import load_file, save_file

import convatlas
from convatlas.errors import WeightsError
from convatlas.model_file import weights_file
from convatlas.registry import create_model
from convatlas.verification import blueprint
from convatlas.weights import load_weights, save_weights
from convatlas.weights.known import known_checkpoints
from convatlas.weights.loading import choose
from convatlas.weights.reading import Checkpoint, read
from convatlas.weights.sources import TABLES
from convatlas.weights.translating import translated


@pytest.fixture
def tv_resnet18(tmp_path):
    torch.manual_seed(0)
    net = tv.resnet18()
    torch.save(net.state_dict(), tmp_path / "resnet18.pth")
    return net.eval(), tmp_path / "resnet18.pth"


def logits(net, seed=0):
    x = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        return net.eval()(x)


def test_a_foreign_checkpoint_by_its_names(tv_resnet18):
    theirs, path = tv_resnet18
    net = create_model("resnet18")
    certificate = load_weights(net, path)
    torch.testing.assert_close(logits(net), logits(theirs), rtol=1e-5, atol=1e-5)
    assert (certificate.network, certificate.kind, certificate.tensors) == (
        "resnet18",
        "torchvision's resnet18",
        122,
    )
    assert (
        str(certificate).splitlines()[0]
        == "resnet18 holds torchvision's resnet18: 122 tensors of resnet18.pth"
    )
    assert "no answer is recorded in the file" in str(certificate)


def test_create_model_takes_weights(tv_resnet18):
    theirs, path = tv_resnet18
    torch.testing.assert_close(
        logits(convatlas.create_model("resnet18", weights=path)),
        logits(theirs),
        rtol=1e-5,
        atol=1e-5,
    )


def test_half_precision_old_names_missing_counters_and_wrappers(tmp_path):
    torch.manual_seed(0)
    theirs = tv.densenet121().eval()
    old = {
        name.replace("norm1", "norm.1")
        .replace("norm2", "norm.2")
        .replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2.")
        if "denselayer" in name
        else name: tensor.half() if tensor.is_floating_point() else tensor
        for name, tensor in theirs.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    torch.save(
        {"state_dict": {f"module.{name}": tensor for name, tensor in old.items()}},
        tmp_path / "d.pth.tar",
    )
    net = create_model("densenet121")
    assert load_weights(net, tmp_path / "d.pth.tar").fresh == ()
    assert logits(net).dtype == torch.float32
    torch.testing.assert_close(logits(net), logits(theirs.half().float()), rtol=1e-5, atol=1e-5)


def twins() -> list[tuple[str, str]]:
    """All ordered pairs of networks whose weights have the same names and shapes; test_known.py
    holds this to be so.
    """
    groups = defaultdict(list)
    for kind in (
        kind
        for group in known_checkpoints().values()
        for kind in group
        if kind.source == "convatlas"
    ):
        groups[kind.shapes].append(kind.ours)
    return sorted((a, b) for group in groups.values() for a in group for b in group if a != b)


def test_there_are_such_pairs():
    assert {
        ("resnet50", "resnet50_v15"),
        ("efficientnet_b0", "efficientnet_b0_torchvision"),
        ("vgg11", "vgg11_lrn"),
    } <= set(twins())
    assert len(twins()) >= 44


def on_meta(name: str, metadata: dict[str, str], path) -> Checkpoint:
    """A file that was never written: names and shapes decide, numbers do not."""
    return Checkpoint(path / "a.safetensors", "0" * 64, blueprint(name).state_dict(), metadata)


@pytest.mark.parametrize(("a", "b"), twins())
def test_every_wrong_variant_is_refused_by_name(a, b, tmp_path):
    with pytest.raises(WeightsError, match=rf"holds {a}, not {b}; load it into {a}$"):
        choose(on_meta(a, {"convatlas.network": a}, tmp_path), b)
    assert choose(on_meta(a, {"convatlas.network": a}, tmp_path), a).kind.ours == a
    with pytest.raises(
        WeightsError, match=rf"\b{a}\b.*which differ though their weights have the same names"
    ):
        choose(on_meta(a, {}, tmp_path), a)
    assert choose(on_meta(a, {}, tmp_path), a, f"convatlas:{a}").kind.ours == a


def foreign_twins() -> list[tuple[str, str, str]]:
    """(source, their model, a network of ours with the same names and shapes as the right one)"""
    wrong = defaultdict(list)
    for a, b in twins():
        wrong[a].append(b)
    return [
        (source, theirs, b)
        for source, table in TABLES.items()
        for theirs, twin in table.items()
        for b in wrong[twin.ours]
    ]


@pytest.mark.parametrize(("source", "theirs", "wrong"), foreign_twins())
def test_every_foreign_checkpoint_is_refused_by_the_wrong_variant(source, theirs, wrong, tmp_path):
    twin = TABLES[source][theirs]
    state = translated(twin, blueprint(twin.ours).state_dict())
    with pytest.raises(WeightsError, match=rf"\b{twin.ours}\b"):
        choose(Checkpoint(tmp_path / "a.pth", "0" * 64, state, {}), wrong)
    with pytest.raises(WeightsError, match=rf"\b{twin.ours}\b.*, not {wrong}; load it into"):
        choose(Checkpoint(tmp_path / "a.pth", "0" * 64, state, {}), wrong, f"{source}:{theirs}")


def test_a_refusal_leaves_the_network_as_it_was(tmp_path):
    torch.manual_seed(0)
    torch.save(tv.resnet50().state_dict(), tmp_path / "resnet50-v1.pth")
    net = create_model("resnet50")
    before = {key: tensor.clone() for key, tensor in net.state_dict().items()}
    with pytest.raises(
        WeightsError,
        match=r"resnet50-v1\.pth holds torchvision's resnet50 \(resnet50_v15 "
        r"here\).*, not resnet50; load it into resnet50_v15$",
    ):
        load_weights(net, tmp_path / "resnet50-v1.pth")
    assert all(torch.equal(tensor, before[key]) for key, tensor in net.state_dict().items())


def test_other_classes_and_channels_only_when_asked(tv_resnet18):
    theirs, path = tv_resnet18
    net = create_model("resnet18", num_classes=5, in_channels=1)
    head = net.fc.weight.clone()
    with pytest.raises(
        WeightsError, match="reads images of 3 channels, this resnet18 of 1; give in_channels=3"
    ):
        load_weights(net, path, adapt_classes=True)
    with pytest.raises(
        WeightsError, match="tells 1000 classes apart, this resnet18 5; give num_classes=1000"
    ):
        load_weights(net, path, adapt_channels=True)
    assert torch.equal(net.fc.weight, head)
    certificate = load_weights(net, path, adapt_classes=True, adapt_channels=True)
    assert certificate.adapted == ("conv1.conv.conv.weight",)
    assert certificate.fresh == ("fc.weight", "fc.bias")
    assert torch.equal(net.fc.weight, head)
    grey = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(
            convatlas.features(net.eval(), grey)["conv5_x"],
            theirs.layer4(
                theirs.layer3(
                    theirs.layer2(
                        theirs.layer1(
                            theirs.maxpool(
                                theirs.bn1(theirs.conv1(grey.expand(-1, 3, -1, -1))).relu()
                            )
                        )
                    )
                )
            ),
            rtol=1e-4,
            atol=1e-4,
        )


@pytest.mark.parametrize("channels", [1, 4, 6])
def test_a_grey_image_answers_alike_in_any_number_of_channels(tv_resnet18, channels):
    _, path = tv_resnet18
    plain, wide = (
        create_model("resnet18", weights=path),
        create_model("resnet18", in_channels=channels),
    )
    load_weights(wide, path, adapt_channels=True)
    grey = torch.randn(2, 1, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(
            wide.eval()(grey.expand(-1, channels, -1, -1)),
            plain.eval()(grey.expand(-1, 3, -1, -1)),
            rtol=1e-4,
            atol=1e-4,
        )


def test_auxiliary_heads_are_heads_too(tmp_path):
    torch.manual_seed(0)
    torch.save(tv.googlenet(init_weights=False).state_dict(), tmp_path / "g.pth")
    net = create_model("googlenet_torchvision", num_classes=3)
    certificate = load_weights(net, tmp_path / "g.pth", adapt_classes=True)
    assert {name.split(".")[0] for name in certificate.fresh} == {"aux_4a", "aux_4d", "fc"}


def test_our_own_file_records_an_answer_and_is_held_to_it(tmp_path, randomised):
    net = randomised(create_model("mobilenet_v2", num_classes=7), torch.randn(2, 3, 64, 64))
    save_weights(net, tmp_path / "m.safetensors")
    certificate = load_weights(
        create_model("mobilenet_v2", num_classes=7), tmp_path / "m.safetensors"
    )
    assert certificate.difference <= 1e-12
    assert "answers as recorded, within " in str(certificate)
    changed = load_file(tmp_path / "m.safetensors")
    changed["fc.weight"][0] += 0.5
    save_file(changed, tmp_path / "changed.safetensors", read(tmp_path / "m.safetensors").metadata)
    other = create_model("mobilenet_v2", num_classes=7)
    before = other.fc.weight.clone()
    with pytest.raises(
        WeightsError, match=r"does not answer as recorded in it: .* of the largest logit off"
    ):
        load_weights(other, tmp_path / "changed.safetensors")
    assert torch.equal(other.fc.weight, before)


def test_a_run_folder_names_its_network(tmp_path):
    net = create_model("resnet50_v15", num_classes=2)
    data = weights_file(net.state_dict())
    (tmp_path / "model.safetensors").write_bytes(data)
    about = {"network": "resnet50_v15", "sha256": hashlib.sha256(data).hexdigest()}
    (tmp_path / "model.json").write_text(json.dumps(about))
    load_weights(create_model("resnet50_v15", num_classes=2), tmp_path / "model.safetensors")
    with pytest.raises(WeightsError, match="holds resnet50_v15, not resnet50;"):
        load_weights(create_model("resnet50", num_classes=2), tmp_path / "model.safetensors")


def test_what_fits_nothing_says_so(tmp_path):
    torch.save({"body.weight": torch.ones(3)}, tmp_path / "a.pth")
    with pytest.raises(
        WeightsError, match=r"fits no network of the atlas .*; its first tensor is body\.weight"
    ):
        load_weights(create_model("lenet5"), tmp_path / "a.pth")


def test_a_source_that_is_unknown_or_wrong(tv_resnet18):
    _, path = tv_resnet18
    with pytest.raises(
        WeightsError, match="there is no source called 'caffe3'; known are convatlas, torchvision"
    ):
        load_weights(create_model("resnet18"), path, source="caffe3")
    with pytest.raises(
        WeightsError, match=r"holds torchvision's resnet18.*, but it is said to be convatlas's file"
    ):
        load_weights(create_model("resnet18"), path, source="convatlas")


def test_a_head_of_another_size(tv_resnet18):
    """The number of classes is never taken from a file to build with; it is compared, and said."""
    _, path = tv_resnet18
    held = torch.load(path) | {"fc.weight": torch.zeros(3, 512), "fc.bias": torch.zeros(3)}
    torch.save(held, path)
    with pytest.raises(
        WeightsError, match=r"tells 3 classes apart, this resnet18 1000; give num_classes=3"
    ):
        load_weights(create_model("resnet18"), path)
    assert load_weights(create_model("resnet18", num_classes=3), path).fresh == ()
