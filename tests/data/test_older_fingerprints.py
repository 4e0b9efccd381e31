"""Where an older version recorded the fingerprint of a folder, and today's another: a packed set, a
study, runs of one report.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import convatlas
from convatlas.data import folder as folder_module
from convatlas.data import open_data
from convatlas.data.packed import place, writing
from convatlas.errors import DataError, RunError
from convatlas.reporting import gather
from convatlas.study import checking, conducting, plan
from convatlas.training import Recipe, train
from convatlas.training.callbacks import Callback


class Interrupted(Callback):
    def epoch(self, record):
        if record["epoch"] == 2:
            raise KeyboardInterrupt


@pytest.fixture
def root(make_folder) -> Path:
    return make_folder({"train/a": 8, "train/b": 8, "val/a": 3, "val/b": 3})


@pytest.fixture
def by_rule_2(monkeypatch):
    """A function that does something as an older version did, for which folders had another."""

    def doing(work, *given, **named):
        def older(splits, looked_at=0):
            return real(splits, looked_at)[0]

        real = folder_module.older_fingerprints
        with monkeypatch.context() as patch:
            patch.setattr(folder_module, "fingerprint_of", older)
            return work(*given, **named)

    return doing


@pytest.fixture
def packed(root, tmp_path) -> tuple[Path, Path]:
    """(packed by this version, packed by an older one)."""
    from safetensors.numpy import load, save

    today, earlier = tmp_path / "today", tmp_path / "earlier"
    writing.pack([root], today, workers=1)
    shutil.copytree(today, earlier)
    found = load((earlier / place.INDEX).read_bytes())
    said = json.loads(found["about"].tobytes())
    for tested, (_, by_contents) in said["fingerprints"].items():
        (by_names,) = said["older_fingerprints"][tested]
        said["fingerprints"][tested] = [by_contents, by_names]
    del said["older_fingerprints"]
    about = np.frombuffer(json.dumps(said).encode(), np.uint8)
    (earlier / place.INDEX).write_bytes(save(found | {"about": about}))
    return today, earlier


@pytest.mark.parametrize("test_from", ["auto", "val"])
def test_who_knows_whom(root, packed, test_from):
    folder, today, earlier = (
        open_data(at, test_from=test_from) for at in (root, packed[0], packed[1])
    )
    assert today.fingerprint == folder.fingerprint != earlier.fingerprint
    for recorded in (folder.fingerprint, *folder.older_fingerprints()):
        assert folder.are_of(recorded) and today.are_of(recorded)
        assert earlier.are_of(recorded) == (recorded != folder.fingerprint)
    assert not any(data.are_of(recorded) for data in (folder, today, earlier) for recorded in "0 ")
    assert [data.packed_earlier for data in (folder, today, earlier)] == [False, False, True]


def test_an_older_run_of_a_folder_goes_on_in_packed_sets_and_the_other_way(
    root, packed, tmp_path, by_rule_2
):
    recipe = Recipe(network="lenet1989", data=str(root), epochs=3, batch_size=8, save_every=0)

    def begun(name, data):
        with pytest.raises(KeyboardInterrupt):
            train(recipe.change(data=str(data)), tmp_path / name, callback=Interrupted())

    by_rule_2(begun, "older", root)
    begun("packed-earlier", packed[1])
    begun("new", root)
    for name, data in {"older": packed[0], "packed-earlier": root}.items():
        found = train(recipe.change(data=str(data)), tmp_path / name, resume=True)
        assert found["fingerprint"] == open_data(root).fingerprint
    with pytest.raises(RunError, match=r"own \(or an older convatlas packed them.*pack again\);"):
        train(recipe.change(data=str(packed[1])), tmp_path / "new", resume=True)


def test_an_older_study_is_the_same_study(root, tmp_path, by_rule_2):
    study = tmp_path / "study"
    given = {"epochs": 1, "batch_size": 8}

    def begin():
        return conducting.begin(["lenet1989"], [str(root)], 1, given=given, output=study)

    by_rule_2(begin)
    before = plan.read(study)
    assert begin() == study
    assert plan.read(study) == before
    next(root.rglob("*.png")).unlink()
    with pytest.raises(RunError, match="holds a study of another plan"):
        begin()


def test_older_runs_are_measured_and_stand_in_one_report_with_those_of_today(
    root, packed, tmp_path, by_rule_2
):
    recipe = Recipe(network="lenet1989", data=str(root), epochs=1, batch_size=8, save_every=0)
    runs = tmp_path / "runs"
    by_rule_2(train, recipe, runs / "a")
    train(recipe.change(seed=1), runs / "b")
    first, second = gather([runs]).runs
    assert first.fingerprint != second.fingerprint
    assert convatlas.evaluate(runs / "a").count == 3
    recipe_file = runs / "b" / "recipe.toml"
    of_folder = recipe_file.read_text()
    recipe_file.write_text(of_folder.replace(str(root), str(packed[1])))
    with pytest.raises(DataError, match=r"class \(or an older convatlas packed them.*pack again\)"):
        convatlas.evaluate(runs / "b")
    recipe_file.write_text(of_folder)
    next(root.rglob("*.png")).unlink()
    with pytest.raises(RunError, match=r"^a and b are runs of different images, though both .*set"):
        gather([runs])
    root.rename(tmp_path / "gone")
    said = r"or an older convatlas trained one of them .*put them back there, or make a report"
    with pytest.raises(RunError, match=said):
        gather([runs])


def test_a_plan_of_other_images_at_that_place_is_not_taken_for_the_same(root, by_rule_2):
    asked = plan.Asked(("lenet1989",), (), 1, "", {"epochs": 1}, {})
    planned = checking.planned(asked, [str(root)])
    (images,) = planned.asked.data
    other = plan.Asked((), (plan.Images("set", images.place, "0" * 64),), 1)
    assert planned.known_as(other) == planned.asked
