"""A run on several machines as files for Slurm and for Kubernetes."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from skips import needs

from convatlas.cli import app, run
from convatlas.errors import RecipeError, RunError
from convatlas.training import Recipe
from convatlas.training.manifests import Machines, kubernetes, sbatch

RECIPE = Recipe(network="lenet5", batch_size=64)
TWO = Machines(2, 4)
NAMES = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=40
).filter(lambda name: name not in (".", ".."))


def command_of(script: str) -> list[str]:
    """The words of convatlas in a script for Slurm."""
    return shlex.split(script.partition(" process \\\n")[2].partition("\ncode=$?")[0])[4:]


def job_of(text: str) -> dict:
    service, job = yaml.safe_load_all(text)
    assert (service["kind"], job["kind"]) == ("Service", "Job")
    return job


def container_of(text: str) -> dict:
    (container,) = job_of(text)["spec"]["template"]["spec"]["containers"]
    return container


# ---- Slurm


def test_a_task_of_slurm_for_each_process():
    recipe = RECIPE.change(threads=3, workers=2, device="cuda")
    script = sbatch(["lenet5"], recipe, Path("/runs/big"), TWO)
    asked = dict(re.findall(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", script, re.MULTILINE))
    assert [asked[name] for name in ("nodes", "ntasks-per-node", "cpus-per-task")] == list("245")
    assert asked["gpus-per-node"] == "4" and "requeue" in asked and asked["signal"] == "USR1@120"
    assert "gpus-per-node" not in sbatch(["lenet5"], RECIPE, Path("/runs/big"), TWO)
    assert command_of(script) == ["lenet5", "--output", "/runs/big", "--resume", "auto"]


@pytest.mark.parametrize(
    ("given", "cores"), [({}, 1), ({"threads": 3}, 3), ({"workers": 2}, 3), ({"workers": 0}, 1)]
)
def test_a_process_has_a_core_for_each_thread_and_reader_that_was_asked_for(given, cores):
    recipe = RECIPE.change(**given)
    script = sbatch(["lenet5"], recipe, Path("/runs/big"), TWO)
    assert script.count(f"--cpus-per-task={cores}\n") == 1
    assert script.count(f"srun --cpus-per-task={cores} ") == 1
    asked = container_of(kubernetes(["lenet5"], recipe, Path("/runs/big"), TWO))["resources"]
    assert asked["requests"]["cpu"] == 4 * cores


SRUN = """#!{python}
import os, pathlib, sys
if {saves}:
    pathlib.Path({latest!r}).write_text("step-00000007")
words = sys.argv[sys.argv.index("bash"):]
words = [*words[:words.index("process") + 1], "env"]
if {code}:
    sys.exit({code})
os.execvpe("bash", words, os.environ | {{"SLURM_PROCID": "5", "SLURM_LOCALID": "1"}})
"""


def carried_out(tmp_path: Path, code: int, saves: bool) -> tuple[int, str, str]:
    """(the script's exit code, what a process finds in its environment, what scontrol was told), by
    a bash on whose path stand a srun and a scontrol of ours.
    """
    latest = tmp_path / "run" / "checkpoints" / "LATEST"
    latest.parent.mkdir(parents=True)
    latest.write_text("step-00000001")
    tools, told = tmp_path / "tools", tmp_path / "told"
    tools.mkdir()
    played = SRUN.format(python=sys.executable, saves=saves, code=code, latest=str(latest))
    (tools / "srun").write_text(played)
    (tools / "scontrol").write_text(
        f'#!/bin/sh\n[ "$1" = show ] && echo n7 && echo n8 || echo "$@" >> {told}\n'
    )
    for tool in tools.iterdir():
        tool.chmod(0o755)
    slurm = {"SLURM_JOB_ID": "41", "SLURM_JOB_NODELIST": "n[7-8]"}
    done = subprocess.run(
        ["bash", "-s"],
        input=sbatch(["lenet5"], RECIPE, tmp_path / "run", TWO),
        env=os.environ | slurm | {"PATH": f"{tools}:{os.environ['PATH']}"},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    return done.returncode, done.stdout, told.read_text() if told.exists() else ""


def test_a_process_learns_its_place_and_where_the_first_one_is(tmp_path):
    code, environment, told = carried_out(tmp_path, 0, saves=False)
    assert (code, told) == (0, "")
    found = dict(line.split("=", 1) for line in environment.splitlines() if "=" in line)
    wanted = {"RANK": "5", "LOCAL_RANK": "1", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}
    wanted |= {"MASTER_ADDR": "n7", "MASTER_PORT": "20041"}
    assert {name: found[name] for name in wanted} == wanted


@pytest.mark.parametrize(
    ("code", "saves", "told"),
    [(75, True, "requeue 41\n"), (75, False, ""), (1, True, ""), (137, True, "")],
)
def test_a_job_that_has_got_on_is_queued_again_and_no_other(tmp_path, code, saves, told):
    """A run that ends at the same step every time would else come back for ever."""
    found, _, said = carried_out(tmp_path, code, saves)
    assert (found, said) == (code, told)


# ---- Kubernetes


def test_a_pod_for_each_machine_and_a_name_by_which_they_find_the_first():
    recipe = RECIPE.change(workers=1, device="cuda")
    text = kubernetes(["lenet5", "--data", "/i"], recipe, Path("/runs/big"), TWO)
    service, job = yaml.safe_load_all(text)
    spec, pod = job["spec"], job["spec"]["template"]["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 2, 2)
    name = job["metadata"]["name"]
    assert service["spec"]["clusterIP"] == "None" and service["metadata"]["name"] == name
    assert service["spec"]["selector"] == {"batch.kubernetes.io/job-name": name}
    assert pod["subdomain"] == name
    words = container_of(text)["command"]
    assert f"--master-addr={name}-0.{name}" in words
    assert {"--nnodes=2", "--node-rank=$(JOB_COMPLETION_INDEX)", "--nproc-per-node=4"} < {*words}
    assert words[words.index("train") + 1 :] == shlex.split(
        "lenet5 --data /i --output /runs/big --resume auto"
    )
    resources = container_of(text)["resources"]
    assert resources["requests"]["cpu"] == 8 and resources["limits"] == {"nvidia.com/gpu": 4}


@needs("kubernetes-validate is not installed", "kubernetes_validate")
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_kubernetes_own_schema_accepts_both(device):
    import kubernetes_validate

    text = kubernetes(["lenet5"], RECIPE.change(device=device), Path("/runs/big"), TWO)
    for part in yaml.safe_load_all(text):
        kubernetes_validate.validate(part, "1.34", strict=True)
    job = job_of(text)
    job["spec"]["template"]["spec"]["subdomains"] = job["metadata"]["name"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job, "1.34", strict=True)


# ---- both


@settings(deadline=None, max_examples=60)
@given(name=NAMES, data=NAMES)
def test_any_name_of_a_folder_is_only_a_name(name, data):
    folder, words = Path("/runs") / name, ["lenet5", "--data", data]
    if not name.isprintable():
        for form in (sbatch, kubernetes):
            with pytest.raises(RunError, match="rename it"):
                form(words, RECIPE, folder, TWO)
        return
    wanted = [*words, "--output", str(folder), "--resume", "auto"]
    assert command_of(sbatch(words, RECIPE, folder, TWO)) == wanted
    text = kubernetes(words, RECIPE, folder, TWO)
    found = container_of(text)["command"]
    assert [word.replace("$$(", "$(") for word in found[found.index("train") + 1 :]] == wanted
    assert not [word for word in found[4:] if re.search(r"(?<!\$)\$\(", word)]
    named = job_of(text)["metadata"]["name"]
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", named) and len(f"{named}-9999") <= 63


TYPED = (
    "train resnet20_cifar --data digits --lr 0.1 --batch-size 96 --no-deterministic --threads 2 "
    "--test-sizes 32 40 --sync-bn"
)


@pytest.mark.parametrize("form", ["sbatch", "k8s"])
def test_the_command_in_a_file_asks_for_what_was_typed(form, tmp_path, capsys):
    typed = [*TYPED.split(), "--output", str(tmp_path / "run")]
    assert run([*typed, "--print", form, "--machines", "2", "--processes", "3"]) == 0
    text = capsys.readouterr().out
    words = command_of(text) if form == "sbatch" else container_of(text)["command"]
    words = words[words.index("resnet20_cifar") :]
    found = app.parse_args(["train", *words], exit_on_error=False, print_error=False)[1]
    wanted = app.parse_args(typed, exit_on_error=False, print_error=False)[1]
    assert found.arguments["flags"] == wanted.arguments["flags"]
    assert found.arguments["output"] == wanted.arguments["output"]
    assert found.arguments["resume"] == "auto"
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--print k8s", "--print needs --output, a folder that all machines see"),
        ("--machines 2", "--machines and --processes say what --print writes; torchrun starts"),
        ("--print k8s --output r --resume r", "leave out --resume r"),
        ("--print sbatch --output r --machines 0", "--machines must be from 1 to 10,000, not 0"),
        ("--print sbatch --output r --processes -1", "--processes must be from 1 to 10,000"),
        (
            "--print sbatch --output r -b 16 --machines 4 --processes 8",
            "a step of 16 images cannot be split over 32 processes; give --batch-size 64 or more",
        ),
    ],
)
def test_what_cannot_be_is_one_sentence(words, said, capsys):
    assert run(["train", "lenet5", *words.split()]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("convatlas: ") and said in error


def test_a_recipe_in_a_file_is_found_from_another_folder(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text('network = "lenet5"\n')
    assert run(["train", "--recipe", "mine.toml", "--output", "r", "--print", "sbatch"]) == 0
    words = command_of(capsys.readouterr().out)
    assert words[:2] == ["--recipe", str(tmp_path / "mine.toml")]
    assert words[2:4] == ["--output", str(tmp_path / "r")]


@pytest.mark.parametrize("in_a_file", [False, True])
def test_images_and_weights_are_found_from_another_folder(tmp_path, capsys, monkeypatch, in_a_file):
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    Path("w.safetensors").touch()
    words = ["--data", "photos", "--weights", "w.safetensors"]
    if in_a_file:
        Path("mine.toml").write_text(
            'network = "lenet5"\ndata = "photos"\nweights = "w.safetensors"'
        )
        words = ["--recipe", "mine.toml"]
    typed = ["train", "lenet5", *words, "--output", "r", "--print", "sbatch"]
    assert run(typed) == 0
    words = command_of(capsys.readouterr().out)
    found = dict(zip(words[1::2], words[2::2], strict=True))
    places = (found["--data"], found["--weights"])
    assert places == (str(tmp_path / "photos"), str(tmp_path / "w.safetensors"))


@pytest.mark.parametrize("is_here", [False, True])
def test_a_set_with_a_name_is_looked_for_where_it_lies(tmp_path, capsys, monkeypatch, is_here):
    monkeypatch.chdir(tmp_path)
    if is_here:
        Path("data").mkdir()
    typed = ["train", "lenet5", "--data", "mnist", "--output", "r", "--print", "sbatch"]
    assert run(typed) == 0
    words = command_of(capsys.readouterr().out)
    assert words[3:-4] == is_here * ["--data-root", str(tmp_path / "data")]


def test_so_few_machines_are_none():
    with pytest.raises(RecipeError, match="--machines must be"):
        Machines(0)
