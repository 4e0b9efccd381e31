"""A run compressed as the command does it, and what is trained on the way."""

import json
import math
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from convatlas import create_model, load_model, save_weights
from convatlas.cli import run as convatlas
from convatlas.compression import deep_compression, retraining
from convatlas.compression.compressed_file import load_compressed
from convatlas.compression.sharing import kept, share
from convatlas.compression.subject import of_run
from convatlas.data import Preprocess
from convatlas.errors import InputError, RunError
from convatlas.training import Recipe, train

SHORT = Recipe(network="lenet1989", data="digits", epochs=1, batch_size=128, warmup_epochs=0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a run, compressed by the command, and what it printed."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    train(SHORT, folder)
    return folder


def test_a_run_becomes_a_file_and_a_folder_again(finished, tmp_path, capsys):
    file, back = tmp_path / "small.dc", tmp_path / "back"
    words = ["compress", str(finished), "--output", str(file), "--epochs", "1", "--bits", "3"]
    assert convatlas(words) == 0
    printed = capsys.readouterr().out
    saved = load_compressed(file)
    weights = {name: part.weight for name, part in deep_compression.prunable(saved.net).items()}
    stayed = sum(round(0.33 * weight.numel()) for weight in weights.values())
    whole = sum(weight.numel() for weight in weights.values())
    assert printed.startswith(f"{stayed:,} of {whole:,} weights kept (33.0 %), ")
    assert f"{file.stat().st_size:,} bytes, 1/" in printed
    for name, part in deep_compression.prunable(saved.net).items():
        bits = 3 if isinstance(part, nn.Conv2d) else 5
        values = part.weight.unique()
        assert len(values[values != 0]) <= 2**bits, name
        assert int(part.weight.count_nonzero()) <= round(0.33 * part.weight.numel()), name
    run = of_run(finished)
    before, after = (100 * run.accuracy(one).accuracy for one in (run.saved, saved))
    assert f"right before {before:.2f} %, now {after:.2f} %" in printed
    assert after > before - 0.5

    assert convatlas(["compress", str(file), "--output", str(back)]) == 0
    again = load_model(back)
    state = saved.net.state_dict()
    assert all(torch.equal(again.net.state_dict()[name], state[name]) for name in state)
    assert again.provenance["compressed"]["epochs"] == 1
    for twice in (words, ["compress", str(file), "--output", str(back)]):
        assert convatlas(twice) == 1
        assert "exists; give a" in capsys.readouterr().err


def test_a_file_in_its_runs_folder_is_used_as_the_run_is(finished, capsys, tmp_path):
    """eval and predict --test find the run's own images, and the same answers come of both."""
    file = finished / "lenet1989.dc"
    assert convatlas(["compress", str(finished), "--epochs", "0", "--keep", "1"]) == 0
    saved, back = load_model(file), load_compressed(file)
    assert saved.provenance == back.provenance and saved.classes == back.classes
    state = back.net.state_dict()
    assert all(torch.equal(tensor, state[name]) for name, tensor in saved.net.state_dict().items())
    run = of_run(finished)
    right = run.accuracy(saved).correct
    capsys.readouterr()
    for words in (["eval", str(file), "--json"], ["eval", str(file), "--data", "digits", "--json"]):
        assert convatlas(words) == 0
        about = json.loads(capsys.readouterr().out)
        assert (about["correct"], about["split"]) == (right, "test")
    assert convatlas(["predict", str(file), "--test", "3", "--top", "1", "--json"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(answers) == 3 and all(one["truth"] in saved.classes for one in answers)
    Image.new("L", (16, 16), 200).save(tmp_path / "grey.png")
    assert convatlas(["predict", str(file), str(tmp_path / "grey.png"), "--json"]) == 0
    (best, *_) = json.loads(capsys.readouterr().out)["classes"]
    assert best["class"] == saved(tmp_path / "grey.png")[0].classes[0]
    file.unlink()


@pytest.mark.parametrize(
    "words",
    [
        ["predict", "x.dc", "p.png"],
        ["predict", "x.dc", "--test", "1"],
        ["eval", "x.dc"],
        ["export", "x.dc"],
    ],
)
def test_a_bad_file_is_one_sentence_wherever_it_is_given(words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("L", (16, 16)).save("p.png")
    for content, why in (
        (None, "cannot read x.dc (No such file or directory); give a file that `convatlas"),
        (b"PK" * 40, "x.dc is no compressed network; give a file that `convatlas compress` wrote"),
        (b"ATLAS-DC" + bytes(60), "x.dc is damaged: it has 68 bytes instead of 0; copy it again"),
    ):
        if content is not None:
            (tmp_path / "x.dc").write_bytes(content)
        assert convatlas(words) == 1
        said = capsys.readouterr().err
        assert why in said and said.count("\n") == 1


def test_weights_keep_their_own_pictures_and_classes(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    net = create_model("lenet1989")
    save_weights(net, "unsaid.safetensors")
    assert convatlas(["compress", "lenet1989", "--weights", "unsaid.safetensors"]) == 1
    assert "does not say how pictures are prepared" in capsys.readouterr().err
    net.classes = tuple("abcdefghij")
    net.preprocess = Preprocess(1, 28, (0.3,), (0.4,), "squash", 28)
    save_weights(net, "fresh.safetensors")
    words = ["compress", "lenet1989", "--weights", "fresh.safetensors", "--keep", "1"]
    assert convatlas([*words, "--bits", "8", "--linear-bits", "8"]) == 0
    printed = capsys.readouterr()
    assert "(100.0 %)" in printed.out
    assert "nothing was trained" in printed.err
    found = load_compressed("lenet1989.dc")
    assert (found.classes, found.preprocess) == (net.classes, net.preprocess)
    for name, tensor in found.net.state_dict().items():
        assert torch.allclose(tensor, net.state_dict()[name], atol=0.02), name


def test_how_weights_lie_in_memory_changes_no_byte(finished):
    saved = of_run(finished).saved
    net = create_model("lenet_caffe").eval()
    turned = deepcopy(net).to(memory_format=torch.channels_last)
    assert not turned.conv2.weight.is_contiguous()
    one, other = (
        deep_compression.compress(replace(saved, net=each, network="lenet_caffe"))
        for each in (net, turned)
    )
    assert one.content == other.content


def test_a_run_of_mixed_images_and_weighted_classes_is_trained_on_as_it_was(tmp_path):
    mixed = {"mixup": 0.4, "cutmix": 1.0, "label_smoothing": 0.1, "class_weights": "balanced"}
    train(replace(SHORT, channels_last=True, **mixed), tmp_path / "mixed")
    run = of_run(tmp_path / "mixed")
    teaching = run.teaching()
    x, y, _ = next(iter(teaching.loader.epoch(0)))
    assert y.is_floating_point() and ((y > 0) & (y < 1)).any()
    counts = run.images.of("train").labels.bincount(minlength=10)
    logits = torch.zeros(len(x), 10)
    # log(10) each, at the share of each class times what its images weigh
    weight = (y * (counts.float().mean() / counts)).sum(1).mean()
    assert float(teaching.loss(logits, y)) == pytest.approx(float(weight) * math.log(10), rel=1e-4)
    found = deep_compression.compress(run.saved, deep_compression.Settings(epochs=1), teaching)
    assert run.accuracy(found.saved).accuracy > run.accuracy(run.saved).accuracy - 0.02


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["absent.dc"], "where to?"),
        (["absent.dc", "--output", "x"], "cannot read"),
        (["lenet1989", "--weights", "x", "--data", "y"], "nothing is trained"),
        (["lenet1989"], "is a network without weights; give --weights"),
        (["runs", "--source", "timm"], "--source says whose file"),
        (["absent.net", "--output", "x"], "give the authors' compressed_SqueezeNet.net"),
        (["runs", "--keep", "0"], "--keep"),
        (["runs", "--bits", "9"], r"--bits"),
        (["runs", "--linear-bits", "0"], r"--linear-bits"),
        (["runs", "--epochs", "-1"], "--epochs"),
        (["runs", "--lr", "0"], "--lr"),
        (["runs"], "finished run"),
    ],
)
def test_what_cannot_be_is_one_sentence(words, why, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert convatlas(["compress", *words]) in (1, 2)
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1


def test_a_pruned_weight_has_no_gradient_and_a_shared_value_that_of_all_its_weights():
    net = nn.Sequential(nn.Linear(4, 3))
    weight = net[0].weight.detach().numpy()
    one = share(weight, kept(weight, 0.5), 1)
    trained, made, books = retraining.shared(net, {"0.weight": one})
    assert [len(t) for t in trained] == [3, 2]
    x = torch.randn(5, 4)
    found = made()["0.weight"]
    (x @ found.T).square().sum().backward()
    dense = found.detach().clone().requires_grad_()
    (x @ dense.T).square().sum().backward()
    sums = np.bincount(one.codes, dense.grad.flatten().numpy()[one.places], len(one.codebook))
    assert np.allclose(books["0.weight"].grad.numpy(), sums, rtol=1e-4)


def test_a_loss_that_is_no_number_ends_it(finished):
    run = of_run(finished)
    teaching = deep_compression.Teaching(
        run.teaching().loader, lambda logits, y: logits.sum() * 1e39
    )
    with pytest.raises(RunError, match=r"the loss became .*; give a lower --lr"):
        deep_compression.compress(run.saved, deep_compression.Settings(epochs=1), teaching)


def test_a_network_without_weights_to_prune_is_refused(finished):
    saved = of_run(finished).saved
    bare = deep_compression.Saved(nn.Flatten(), "bare", ("a",), saved.preprocess, {})
    with pytest.raises(InputError, match="bare has no convolution"):
        deep_compression.compress(bare)
