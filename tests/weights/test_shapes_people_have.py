"""Checkpoints in the shapes that people have them in: each loads with the right words, or is refused
naming the nearest.

The network in most of them is torchvision's smallest ShuffleNet, whose classifier is called fc as a
ResNet's is.
"""

import argparse
import copy
import re
from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn as nn
import torchvision.models as tv
from torch.optim.swa_utils import AveragedModel

from convatlas.errors import WeightsError
from convatlas.registry import create_model
from convatlas.weights import load_weights

NAME = "shufflenet_v2_torchvision_x0_5"
CLASSES = 7
AVERAGE = "an average of these weights lies beside them"
State = dict[str, torch.Tensor]


def theirs(seed: int) -> nn.Module:
    torch.manual_seed(seed)
    return tv.shufflenet_v2_x0_5(num_classes=CLASSES)


NET = theirs(0)
RAW: State = NET.state_dict()
MEAN: State = theirs(1).state_dict()  # stands for the average
TRUNK: State = {name: tensor for name, tensor in RAW.items() if not name.startswith("fc.")}
HEAD = {"fc.weight": RAW["fc.weight"], "fc.bias": RAW["fc.bias"]}


def under(prefix: str, state: State) -> State:
    return {prefix + name: tensor for name, tensor in state.items()}


def projector(prefix: str) -> State:
    return under(prefix, nn.Sequential(nn.Linear(1024, 64), nn.ReLU(), nn.Linear(64, 16)).state_dict())


def optimizer() -> dict:
    net = theirs(0)
    sgd = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9)
    net(torch.ones(2, 3, 32, 32)).sum().backward()
    sgd.step()
    return sgd.state_dict()


def profiled() -> State:
    """What thop leaves in every module."""
    net = theirs(0)
    for module in net.modules():
        module.register_buffer("total_ops", torch.zeros(1, dtype=torch.float64))
        module.register_buffer("total_params", torch.zeros(1, dtype=torch.float64))
    return net.state_dict()


def averaged(state: State) -> State:
    net = theirs(0)
    net.load_state_dict(state)
    return AveragedModel(net).state_dict()


def compiled_within() -> State:
    return {name.replace("stage2.0.", "stage2.0._orig_mod."): t for name, t in RAW.items()}


ARGS = argparse.Namespace(lr=0.1, model="shufflenet_v2_x0_5", smoothing=0.1)
# what is saved -> words that the certificate must hold; the raw weights must be in the network
WHOLE: dict[str, tuple[Callable[[], object], str]] = {
    "plain": (lambda: RAW, "122|holds torchvision's shufflenet_v2_x0_5"),
    "ordered": (lambda: OrderedDict(RAW), "torchvision"),
    "state_dict": (lambda: {"state_dict": RAW, "epoch": 3}, "read from state_dict"),
    "pytorch's example": (
        lambda: {
            "epoch": 90,
            "arch": "shufflenet_v2_x0_5",
            "state_dict": under("module.", RAW),
            "best_acc1": torch.tensor(61.0),
            "optimizer": optimizer(),
            "scheduler": {"last_epoch": 90, "_last_lr": [0.1]},
        },
        r"read from state_dict, module\.\*",
    ),
    "torchvision's references": (
        lambda: {"model": RAW, "optimizer": optimizer(), "epoch": 1, "args": ARGS},
        "read from model$",
    ),
    "torchvision's references with an average": (
        lambda: {"model": RAW, "model_ema": averaged(MEAN), "epoch": 1, "args": ARGS},
        rf"{AVERAGE} \(model_ema\): ema=True \(on the command line --ema",
    ),
    "timm's": (
        lambda: {"epoch": 1, "arch": "x", "state_dict": RAW, "args": ARGS, "version": 2},
        "read from state_dict",
    ),
    "timm's with an average": (
        lambda: {"state_dict": RAW, "state_dict_ema": MEAN, "args": ARGS, "metric": np.float64(61)},
        rf"{AVERAGE} \(state_dict_ema\)",
    ),
    "lightning": (
        lambda: {"state_dict": under("model.", RAW), "pytorch-lightning_version": "2.4", "callbacks": {}},
        r"read from state_dict, model\.\*",
    ),
    "lightning with a loss": (
        lambda: {"state_dict": under("net.", RAW) | {"criterion.weight": torch.ones(7)}},
        r"not read: criterion\.weight$",
    ),
    "lightning with a metric": (
        lambda: {"state_dict": under("net.", RAW) | {"val_acc.tp": torch.ones(7)}},
        r"not read: val_acc\.tp$",
    ),
    "lightning with an average in one state": (
        lambda: {"state_dict": under("model.", RAW) | under("ema_model.module.", MEAN)},
        rf"{AVERAGE} \(ema",
    ),
    "an average beside bare names": (
        lambda: RAW | under("ema_model.", MEAN),
        rf"{AVERAGE} \(ema",
    ),
    "kuangliu's": (lambda: {"net": under("module.", RAW), "acc": 93.1, "epoch": 4}, "read from net"),
    "compiled": (lambda: under("_orig_mod.", RAW), "torchvision"),
    "compiled in parallel": (lambda: under("module._orig_mod.", RAW), "module"),
    "compiled within": (compiled_within, "torchvision"),
    "model.model.": (lambda: under("model.model.", RAW), r"read from model\.model\.\*"),
    "open_clip's place": (
        lambda: {"state_dict": under("module.visual.trunk.", RAW)},
        r"module\.visual\.trunk\.\*",
    ),
    "any prefix": (lambda: under("whatever_1.", RAW), r"read from whatever_1\.\*"),
    "a profiler's counters": (profiled, "in the file, but not read: total_ops, total_params"),
    "no counters of batch norm": (
        lambda: {n: t for n, t in RAW.items() if not n.endswith("num_batches_tracked")},
        "holds torchvision's",
    ),
    "numpy beside": (
        lambda: {"model_state_dict": RAW, "acc": np.float32(0.5), "hist": np.arange(4.0)},
        "read from model_state_dict",
    ),
    "channels last": (lambda: copy.deepcopy(NET).to(memory_format=torch.channels_last).state_dict(), "torchvision"),
    "student and teacher": (
        lambda: {
            "student": under("module.backbone.", RAW),
            "teacher": under("backbone.", MEAN),
            "dino_loss": {"center": torch.ones(1, 8)},
            "args": ARGS,
        },
        rf"{AVERAGE} \(teacher\)",
    ),
}
AVERAGES: dict[str, Callable[[], object]] = {
    "timm's": lambda: {"state_dict": RAW, "state_dict_ema": MEAN},
    "torchvision's": lambda: {"model": RAW, "model_ema": averaged(MEAN)},
    "ema_state_dict": lambda: {"state_dict": RAW, "ema_state_dict": under("module.", MEAN)},
    "inside another section": lambda: {"model": RAW, "ema": {"model": MEAN, "decay": 0.9}},
    "one state": lambda: under("model.", RAW) | under("model_ema.module.", MEAN),
    "beside bare names": lambda: RAW | under("ema_model.", MEAN),
    "teacher": lambda: {"student": RAW, "teacher": MEAN},
    "lightning's": lambda: {"state_dict": MEAN, "current_model_state": RAW},
    "nothing but": lambda: {"state_dict_ema": MEAN},
    "AveragedModel": lambda: averaged(MEAN),
}
# trunks without the classifier, with what lies beside them -> a word of the certificate
TRUNKS: dict[str, tuple[Callable[[], object], str]] = {
    "bare": (lambda: TRUNK, "torchvision"),
    **{
        prefix: (
            lambda prefix=prefix: {"state_dict": under(prefix, TRUNK) | projector("head.")},
            r"not read: head\.0\.weight",
        )
        for prefix in (
            *("net.", "backbone.", "encoder.", "module.visual.trunk.", "trunk.", "features."),
            *("features_extractor.", "student.backbone.", "model.model.", "base_encoder."),
        )
    },
    "MoCo": (
        lambda: {
            "arch": "x",
            "state_dict": under("module.encoder_q.", TRUNK)
            | projector("module.encoder_q.fc.")
            | under("module.encoder_k.", MEAN)
            | {"module.queue": torch.ones(128, 16), "module.queue_ptr": torch.zeros(1).long()},
        },
        rf"{AVERAGE} \(module\.encoder_k\)",
    ),
    "SimSiam": (
        lambda: {"state_dict": under("module.encoder.", TRUNK) | projector("module.predictor.")},
        r"read from state_dict, module\.encoder\.\*",
    ),
    "solo-learn": (
        lambda: under("backbone.", TRUNK) | under("momentum_backbone.", TRUNK) | projector("projector."),
        rf"{AVERAGE} \(momentum\)",
    ),
    "a sequence for a head": (
        lambda: TRUNK | {"fc.1.weight": torch.ones(3, 1024), "fc.1.bias": torch.ones(3)},
        r"not read: fc\.1\.weight, fc\.1\.bias",
    ),
    "a head of other features": (lambda: TRUNK | {"fc.weight": torch.ones(3, 9)}, r"not read: fc\.weight"),
}


@pytest.fixture
def saved(tmp_path):
    def save(held) -> str:
        torch.save(held, tmp_path / "w.pth")
        return tmp_path / "w.pth"

    return save


def assert_holds(net: nn.Module, state: State) -> None:
    """The logits of a network with that state."""
    reference = theirs(2)
    reference.fc = nn.Linear(1024, len(state["fc.bias"]))
    reference.load_state_dict(state)
    x = torch.randn(2, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(net.eval()(x), reference.eval()(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("held", "words"), WHOLE.values(), ids=WHOLE)
def test_whole(held, words, saved):
    net = create_model(NAME, num_classes=CLASSES)
    certificate = load_weights(net, saved(held()))
    assert certificate.kind == "torchvision's shufflenet_v2_x0_5" and certificate.fresh == ()
    assert re.search(words, str(certificate), re.MULTILINE), str(certificate)
    assert_holds(net, RAW)


@pytest.mark.parametrize("held", AVERAGES.values(), ids=AVERAGES)
def test_average(held, saved):
    net = create_model(NAME, num_classes=CLASSES, weights=saved(held()), ema=True)
    assert net.certificate.average.startswith("these are averaged weights")
    assert_holds(net, MEAN)


@pytest.mark.parametrize("name", ["nothing but", "AveragedModel", "lightning's"])
def test_an_average_without_raw_weights_is_taken_and_said(name, saved):
    net = create_model(NAME, weights=saved(AVERAGES[name]()), num_classes=CLASSES)
    assert "these are averaged weights" in str(net.certificate)
    assert_holds(net, MEAN)


def test_an_average_that_is_not_there(saved):
    with pytest.raises(WeightsError, match=r"holds no average beside its weights; leave ema out"):
        create_model(NAME, num_classes=CLASSES, weights=saved(RAW), ema=True)


@pytest.mark.parametrize(("held", "words"), TRUNKS.values(), ids=TRUNKS)
def test_trunk(held, words, saved):
    path = saved(held())
    with pytest.raises(
        WeightsError,
        match=r"holds all of torchvision's shufflenet_v2_x0_5 but fc\.weight, fc\.bias.*give "
        r"num_classes to create_model, or adapt_classes=True to load_weights \(on the command "
        rf"line, convatlas train {NAME} --weights",
    ):
        load_weights(create_model(NAME), path)
    net = create_model(NAME, num_classes=5, weights=path)
    assert re.search(words, str(net.certificate), re.MULTILINE), str(net.certificate)
    assert net.certificate.fresh == ("FC.weight", "FC.bias")
    fresh = {"fc.weight": net.FC.weight.data, "fc.bias": net.FC.bias.data}
    assert_holds(net, RAW | fresh)


def test_an_auxiliary_head_that_is_not_there(saved):
    """torchvision's GoogLeNet drops its own where a checkpoint was loaded with aux_logits=False."""
    state = tv.googlenet(init_weights=False, aux_logits=False, num_classes=CLASSES).state_dict()
    net = create_model("googlenet_torchvision", num_classes=CLASSES)
    certificate = load_weights(net, saved(state))
    assert certificate.kind == "torchvision's googlenet"
    assert {name.split(".")[0] for name in certificate.fresh} == {"aux_4a", "aux_4d"}
    assert "not from the file, as they were: aux_4a.conv.conv.weight" in str(certificate)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "one weight of another shape": (
        lambda: RAW | {"conv5.0.weight": torch.ones(1024, 192, 3, 3)},
        r"all but conv5\.0\.weight \(1024x192x3x3 instead of 1024x192x1x1\) fits torchvision's "
        r"shufflenet_v2_x0_5 \(shufflenet_v2_torchvision_x0_5 here\)$",
    ),
    "one weight missing": (
        lambda: {n: t for n, t in RAW.items() if n != "conv5.0.weight"},
        r"all but conv5\.0\.weight \(missing\) fits torchvision's shufflenet_v2_x0_5",
    ),
    "a layer more": (
        lambda: RAW | {"stage2.0.gate.weight": torch.ones(3)},
        r"all but stage2\.0\.gate\.weight \(unknown there\) fits",
    ),
    "half of it": (
        lambda: {n: t for n, t in RAW.items() if not n.startswith(("stage3", "stage4"))},
        r"\d\d% of it fits torchvision's shufflenet_v2_x0_5 .*, but not stage3\S+ \(missing\), "
        r".* and \d+ more$",
    ),
    "another network's trunk": (
        lambda: {n: t for n, t in tv.mobilenet_v3_small().state_dict().items() if "classifier" not in n},
        r"nearest is torchvision's mobilenet_v3_small \(mobilenet_v3_small here\), with about \d+% of "
        r"the names and shapes; loaded into mobilenet_v3_small, it is compared name by name$",
    ),
    "two networks": (
        lambda: under("left.", RAW) | under("right.", MEAN),
        r"holds several networks, under left\. and right\.; save the state of the one that you mean",
    ),
    "two averages": (
        lambda: {"ema_fast": MEAN, "ema_slow": RAW},
        r"holds several averages, ema_fast, ema_slow; save the one that you mean on its own",
    ),
    "company that may be a layer": (
        lambda: RAW | {"attention.weight": torch.ones(3)},
        r"holds all of torchvision's shufflenet_v2_x0_5, and beside it attention\.weight; to take its",
    ),
    "something else": (lambda: {"a.weight": torch.ones(3)}, r"its first tensor is a\.weight$"),
}


@pytest.mark.parametrize(("held", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(held, words, saved):
    net = create_model(NAME, num_classes=CLASSES)
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(WeightsError, match=words):
        load_weights(net, saved(held()), ema="averages" in words)
    assert all(torch.equal(tensor, before[key]) for key, tensor in net.state_dict().items())
