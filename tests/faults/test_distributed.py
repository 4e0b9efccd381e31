"""Several processes: the same run as one, and every way in which one of them can fail. Rows 9, 12,
18, 19, 24, 26.
"""

import json
import os
import signal
import time
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
import torch
from ranks import SMALL, Ranks, before_step, weights

from convatlas.data import Loader
from convatlas.data.preprocess import fit_preprocess
from convatlas.data.split import ArraySplit, Data
from convatlas.errors import DataError, ProcessLost, RunError, Stopped
from convatlas.evaluation import Noting
from convatlas.registry import create_model
from convatlas.training import Recipe, train
from convatlas.training import forecast as room
from convatlas.training.distributed import process_group
from convatlas.training.folder import RunFolder
from convatlas.training.run import evaluate_together
from convatlas.training.trainer import Trainer


def noise(n: int, side: int = 32) -> Data:
    dice = torch.Generator().manual_seed(n)
    images = torch.randint(0, 256, (n, 1, side, side), dtype=torch.uint8, generator=dice)
    split = ArraySplit(images, torch.arange(n) % 3, [str(i) for i in range(n)])
    return Data("noise", ("a", "b", "c"), 1, split, split, split, "0" * 64)


# ---- the same run


@pytest.mark.parametrize("size", [2, 3])
def test_training_batches_are_split_in_order_and_measured_ones_shared_whole(size):
    data = noise(50)
    prep = fit_preprocess(data, 32)
    whole = Loader(data.train, prep, 16, seed=5)
    parts = [Loader(data.train, prep, 16, seed=5, share=(rank, size)) for rank in range(size)]
    for one, shares in zip(
        whole.epoch(3, 1), zip(*(part.epoch(3, 1) for part in parts), strict=True), strict=True
    ):
        assert torch.equal(one[2], torch.cat([share[2] for share in shares]))
        assert torch.equal(one[0], torch.cat([share[0] for share in shares]))
        assert all(
            len(share[2]) % 2 == 0 for share in shares
        )  # neighbours are mixed with each other
    together = [batch[2].tolist() for part in parts for batch in part.all()]
    assert sorted(together) == [batch[2].tolist() for batch in whole.all()]


def three_steps(recipe: Recipe) -> dict:
    """The float64 weights after three steps on eight images each."""
    with process_group(30, "cpu") as group:
        torch.manual_seed(0)
        net = create_model(recipe.network, num_classes=3, in_channels=1).double()
        data = noise(24)
        loader = Loader(data.train, fit_preprocess(data, 32), 8, share=(group.rank, group.size))
        trainer = Trainer(recipe, net, 3, torch.device("cpu"), group)
        for x, y, _ in loader.epoch(0):
            trainer.step(x.double(), y, 8)
        return {name: tensor.numpy() for name, tensor in net.state_dict().items()}


@pytest.mark.parametrize(
    ("change", "size"),
    [
        ({"sync_bn": True}, 2),
        ({"freeze_bn": True, "accumulate": 2, "ema": 0.9}, 3),
        pytest.param({"sync_bn": True}, 3, marks=pytest.mark.full),
    ],
    ids=str,
)
def test_float64_processes_agree_with_one_to_1e_12(change, size):
    recipe = Recipe(
        network="resnet20_cifar",
        batch_size=8,
        opt="sgd",
        lr=0.1,
        warmup_epochs=0,
        clip_grad=1.0,
        **{"accumulate": 1} | change,
    )
    found = Ranks(size, three_steps, recipe).results()
    for name, wanted in three_steps(recipe.change(accumulate=1)).items():
        for other in found:
            assert abs(other[name] - wanted).max() <= 1e-12 * max(1, abs(wanted).max()), name


def evaluations() -> list:
    with process_group(30, "cpu") as group:
        torch.manual_seed(1)
        net = create_model("lenet1989", num_classes=3, in_channels=1).eval()
        found = []
        for n in range(1, 18):
            data = noise(n, net.side)
            loader = Loader(
                data.test, fit_preprocess(data, net.side), 2, share=(group.rank, group.size)
            )
            noting, loss = Noting(n), torch.nn.functional.cross_entropy
            result = evaluate_together(group, net, loader, 3, loss, None, noting)
            loss = pytest.approx(result.loss, rel=1e-12)
            found.append((result.confusion.tolist(), result.top5, loss, noting.table.tolist()))
        return found


def test_evaluation_gives_the_same_integers_on_one_two_and_three_processes():
    alone = evaluations()
    assert [sum(map(sum, confusion)) for confusion, *_ in alone] == list(range(1, 18))
    for size in (2, 3):
        assert all(found == alone for found in Ranks(size, evaluations).results())


def evaluation_with_statistics_of_its_own() -> list:
    with process_group(30, "cpu") as group:
        torch.manual_seed(1)
        net = create_model("resnet20_cifar", num_classes=3, in_channels=1).eval()
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.fill_(float(group.rank))
        data = noise(12, net.side)
        loader = Loader(
            data.test, fit_preprocess(data, net.side), 2, share=(group.rank, group.size)
        )
        noting = Noting(12)
        evaluate_together(group, net, loader, 3, torch.nn.functional.cross_entropy, None, noting)
        return noting.table.tolist()


def test_every_process_measures_with_the_statistics_of_the_first():
    alone = evaluation_with_statistics_of_its_own()
    assert all(
        found == alone for found in Ranks(2, evaluation_with_statistics_of_its_own).results()
    )


def test_a_run_of_two_processes_is_the_run_of_one(tmp_path):
    metrics = train(SMALL, tmp_path / "one")
    found = Ranks(2, train, SMALL, tmp_path / "two").results()
    assert found[0]["confusion"] == found[1]["confusion"]
    assert [found[0][key] for key in ("steps", "epochs")] == [8, 2]
    assert found[0]["provenance"]["processes"] == 2
    assert metrics["provenance"]["processes"] == 1
    logs = [
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").open()]
        for name in ("one", "two")
    ]
    for one, two in zip(*logs, strict=True):
        assert one["train_loss"] == pytest.approx(two["train_loss"], rel=1e-5)
        assert one["step"] == two["step"]


def forecasts(joined: float) -> room.Forecast:
    """With a step taking 1 s in the first process, 2 s in the second, and so long where both send
    their gradients.
    """
    with process_group(30, "cpu") as group:
        room.step_seconds = lambda probe, x, y: joined if probe.group.size > 1 else 1.0 + group.rank
        room._timed_sample = lambda loader, count: (*loader.sample(count)[:2], 0.0)
        data, net = noise(50), create_model("lenet5", num_classes=3, in_channels=1)
        loader = Loader(data.train, fit_preprocess(data, 32), 8, share=(group.rank, group.size))
        return room.forecast(
            Recipe(network="lenet5", batch_size=8),
            net,
            loader,
            {"val": 12, "test": 24},
            4e5,
            torch.device("cpu"),
            3,
            group,
        )


@pytest.mark.parametrize(
    ("joined", "sending"), [(3.0, 1.0), (1.5, 0.0)]
)  # no step is faster for being joined
def test_two_processes_forecast_the_slower_ones_time_and_the_sending_of_gradients(joined, sending):
    found = Ranks(2, forecasts, joined).results()
    assert found[0] == found[1]
    each = 2 / 4  # seconds for one of a process's four images
    assert found[0].step == pytest.approx(2 + sending)
    assert found[0].epoch == pytest.approx(6 * found[0].step + 12 / 2 * each / 3)
    assert found[0].rest == pytest.approx(3 * found[0].epoch + 24 / 2 * each / 3)


def test_a_loss_that_is_not_finite_is_said_once(tmp_path):
    found = Ranks(2, train, SMALL.change(lr=1e30), tmp_path).results()
    assert str(found[0]) == str(found[1])
    assert "the loss became nan at step" in str(found[0])
    assert [error.quiet for error in found] == [False, True]


# ---- stopping and going on


def stopped(folder: Path, rank: int, step: int, recipe: Recipe = SMALL) -> dict:
    before_step(rank, step, lambda: os.kill(os.getpid(), signal.SIGTERM))
    return train(recipe, folder)


@pytest.fixture(scope="module")
def two_whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two") / "whole"
    Ranks(2, train, SMALL, folder).results()
    return folder


@pytest.mark.parametrize("rank", [0, 1])
def test_sigterm_to_either_process_saves_stops_both_and_costs_no_bit(two_whole, tmp_path, rank):
    found = Ranks(2, stopped, tmp_path, rank, 3).results()
    assert [type(error) for error in found] == [Stopped, Stopped]
    assert "at step 4, saved" in str(found[0])
    assert [path.name for path in sorted((tmp_path / "checkpoints").glob("step-*"))][
        -1
    ] == "step-00000004"
    Ranks(2, train, SMALL, tmp_path, True).results()
    assert weights(tmp_path) == weights(two_whole)


@pytest.mark.full
def test_three_processes_resume_to_the_same_bits_too(tmp_path):
    """Three numbers have more than one order of addition. In two buckets, for then DDP might change
    their order.
    """
    recipe = SMALL.change(network="resnet20_cifar")
    Ranks(3, train, recipe, tmp_path / "whole").results(300)
    Ranks(3, stopped, tmp_path / "cut", 2, 3, recipe).results(300)
    Ranks(3, train, recipe, tmp_path / "cut", True).results(300)
    assert weights(tmp_path / "cut") == weights(tmp_path / "whole")


def ordered(folder: Path, resume: bool, stop: int | None) -> list:
    """The indices of every step that this process does."""
    if stop:
        before_step(0, stop, lambda: os.kill(os.getpid(), signal.SIGTERM))
    seen, real = [], Loader.epoch

    def noted(self, epoch, start=0):
        for x, y, indices in real(self, epoch, start):
            yield x, y, indices
            seen.append(indices.tolist())  # once the step is over

    Loader.epoch = noted
    try:
        train(SMALL.change(batch_size=255), folder, resume)
    except Stopped:
        seen.append(None)  # its last step is done, but not noted
    finally:
        Loader.epoch = real
    return seen


@pytest.mark.parametrize(
    ("first", "then"),
    [(1, 2), *(pytest.param(*both, marks=pytest.mark.full) for both in ((2, 1), (2, 3)))],
)
def test_a_run_goes_on_with_another_number_of_processes_in_the_same_order(tmp_path, first, then):
    whole = Ranks(1, ordered, tmp_path / "whole", False, None).results()[0]
    begun = Ranks(first, ordered, tmp_path / "cut", False, 3).results()
    ended = Ranks(then, ordered, tmp_path / "cut", True, None).results()
    done = next(i for i, _ in enumerate(begun[0]) if begun[0][i] is None)
    together = [list(chain(*parts)) for parts in zip(*(part[:done] for part in begun), strict=True)]
    after = [list(chain(*parts)) for parts in zip(*ended, strict=True)]
    assert together == whole[:done]
    assert done in (3, 2)
    assert after == whole[len(whole) - len(after) :]
    assert len(together) + 1 + len(after) == len(whole) == 8


# ---- failing


def killed(folder: Path, action) -> dict:
    before_step(1, 2, action)
    return train(SMALL.change(timeout=4), folder)


def test_when_a_process_is_killed_the_other_ends_and_names_it_and_the_step(two_whole, tmp_path):
    began = time.monotonic()
    found = Ranks(2, killed, tmp_path, _die).results(30)
    assert found[1] == -signal.SIGKILL
    assert isinstance(found[0], ProcessLost)
    assert "process 1 of 2 was lost" in str(found[0])
    assert "at step 2" in str(found[0])
    assert time.monotonic() - began < 30
    Ranks(2, train, SMALL, tmp_path, True).results()
    assert weights(tmp_path) == weights(two_whole)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_hangs_is_named_with_the_step_after_the_timeout(tmp_path):
    ranks = Ranks(2, killed, tmp_path, partial(time.sleep, 60))
    assert ranks.readers[0].poll(40)
    error = ranks.readers[0].recv()
    ranks.processes[1].kill()
    assert isinstance(error, RunError)
    assert "process 1 of 2 was lost, or did not answer within 4 s, at step 2" in str(error)


def test_a_silent_process_that_holds_the_store_is_named_in_time_too(tmp_path):
    """As on a host whose cable is out: the store's own calls wait for it without an end."""
    ranks = Ranks(2, stopped_first, tmp_path)
    try:
        assert ranks.readers[1].poll(60)
        error = ranks.readers[1].recv()
    finally:
        for process in ranks.processes:
            process.kill()
    assert isinstance(error, ProcessLost)
    assert error.exit_code == 75
    assert "process 0 of 2 was lost, or did not answer within 4 s" in str(error)


def stopped_first(folder: Path) -> dict:
    if os.environ["RANK"] == "0":  # the other forecasts its steps as a first one of its own
        before_step(0, 2, lambda: os.kill(os.getpid(), signal.SIGSTOP))
    return train(SMALL.change(timeout=4), folder)


def test_a_folder_that_is_in_use_is_refused_by_all_processes_at_once(tmp_path):
    with RunFolder(tmp_path):
        found = Ranks(2, train, SMALL, tmp_path).results(30)
    assert [type(error) for error in found] == [RunError, RunError]
    assert f"another process (pid {os.getpid()}) is training in" in str(found[0])
    assert [error.quiet for error in found] == [False, True]


def test_a_partial_folder_of_the_same_step_stops_nobody(two_whole, tmp_path):
    partial_step = tmp_path / "checkpoints" / "step-00000001"
    partial_step.mkdir(parents=True)
    (partial_step / "model.safetensors").write_bytes(b"half")
    found = Ranks(2, train, SMALL, tmp_path).results(60)
    assert [result["steps"] for result in found] == [8, 8]
    assert weights(tmp_path) == weights(two_whole)


def test_a_batch_that_is_too_small_for_the_processes_is_refused(tmp_path):
    found = Ranks(3, train, SMALL.change(batch_size=2), tmp_path).results(30)
    assert all(
        "a step of 2 images cannot be split over 3 processes" in str(error) for error in found
    )


def own_image_folder(folder: Path, bad_rank: int) -> dict:
    recipe = SMALL.change(
        data=str(folder / "gone") if int(os.environ["RANK"]) == bad_rank else "digits"
    )
    return train(recipe, folder / "run")


def failing_alone(rank: int) -> None:
    """That rank at once, while the other is at work for longer than anybody waits."""
    with process_group(4, "cpu") as group:

        def work():
            if group.rank == rank:
                raise DataError("there is no such folder")
            time.sleep(7)

        group.together(work)


@pytest.mark.parametrize("rank", [0, 1])
def test_a_failure_that_nobody_hears_in_time_is_said_all_the_same(rank):
    found = Ranks(2, failing_alone, rank).results(60)
    assert (type(found[rank]), str(found[rank])) == (DataError, "there is no such folder")
    assert isinstance(found[1 - rank], RunError)


def test_a_failure_on_one_machine_is_said_by_that_one_and_ends_all(tmp_path):
    found = Ranks(2, own_image_folder, tmp_path, 1).results(30)
    assert [error.quiet for error in found] == [True, False]
    assert "gone" in str(found[1])
    assert str(found[0]).startswith("process 1: ")
    assert not (tmp_path / "run").exists()
