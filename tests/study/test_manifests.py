"""A plan as files for Kubernetes and for Slurm."""

import re
import shlex
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from runs_of_a_study import planned, seeds
from skips import needs

from convatlas.errors import RunError
from convatlas.study import jobs, manifests


def study_of(folder: Path, **fields) -> tuple[list, Path]:
    return planned(folder, seeds(3, **fields)), folder


def kubernetes(lines, study, at_once=0) -> dict:
    return yaml.safe_load(manifests.kubernetes(lines, study, at_once))


def directives(script: str) -> dict[str, str]:
    rows = re.findall(r"^#SBATCH --([a-z-]+)(?:=(.*))?$", script, re.MULTILINE)
    return {name: " ".join(shlex.split(value)) for name, value in rows}


def test_a_pod_for_each_line(tmp_path):
    job = kubernetes(*study_of(tmp_path / "study"))
    assert (job["kind"], job["apiVersion"]) == ("Job", "batch/v1")
    spec = job["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 3, 3)
    container = spec["template"]["spec"]["containers"][0]
    place = str(tmp_path / "study")
    assert container["command"] == ["python", "-m", "convatlas.study.carrying", place]
    assert container["volumeMounts"] == [{"name": "work", "mountPath": place}]
    assert container["resources"] == {"requests": {"cpu": 1, "memory": "2Gi"}}


def test_a_pod_that_has_saved_is_made_anew_and_one_that_failed_is_not(tmp_path):
    spec = kubernetes(*study_of(tmp_path / "study"))["spec"]
    rules = spec["podFailurePolicy"]["rules"]
    codes = {
        rule["action"]: rule["onExitCodes"]["values"] for rule in rules if "onExitCodes" in rule
    }
    assert codes == {"Ignore": [75, 143], "FailIndex": [1, 2]}
    assert [rule["action"] for rule in rules if "onPodConditions" in rule] == ["Ignore"]
    assert spec["template"]["spec"]["restartPolicy"] == "Never"  # a failure policy asks for it
    names = {container["name"] for container in spec["template"]["spec"]["containers"]}
    assert {
        rule["onExitCodes"]["containerName"] for rule in rules if "onExitCodes" in rule
    } == names


def test_both_ask_for_what_a_run_needs(tmp_path):
    lines, study = study_of(tmp_path / "study", threads=3, workers=2, device="cuda")
    resources = kubernetes(lines, study, 2)["spec"]["template"]["spec"]["containers"][0][
        "resources"
    ]
    assert resources["requests"]["cpu"] == 5 and resources["limits"] == {"nvidia.com/gpu": 1}
    assert kubernetes(lines, study, 2)["spec"]["parallelism"] == 2
    asked = directives(manifests.sbatch(lines, study, 2))
    assert (asked["cpus-per-task"], asked["gpus"], asked["array"]) == ("5", "1", "0-2%2")


def test_a_damaged_recipe_is_for_its_own_run_to_tell(tmp_path):
    lines, study = study_of(tmp_path / "study", threads=3)
    (study / "recipes" / f"{lines[0].run}.toml").write_text("threads = [")
    (study / "recipes" / f"{lines[1].run}.toml").unlink()
    needs = [jobs.needs_of(study, line) for line in lines]
    assert needs == [(1, False), (1, False), (3, False)]


def test_a_job_of_slurm_for_each_line(tmp_path):
    lines, study = study_of(tmp_path / "study")
    script = manifests.sbatch(lines, study)
    asked = directives(script)
    assert asked["array"] == "0-2" and "requeue" in asked and asked["signal"] == "USR1@120"
    assert "gpus" not in asked
    assert (
        f"srun --cpus-per-task=1 {sys.executable} -m convatlas.study.carrying {study}\n" in script
    )
    assert asked["output"] == f"{study}/slurm-%A_%a.txt"


@pytest.mark.parametrize("form", [manifests.sbatch, manifests.kubernetes])
def test_both_say_how_to_go_on(tmp_path, form):
    lines, study = study_of(tmp_path / "a study")
    assert f"#   convatlas compare --continue '{study}'\n" in form(lines, study)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30
)
@given(
    name=st.text(
        st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=40
    ).filter(lambda name: name not in (".", ".."))
)
def test_any_name_of_a_folder_is_only_a_name(tmp_path, name):
    """It reaches the command as one word, and begins no line of its own, or it is refused."""
    lines, _ = study_of(tmp_path / "study")
    study = tmp_path / "study" / ".." / "named" / name
    recipes = tmp_path / "study" / "recipes"
    study.mkdir(parents=True, exist_ok=True)
    if not (study / "recipes").exists():
        (study / "recipes").symlink_to(recipes)
    if not name.isprintable():
        for form in (manifests.sbatch, manifests.kubernetes):
            with pytest.raises(RunError, match="rename it"):
                form(lines, study)
        return
    job = kubernetes(lines, study)
    assert job["spec"]["template"]["spec"]["containers"][0]["command"][-1] == str(study)
    assert re.fullmatch(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", job["metadata"]["name"])
    assert len(job["metadata"]["name"]) <= 63
    script = manifests.sbatch(lines, study)
    command = script.partition("\nsrun ")[2].partition("\ncode=$?\n")[0]
    assert shlex.split(command)[-1] == str(study)
    head = script.partition("\n\nsrun ")[0]
    assert all(row.startswith("#") for row in head.split("\n"))


@needs("kubernetes-validate is not installed", "kubernetes_validate")
def test_kubernetes_own_schema_accepts_it(tmp_path):
    import kubernetes_validate

    for fields in ({}, {"device": "cuda"}):
        job = kubernetes(*study_of(tmp_path / str(len(fields)), **fields))
        kubernetes_validate.validate(job, "1.34", strict=True)
        job["spec"]["podFailurePolicy"]["rules"][0]["onExitCode"] = {}
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(job, "1.34", strict=True)
