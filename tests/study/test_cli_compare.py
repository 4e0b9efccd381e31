"""compare and study as they are typed: what is wrong is said at once, and how far a study is."""

import json
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from runs_of_a_study import make

from convatlas import cli
from convatlas.registry import stored_facts
from convatlas.study import jobs, plan

DOCUMENT = Path(__file__).parents[2] / "docs" / "compare.md"


def run(*words: object) -> int:
    return cli.run(list(map(str, words)))


def refused(capsys, *words: object) -> str:
    """The one sentence, of wrong usage."""
    assert run("compare", *words) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err.removeprefix("convatlas: ").rstrip("\n")


def test_everything_that_is_wrong_is_said_at_once_and_nothing_is_begun(capsys, tmp_path):
    study = tmp_path / "study"
    said = refused(
        capsys,
        *("lenet99", "lenet5", "resnet20_cifar", "rasnet50"),
        *("--data", "digits", "nowhere", "--size", "20", "--output", study),
    )
    first, *others = said.split("\n  ")
    assert first == "4 things are wrong, and no run was begun:"
    assert others[0].startswith("there is no network called 'lenet99'; did you mean lenet")
    assert others[1].startswith("there is no network called 'rasnet50'; did you mean resnet50")
    assert others[2] == (
        "lenet5 reads images from 32x32 to 35x35 pixels, not 20x20; the paper's size is 32x32"
    )
    assert others[3] == (
        "there is no data set and no folder called 'nowhere'; the names are digits, mnist, "
        "fashion-mnist, kmnist, cifar10, cifar100, svhn. A folder of class folders would do as well"
    )
    assert not study.exists()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "which networks? give names from `convatlas list`, such as lenet5 nin"),
        (("lenet5", "--seeds", "0"), "--seeds must be 1 or more, not 0"),
        (("lenet5", "--jobs", "-1"), "--jobs must be 1 or more, or left out, not -1"),
        (("lenet5", "--vary", "lr=1"), "--vary lr has one value; give several, or the one as --lr"),
        (
            ("lenet5", "--continue", "x"),
            "--continue x goes on with what that study was asked for; leave out networks and all "
            "flags but --on, --jobs and --print",
        ),
        (
            ("lenet5", "lenet_caffe", "--loss", "map", "--label-smoothing", "0.1"),
            "--label-smoothing 0.1 has no effect with --loss map",
        ),
        (("resnet20_cifar", "--freeze", "conv9"), "freeze = 'conv9': resnet20_cifar has no such"),
        (
            ("lenet5", "nin", "--vary", "lr=1,2", "--seeds", 10**8),
            "that makes 400,000,000 runs (2 networks x 1 data sets x 2 settings x 100,000,000 "
            "seeds), and a study holds 100,000; give fewer --seeds or --vary values",
        ),
        (("lenet5", "--on", "moon"), "--on takes local, slurm or ray, not 'moon'"),
        (("lenet5", "--print", "pdf"), "--print takes commands, k8s or sbatch, not 'pdf'"),
    ],
)
def test_wrong_usage_is_one_sentence(capsys, words, sentence):
    assert sentence in refused(capsys, *words)


ASKED = ("lenet5", "lenet_caffe", "--data", "digits", "--epochs", 3, "--vary", "lr=1e-3,3e-3")


@pytest.fixture(scope="module")
def once(tmp_path_factory):
    """A study of two networks and two rates that is planned."""
    study = tmp_path_factory.mktemp("studies") / "study"
    assert run("compare", *ASKED, "--seeds", 2, "--output", study, "--print", "commands") == 0
    return study


@pytest.fixture
def study(once, tmp_path):
    return shutil.copytree(once, tmp_path / "a study")


def test_a_command_is_printed_for_each_run(study, capsys):
    assert run("compare", "--continue", study, "--print", "commands") == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == plan.commands(study, plan.read(study))
    assert said.err == (
        "8 of 8 runs are to be trained; exit code 75 means: once more. When all are: convatlas "
        f"compare --continue '{study}'\n"
    )


def test_the_plan_has_all_networks_of_a_seed_before_the_next_seed(study):
    lines = plan.read(study)
    assert [(line.seed, line.network, line.vary["lr"]) for line in lines] == [
        (seed, network, rate)
        for seed in (0, 1)
        for network in ("lenet5", "lenet_caffe")
        for rate in (0.001, 0.003)
    ]


def test_what_is_printed_is_what_is_left_to_do(study, capsys):
    lines = plan.read(study)
    for line in lines[:3]:
        make(study, line, [0.1, 0.2, 0.3])
    assert run("compare", "--continue", study, "--print", "commands") == 0
    assert capsys.readouterr().out.splitlines() == plan.commands(study, lines[3:])


def test_study_says_how_far_it_is(study, capsys):
    facts = stored_facts()
    ratio = facts["lenet_caffe"]["macs"] / facts["lenet5"]["macs"]
    seconds = 2 * 3 * (2 + 4 * ratio)  # two an epoch of lenet5; of that two runs, of the other four
    first, second, *_ = plan.read(study)
    make(study, first, [0.1, 0.2, 0.3])
    for _ in range(2):
        jobs.note_failure(study, second, "the loss became nan")
    assert run("study", study) == 75
    assert capsys.readouterr().out == (
        "8 runs: 1 trained, 6 left, 1 failed\n"
        f"  {second.run} failed: the loss became nan\n"
        f"about {seconds / 60:.1f} min to go\n"
        f"nobody is at work on it; go on with convatlas compare --continue '{study}'\n"
    )
    assert run("study", study, "--json") == 75
    told = json.loads(capsys.readouterr().out)
    assert told["counts"] == {"trained": 1, "left": 6, "failed": 1}
    assert told["runs"][0]["validation"] == 0.3
    assert (told["is_over"], told["seconds_to_go"]) == (False, pytest.approx(seconds))


def test_to_look_at_a_study_loads_no_torch(study):
    code = "import sys; from convatlas import cli; cli.run(sys.argv[1:]); print([*sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", code, "study", study], capture_output=True, text=True, check=True
    )
    assert said.stdout.splitlines()[0] == "8 runs: 8 left"
    assert "'torch'" not in said.stdout


def test_a_study_that_is_over_leaves_with_0_and_one_with_failed_runs_with_1(study, capsys):
    lines = plan.read(study)
    for line in lines:
        make(study, line, [0.1, 0.2, 0.3], done=True)
    assert run("study", study) == 0
    assert capsys.readouterr().out == "8 runs: 8 done\n"
    (lines[0].folder(study) / "metrics.json").unlink()
    for _ in range(2):
        jobs.note_failure(study, lines[0], "the test images are gone")
    assert run("study", study) == 1


def test_runs_that_failed_are_named_once_all_others_are_done(study, capsys, monkeypatch):
    lines = plan.read(study)

    def execute(given, folder, tell):
        """The runs of lenet5 fail, with seed 1."""
        for line in given:
            if (line.network, line.seed) == ("lenet5", 1):
                for _ in range(2):
                    jobs.note_failure(folder, line, "the loss became nan")
            elif not line.is_test:
                make(folder, line, [0.1, 0.2, 0.3])
            else:
                (line.folder(folder) / "metrics.json").write_text("{}")

    monkeypatch.setattr("convatlas.cli.studies._executor", lambda *_: execute)
    monkeypatch.setattr("convatlas.study.conducting.report", lambda study: ["the report"])
    assert run("compare", "--continue", study) == 1
    said = capsys.readouterr()
    first, second, *rows, last = said.out.splitlines()
    assert first == f"8 runs: 2 networks, 1 data set, 2 seeds, 2 settings, in {study}"
    assert second == "recipes: lenet5 by lenet5_digits, lenet_caffe by the defaults"
    assert [row.partition("  ")[2] for row in rows] == [
        "lenet_caffe on digits: lr = 0.001, chosen by the validation images"
    ]
    assert last == "the report"
    failed = [line.run for line in lines if line.network == "lenet5"]
    assert said.err.splitlines() == [
        f"convatlas: 4 runs of the study failed; once mended, go on with convatlas compare "
        f"--continue '{study}':",
        f"  {failed[0]}: trained, but no setting of lenet5 has trained with every seed",
        f"  {failed[1]}: trained, but no setting of lenet5 has trained with every seed",
        f"  {failed[2]}: the loss became nan",
        f"  {failed[3]}: the loss became nan",
    ]


def test_a_folder_without_a_study_is_one_sentence(tmp_path, capsys):
    assert run("study", tmp_path) == 1
    assert capsys.readouterr().err.startswith(f"convatlas: {tmp_path} holds no study (no study.j")
    assert run("compare", "--continue", tmp_path) == 1


def test_another_plan_in_the_same_folder_is_one_sentence(study, capsys):
    assert run("compare", "lenet5", "--data", "digits", "--output", study) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"convatlas: {study} holds a study of another plan (networks: lenet5 l")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        line.strip()
        for line in DOCUMENT.read_text().splitlines()
        if line.startswith("    convatlas ")
    ],
)
def test_a_command_of_the_page_is_one_that_the_program_takes(command):
    _, bound, _ = cli.app.parse_args(
        shlex.split(command)[1:], exit_on_error=False, print_error=False
    )
    assert bound.arguments
