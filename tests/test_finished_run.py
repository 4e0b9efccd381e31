"""A finished run is measured as it measured itself: its own images, crops and loss."""

import json
import shutil

import pytest

from convatlas import evaluate
from convatlas.cli import run as convatlas
from convatlas.errors import RecipeError
from convatlas.training import Recipe, train

SHORT = Recipe(network="lenet1989", data="digits", epochs=1, batch_size=128, warmup_epochs=0)
LOSSES = {
    "map": {"loss": "map"},
    "squared-error": {"loss": "squared-error", "opt": "sgd", "lr": 1e-3},
    "cross-entropy": {"label_smoothing": 0.2},
}


@pytest.fixture(scope="module", params=LOSSES)
def run(request, tmp_path_factory):
    """(the loss, the folder, what metrics.json holds)"""
    folder = tmp_path_factory.mktemp("runs") / request.param
    return request.param, folder, train(SHORT.change(**LOSSES[request.param]), folder)


def test_the_loss_is_the_run_s_own_and_is_named(run, capsys):
    name, folder, metrics = run
    found = evaluate(folder)
    assert found.correct == metrics["test"]["correct"]
    assert found.loss == pytest.approx(metrics["test"]["loss"], rel=1e-5)
    assert convatlas(["eval", str(folder)]) == 0
    assert f"  loss     {found.loss:7.4f}  ({name})\n" in capsys.readouterr().out
    assert convatlas(["eval", str(folder), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert (answer["loss_function"], answer["loss"]) == (name, pytest.approx(found.loss))


def test_where_only_the_model_was_kept_images_must_be_given_and_the_loss_is_cross_entropy(
    run, tmp_path, capsys
):
    _, folder, metrics = run
    for file in ("model.json", "model.safetensors"):
        shutil.copy(folder / file, tmp_path)
    with pytest.raises(
        RecipeError, match=r"there is no .*recipe\.toml, .* takes others with --data"
    ):
        evaluate(tmp_path)
    found = evaluate(tmp_path, "digits")
    assert found.correct == metrics["test"]["correct"]
    assert found.loss != pytest.approx(metrics["test"]["loss"], rel=1e-3)
    assert convatlas(["eval", str(tmp_path), "--data", "digits"]) == 0
    assert f"  loss     {found.loss:7.4f}  (cross-entropy)\n" in capsys.readouterr().out
