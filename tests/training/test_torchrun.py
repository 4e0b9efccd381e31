"""What launchers leave in the environment: half of it is no launch, and never a traceback."""

import os
import subprocess
import sys

import pytest
import torch.distributed as dist

from convatlas.cli import _rank, run
from convatlas.errors import RunError
from convatlas.training import torchrun, train
from convatlas.training.callbacks import Callback
from convatlas.training.distributed import ProcessGroup
from convatlas.training.recipe import Recipe

WHOLE = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"}
QUICK = Recipe(network="lenet1989", data="digits", epochs=1, batch_size=512)


@pytest.fixture
def environment(monkeypatch):
    """A function that sets these variables, and no others of a launcher."""
    others = [name for trio in torchrun.ALONE for name in trio[:2]]
    for name in (
        *torchrun.ALL,
        "LOCAL_RANK",
        "LOCAL_WORLD_SIZE",
        "TORCHELASTIC_RESTART_COUNT",
        *others,
    ):
        monkeypatch.delenv(name, raising=False)

    def set_all(**values: str) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_all


def test_a_whole_launch_is_read(environment):
    assert torchrun.launched() is None
    environment(**WHOLE, LOCAL_RANK="0", TORCHELASTIC_RESTART_COUNT="3")
    assert torchrun.launched() == torchrun.Process(1, 2, 0, 3, "127.0.0.1", 29500)
    assert _rank() == 1


def test_what_a_launcher_may_leave_out_has_its_default(environment):
    environment(**WHOLE)
    assert torchrun.launched() == torchrun.Process(1, 2, 1, 0, "127.0.0.1", 29500)


def test_256_processes_know_their_neighbours(environment):
    """Those of a machine prepare a set together: 32 machines of eight."""
    machines = []
    for rank in range(256):
        environment(
            **WHOLE | {"RANK": str(rank), "WORLD_SIZE": "256", "LOCAL_RANK": str(rank % 8)},
            LOCAL_WORLD_SIZE="8",
        )
        group = ProcessGroup(rank, 256, dist.HashStore())
        assert [*group.everyone.members] == [*range(256)]
        assert group.machine.rank == rank % 8
        machines.append([*group.machine.members])
    assert machines == [[*range(first, first + 8)] for first in range(0, 256, 8) for _ in range(8)]


@pytest.mark.parametrize("missing", torchrun.ALL)
def test_half_a_launch_is_none(missing, environment):
    environment(**{name: value for name, value in WHOLE.items() if name != missing})
    assert torchrun.launched() is None
    assert f"but not {missing}: this is a run of one process" in torchrun.misunderstanding()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RANK", "foo"),
        ("RANK", "2"),
        ("RANK", "-1"),
        ("RANK", "1.0"),
        ("WORLD_SIZE", "abc"),
        ("WORLD_SIZE", "0"),
        ("WORLD_SIZE", "9" * 5000),
        ("MASTER_PORT", "http"),
        ("MASTER_PORT", "70000"),
        ("LOCAL_RANK", "x"),
        ("TORCHELASTIC_RESTART_COUNT", "x"),
        ("RANK", "\u0661"),
    ],
)
def test_a_launch_that_makes_no_sense_is_one_sentence_when_training(
    name, value, environment, capsys, tmp_path
):
    environment(**WHOLE | {name: value})
    assert _rank() is None
    with pytest.raises(RunError, match="is not a number from"):
        torchrun.launched()
    assert run(["train", "lenet1989", "--output", str(tmp_path / "run")]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"convatlas: {name}=")
    assert said.endswith("unset RANK WORLD_SIZE MASTER_ADDR MASTER_PORT` to train in one\n")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "variables", [{"RANK": "foo"}, {"RANK": "1"}, WHOLE, WHOLE | {"WORLD_SIZE": "abc"}]
)
def test_other_commands_do_not_look(variables):
    done = subprocess.run(
        [sys.executable, "-m", "convatlas", "recipes", "--json"],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("[{")


@pytest.mark.parametrize(
    ("variables", "warning"),
    [
        (
            {"RANK": "1"},
            "RANK=1 in the environment, but not WORLD_SIZE, MASTER_ADDR, MASTER_PORT: this is a "
            "run of one process; torchrun starts one of several",
        ),
        (
            {"SLURM_PROCID": "2", "SLURM_STEP_NUM_TASKS": "4"},
            "srun started 4 of these, and each trains a run of its own (this is number 2); "
            "torchrun makes them one run",
        ),
        ({"OMPI_COMM_WORLD_SIZE": "3"}, "mpirun started 3 of these"),
        ({"SLURM_PROCID": "0", "SLURM_STEP_NUM_TASKS": "1"}, ""),
        ({"LOCAL_RANK": "abc", "SLURM_STEP_NUM_TASKS": "many"}, ""),
    ],
)
def test_a_run_that_may_be_meant_as_one_of_several_says_that_it_is_alone(
    variables, warning, environment, tmp_path
):
    class Warned(Callback):
        def __init__(self):
            self.warnings = []

        def warn(self, text: str) -> None:
            self.warnings.append(text)

    environment(**variables)
    callback = Warned()
    train(QUICK, tmp_path, callback=callback)
    assert [text.startswith(warning) for text in callback.warnings] == [True] * bool(warning)
