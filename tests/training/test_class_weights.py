"""Classes with few images count as much as others, in training alone."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from convatlas.cli import run
from convatlas.registry import create_model
from convatlas.training import Recipe, train
from convatlas.training.callbacks import Callback
from convatlas.training.loss import balanced, loss_function, weighted
from convatlas.training.trainer import Trainer

CPU = torch.device("cpu")
LOGITS = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
LABELS = torch.tensor([0] * 8 + [1] * 3 + [2])
COUNTS = [8, 3, 1]


def test_the_weights_of_all_images_add_up_to_their_number():
    own = balanced(COUNTS)
    assert own.tolist() == pytest.approx([4 / 8, 4 / 3, 4 / 1])
    assert (own * torch.tensor(COUNTS)).sum() == pytest.approx(12)
    assert balanced([5, 5, 5]).tolist() == [1, 1, 1]
    assert balanced([4, 0]).isfinite().all()


@pytest.mark.parametrize("name", ["cross-entropy", "map", "squared-error"])
def test_each_class_has_its_mean_loss_in_equal_parts(name):
    loss = loss_function(name, 0.0)
    of_classes = [float(loss(LOGITS[c == LABELS], LABELS[c == LABELS])) for c in range(3)]
    found = weighted(loss, balanced(COUNTS))(LOGITS, LABELS)
    assert float(found) == pytest.approx(sum(of_classes) / 3)
    hot = F.one_hot(LABELS, 3).float()
    assert float(weighted(loss, balanced(COUNTS))(LOGITS, hot)) == pytest.approx(float(found))


def test_mixed_labels_and_smoothing_are_weighted_too():
    loss, own = loss_function("cross-entropy", 0.1), balanced(COUNTS)
    mixed = torch.tensor([[0.7, 0.3, 0.0]])
    plain = float(loss(LOGITS[:1], mixed))
    found = float(weighted(loss, own)(LOGITS[:1], mixed))
    assert found == pytest.approx(plain * float(0.7 * own[0] + 0.3 * own[1]))


@pytest.mark.parametrize("accumulate", [1, 3])
def test_a_step_is_weighted_and_the_measured_loss_is_not(accumulate):
    recipe = Recipe(network="lenet1989", class_weights="balanced", accumulate=accumulate)
    x, y = torch.rand(6, 1, 28, 28), torch.tensor([0, 0, 0, 0, 0, 1])
    counts = [50, 10, *[30] * 8]
    net = create_model("lenet1989")
    with torch.no_grad():
        logits = net.train()(x)
    losses = F.cross_entropy(logits, y, reduction="none")
    trainer = Trainer(recipe, net, 1, CPU, counts=counts)
    assert float(trainer.loss(logits, y)) == pytest.approx(float(losses.mean()))
    assert trainer.step(x, y) == pytest.approx(
        float((losses * balanced(counts)[y]).mean()), rel=1e-5
    )


def test_an_unbalanced_run_reads_its_rare_class_only_with_weights(tmp_path, images):
    """Of 60 images 54 are of one class; what is measured stays the plain loss."""
    recalls = {}
    for kind in ("none", "balanced"):
        metrics = train(
            Recipe(
                network="lenet1989",
                data=str(images),
                epochs=4,
                batch_size=8,
                lr=3e-4,
                class_weights=kind,
            ),
            tmp_path / kind,
            callback=Callback(),
        )
        rare = metrics["confusion"][1]
        recalls[kind] = rare[1] / sum(rare)
    assert recalls["none"] < 0.5 <= recalls["balanced"]


@pytest.fixture
def images(tmp_path):
    """Grey images of two brightnesses with much noise, 54 of one class and 6 of the other in train,
    20 and 20 to test.
    """
    dice = np.random.default_rng(0)
    for part, counts in (("train", (54, 6)), ("val", (10, 10)), ("test", (20, 20))):
        for name, count, level in zip(("common", "rare"), counts, (110, 146), strict=True):
            folder = tmp_path / "images" / part / name
            folder.mkdir(parents=True)
            for i in range(count):
                pixels = dice.normal(level, 40, (28, 28)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path / "images"


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("--class-weight", "--class-weights balanced"),
        ("--weighted-sampler", "--class-weights balanced"),
    ],
)
def test_names_of_other_tools_lead_here(flag, says, capsys):
    assert run(["train", "lenet5", flag, "3"]) == 2
    assert says in capsys.readouterr().err
