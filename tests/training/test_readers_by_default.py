"""Where images are held, and who reads them, when nobody says so: by the memory and the cores that
are free, which no result depends on.
"""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from noise import noise_folder

from convatlas import machine
from convatlas.data import fit_preprocess, image_cache, neighbours, open_data
from convatlas.data.readers import forks
from convatlas.training import Recipe, autotune, prepare, train
from convatlas.training.callbacks import Callback
from convatlas.training.distributed import process_group

RECIPE = Recipe(
    network="lenet1989", epochs=1, batch_size=16, warmup_epochs=0, shift=1, save_every=0
)


class Facts(Callback):
    def begin(self, facts):
        self.reading = facts["reading"]


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return noise_folder(tmp_path / "set", {"a": 40, "b": 40})


@pytest.mark.parametrize(
    ("cores", "processes", "busy", "spare"),
    [
        (1, 1, 1, 0),
        (2, 1, 1, 1),
        (2, 1, 2, 1),
        (2, 2, 1, 0),
        (8, 1, 1, 7),
        (8, 1, 8, 1),
        (64, 8, 1, 7),
        (64, 8, 0, 8),
        (4, 8, 1, 0),
    ],
)
def test_the_cores_of_a_machine_are_parted_among_its_processes(
    monkeypatch, cores, processes, busy, spare
):
    monkeypatch.setattr(machine, "cores", lambda: cores)
    assert machine.spare_cores(processes, busy) == spare


def test_readers_are_as_many_as_cores_are_free_unless_the_recipe_says(root, monkeypatch):
    data, alone = open_data(root), SimpleNamespace(neighbours=1)
    images, digits = data.train, open_data("digits").train
    monkeypatch.setattr(machine, "cores", lambda: 12)
    monkeypatch.setattr(prepare, "forks", lambda: True)
    assert prepare.readers(RECIPE, alone, images, busy=1) == 0  # so few are read at once
    monkeypatch.setattr(prepare, "READ_ALONE", 10)
    assert prepare.readers(RECIPE, alone, images, busy=1) == 11
    assert prepare.readers(RECIPE, alone, data.val, busy=1) == 0  # which has 8
    assert prepare.readers(RECIPE, SimpleNamespace(neighbours=4), images, busy=1) == 2
    assert prepare.readers(RECIPE, alone, digits, busy=1) == 0
    chosen = [RECIPE.change(workers=n) for n in (0, 1, 40)]
    assert [prepare.readers(one, alone, images, busy=1) for one in chosen] == [0, 1, 40]
    monkeypatch.setattr(machine, "cores", lambda: 200)
    assert prepare.readers(RECIPE, alone, images, busy=1) == prepare.MOST_READERS
    monkeypatch.setattr(prepare, "forks", lambda: False)
    assert prepare.readers(RECIPE, alone, images, busy=1) == 0


@pytest.mark.skipif(not forks(), reason="a new process would run the program's own file again")
def test_all_cores_decode_before_the_first_step_but_few_images(root, monkeypatch):
    asked, real = {}, image_cache.stream

    def noted(build, steps, split, workers, timeout):
        asked[len(split)] = workers
        return real(build, steps, split, workers, timeout)

    monkeypatch.setattr(machine, "cores", lambda: 3)
    monkeypatch.setattr(prepare, "READ_ALONE", 20)
    monkeypatch.setattr(image_cache, "stream", noted)
    recipe = RECIPE.change(data=str(root), threads=1, shift=0)
    with process_group(60, "cpu") as group:
        ready = prepare.prepare(recipe, group, prepare.gather(recipe, group))
    sizes = [len(part) for part in (ready.data.train, ready.data.val, ready.data.test)]
    assert sizes == [58, 6, 16]
    assert asked == {58: 3, 6: 0, 16: 0}
    assert ready.train.workers == ready.val.workers == 2  # beside the thread that trains


@pytest.mark.parametrize(
    ("free", "held"), [(4 * 64 * 256, True), (4 * 64 * 256 - 1, False), (None, True)]
)
def test_a_quarter_of_the_free_memory_may_hold_a_split(root, monkeypatch, free, held):
    data = open_data(root, val_fraction=0)  # 64 images to learn from
    prep = fit_preprocess(data, 16)
    monkeypatch.setattr(image_cache, "_FITTED", {})
    monkeypatch.setattr(image_cache, "free_memory", lambda: free)
    assert (image_cache.decoded(data.train, prep) is not None) == held


class Near:
    """Another process that sees less free memory than this one."""

    rank, size = 0, 2

    def __init__(self, other: int):
        self.other, self.said = other, []

    def say(self, text):
        self.said.append(text)
        return [text, str(self.other)]


def test_the_processes_of_a_machine_decide_alike(root, monkeypatch):
    data = open_data(root, val_fraction=0)
    prep = fit_preprocess(data, 16)
    monkeypatch.setattr(image_cache, "_FITTED", {})
    monkeypatch.setattr(image_cache, "free_memory", lambda: 2**40)
    near = Near(64 * 256 - 1)
    with neighbours.beside(near):
        assert image_cache.decoded(data.train, prep) is None
    assert near.said == [str(2**38)]
    monkeypatch.setattr(image_cache, "shared_bytes", lambda near, size: None)
    with neighbours.beside(Near(2 * 64 * 256 - 1)):  # each would have its own
        assert image_cache.decoded(data.train, prep) is None
    with neighbours.beside(Near(2 * 64 * 256)):
        assert image_cache.decoded(data.train, prep) is not None


def test_how_images_are_standardised_does_not_depend_on_the_memory(root, monkeypatch):
    held = fit_preprocess(open_data(root), 16)
    monkeypatch.setattr(image_cache, "free_memory", lambda: 0)
    data = open_data(root)
    assert fit_preprocess(data, 16) == held
    assert image_cache.decoded(data.train, held) is None
    assert fit_preprocess(data, 16, large=0) == held  # of so few the sample is all


@pytest.mark.skipif(not forks(), reason="no reader by default where processes do not fork")
def test_without_memory_readers_read_and_the_bits_are_the_same(root, tmp_path, monkeypatch):
    recipe = RECIPE.change(data=str(root))
    facts = Facts()
    train(recipe, tmp_path / "held", callback=facts)
    assert facts.reading == "held in memory"
    monkeypatch.setattr(image_cache, "free_memory", lambda: 0)
    monkeypatch.setattr(prepare, "READ_ALONE", 10)
    for cores, said in ((1, "in the training process"), (3, "by 2 readers")):
        monkeypatch.setattr(machine, "cores", lambda cores=cores: cores)
        train(recipe, tmp_path / said, callback=facts)
        assert facts.reading == f"read from files as they are needed, {said}"
        for name in ("model.safetensors", "answers.csv"):
            assert (tmp_path / said / name).read_bytes() == (tmp_path / "held" / name).read_bytes()


@pytest.mark.skipif(not forks(), reason="no reader by default where processes do not fork")
def test_readers_are_counted_for_the_threads_that_autotune_keeps(root, tmp_path, monkeypatch):
    def step_seconds(trainer, x, y):
        return 0.1 if torch.get_num_threads() == 2 else 1.0

    monkeypatch.setattr(autotune, "step_seconds", step_seconds)
    monkeypatch.setattr(image_cache, "free_memory", lambda: 0)
    monkeypatch.setattr(prepare, "READ_ALONE", 10)
    monkeypatch.setattr(machine, "cores", lambda: 4)
    facts = Facts()
    with autotune.with_threads(autotune.Config(threads=2)):  # of which small steps take one
        train(RECIPE.change(data=str(root), autotune=True), tmp_path / "run", callback=facts)
    assert Recipe.read(tmp_path / "run" / "recipe.toml").threads == 2
    assert facts.reading == "read from files as they are needed, by 2 readers"


def test_a_finished_run_looks_at_no_image(root, tmp_path, monkeypatch):
    recipe = RECIPE.change(data=str(root))
    done = train(recipe, tmp_path / "run", callback=Callback())
    monkeypatch.setattr(prepare, "open_data", None)
    monkeypatch.setattr(torch.optim, "SGD", None)
    assert train(recipe, tmp_path / "run", resume=True, callback=Callback()) == done
