"""One step: optimisers against their formulas, accumulation, averages, frozen
parts, soft labels.
"""

import hashlib
import json

import pytest
import torch
from torch import nn

from convatlas.errors import RecipeError, RunError
from convatlas.registry import create_model
from convatlas.training import Recipe, train
from convatlas.training.loss import hits, loss_function
from convatlas.training.optimisers import RMSpropTF, optimiser
from convatlas.training.trainer import Trainer

PLAIN = Recipe(
    opt="sgd",
    lr=0.1,
    momentum=0.0,
    weight_decay=0.0,
    warmup_epochs=0,
    sched="constant",
    batch_size=8,
)


def trainer(
    recipe: Recipe, network: str = "resnet20_cifar", dtype=torch.float32, channels: int = 3
) -> Trainer:
    torch.manual_seed(0)
    return Trainer(
        recipe,
        create_model(network, num_classes=4, in_channels=channels).to(dtype),
        10,
        torch.device("cpu"),
    )


def batch(n: int = 8, side: int = 32, dtype=torch.float32):
    dice = torch.Generator().manual_seed(1)
    return torch.randn(n, 3, side, side, generator=dice, dtype=dtype), torch.arange(n) % 4


def test_rmsprop_tf_is_tensorflow_s_form_by_hand():
    """s starts at 1; w <- w - m, m <- momentum m + lr g / sqrt(s + eps): three steps of one number,
    to the last bit.
    """
    weight = nn.Parameter(torch.tensor([0.5, -2.0], dtype=torch.float64))
    step = RMSpropTF([weight], lr=0.1, alpha=0.9, eps=1e-3, momentum=0.8, weight_decay=0.01)
    by_hand, squares, momenta = [0.5, -2.0], [1.0, 1.0], [0.0, 0.0]
    for rate, gradient in [(0.1, (0.3, -4.0)), (0.1, (0.1, 2.0)), (0.05, (-0.7, 0.0))]:
        step.param_groups[0]["lr"] = rate
        weight.grad = torch.tensor(gradient, dtype=torch.float64)
        step.step()
        for i, g in enumerate(gradient):
            g += 0.01 * by_hand[i]
            squares[i] = 0.9 * squares[i] + (1 - 0.9) * g * g
            momenta[i] = 0.8 * momenta[i] + rate * g / (squares[i] + 1e-3) ** 0.5
            by_hand[i] -= momenta[i]
        assert weight.tolist() == pytest.approx(by_hand, rel=1e-14)


def test_rmsprop_is_torch_s_and_not_tensorflow_s():
    recipes = {
        opt: PLAIN.change(opt=opt, eps=0.1, alpha=0.9, momentum=0.9)
        for opt in ("rmsprop", "rmsprop-tf")
    }
    nets = {opt: trainer(recipe) for opt, recipe in recipes.items()}
    assert type(nets["rmsprop"].optimiser) is torch.optim.RMSprop
    for one in nets.values():
        one.step(*batch())
    assert not torch.equal(*(next(one.net.parameters()) for one in nets.values()))


def test_without_decay_norm_only_filters_and_matrices_decay():
    net = create_model("resnet20_cifar")
    decay = {
        id(weight): group["weight_decay"]
        for group in optimiser(PLAIN.change(weight_decay=0.1, decay_norm=False), net).param_groups
        for weight in group["params"]
    }
    assert {decay[id(weight)] for name, weight in net.named_parameters() if weight.ndim > 1} == {
        0.1
    }
    assert {decay[id(weight)] for name, weight in net.named_parameters() if weight.ndim == 1} == {
        0.0
    }
    assert len(decay) == len(list(net.parameters()))


def test_a_clipped_gradient_has_the_norm_asked_for():
    one = trainer(PLAIN.change(clip_grad=0.01))
    one.step(*batch())
    norm = torch.stack([weight.grad.norm() for weight in one.net.parameters()]).norm()
    assert float(norm) == pytest.approx(0.01, rel=1e-4)


@pytest.mark.parametrize("parts", [2, 3, 8])
def test_an_accumulated_batch_is_the_large_batch_to_1e_5(parts):
    """Row 25; batch norm is frozen, for its statistics are those of each part."""
    whole, split = (trainer(PLAIN.change(freeze_bn=True, accumulate=n)) for n in (1, parts))
    for _ in range(3):
        assert whole.step(*batch()) == pytest.approx(split.step(*batch()), rel=1e-5)
    for (name, one), two in zip(whole.net.named_parameters(), split.net.parameters(), strict=True):
        assert (one - two).norm() <= 1e-5 * one.norm(), name
    assert whole.progress.correct == split.progress.correct


def test_the_average_follows_weights_and_statistics_as_tensorflow_averages():
    one, states = trainer(PLAIN.change(ema=0.5)), []
    for _ in range(4):
        one.step(*batch())
        states.append(
            {name: tensor.double().clone() for name, tensor in one.net.state_dict().items()}
        )
    for name, tensor in one.result.state_dict().items():
        expected = states[0][name]
        for count, state in enumerate(states[1:], 1):
            keep = min(0.5, (1 + count) / (10 + count))
            expected = keep * expected + (1 - keep) * state[name]
        if name.endswith("num_batches_tracked"):
            expected = states[-1][name]
        torch.testing.assert_close(tensor.double(), expected, rtol=1e-5, atol=1e-6)
    assert one.result is not one.net
    assert not torch.equal(next(one.result.parameters()), next(one.net.parameters()))


def test_frozen_stages_and_norms_stay_as_they_are():
    one = trainer(PLAIN.change(freeze=("conv1", "stage1"), weight_decay=0.1))
    before = {name: tensor.clone() for name, tensor in one.net.state_dict().items()}
    one.step(*batch())
    changed = {
        name.split(".")[0]
        for name, tensor in one.net.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    assert changed == {name.split(".")[0] for name in before} - {"conv1", "stage1"}


def test_frozen_norms_keep_statistics_scale_and_shift():
    one = trainer(PLAIN.change(freeze_bn=True))
    norms = {
        name: module
        for name, module in one.net.named_modules()
        if isinstance(module, nn.BatchNorm2d)
    }
    before = {
        name: {k: v.clone() for k, v in module.state_dict().items()}
        for name, module in norms.items()
    }
    one.step(*batch())
    assert norms
    assert all(
        torch.equal(module.state_dict()[key], value)
        for name, module in norms.items()
        for key, value in before[name].items()
    )


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (("layer1",), "resnet20_cifar has no such part; its stages are conv1, "),
        (
            ("conv1", "stage1", "stage2", "stage3", "fc"),
            "leaves nothing of resnet20_cifar to train",
        ),
    ],
)
def test_what_cannot_be_frozen_is_refused(names, says):
    with pytest.raises(RunError, match=says):
        trainer(PLAIN.change(freeze=names))


@pytest.mark.parametrize("loss", ["cross-entropy", "map", "squared-error"])
def test_a_certain_soft_label_is_the_hard_one_and_mixed_ones_are_between(loss):
    function, logits = (
        loss_function(loss, 0.1 if loss == "cross-entropy" else 0.0),
        torch.randn(6, 4).double(),
    )
    labels = torch.arange(6) % 4
    hard = nn.functional.one_hot(labels, 4).float()
    assert float(function(logits, hard)) == pytest.approx(float(function(logits, labels)), rel=1e-6)
    assert hits(logits, hard) == hits(logits, labels)
    assert function(logits, 0.6 * hard + 0.4 * hard.roll(1, 0)).isfinite()


def test_mixed_labels_are_learnt_from():
    one, (x, y) = trainer(PLAIN), batch()
    soft = (
        0.7 * nn.functional.one_hot(y, 4).float()
        + 0.3 * nn.functional.one_hot(y.roll(1), 4).float()
    )
    expected = nn.functional.cross_entropy(one.net.train()(x), soft).item()
    assert one.step(x, soft) == pytest.approx(expected, rel=1e-5)
    assert one.progress.seen == 8


def test_a_run_starts_from_weights_and_says_which(tmp_path):
    recipe = Recipe(network="lenet1989", data="digits", epochs=1, batch_size=256, warmup_epochs=0)
    train(recipe, tmp_path / "first")
    file = tmp_path / "first" / "model.safetensors"
    metrics = train(recipe.change(weights=str(file), lr=1e-12, weight_decay=0.0), tmp_path / "then")
    about = json.loads((tmp_path / "then" / "model.json").read_text())["provenance"]["started_from"]
    assert about["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert about["weights"] == str(file)
    first = json.loads((tmp_path / "first" / "metrics.json").read_text())
    assert metrics["test"]["correct"] == first["test"]["correct"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"warmup_lr": 1.0, "warmup_epochs": 1, "lr": 0.1}, "the warm-up rises to lr"),
        ({"accumulate": 9}, "cannot part a batch of 8"),
        ({"freeze": (3,)}, "must be a list of names"),
        ({"ema": 1.0}, "0 to 0.99999"),
        ({"clip_grad": -1}, "0 or more"),
        ({"source": "timm"}, "it says whose file weights is"),
    ],
)
def test_new_fields_have_rules(change, says):
    with pytest.raises(RecipeError, match=says):
        PLAIN.change(**change)
