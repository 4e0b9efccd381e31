"""The program as a person starts it: answers, sentences instead of tracebacks, exit codes."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image
from program import convatlas

from convatlas.cli import run
from convatlas.model_file import load_model


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run folder of a few epochs on the digits, made by the command line."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    made = convatlas("train", "lenet5", "--epochs", 4, "--output", folder)
    assert made.returncode == 0, made.stderr
    return folder, made.stdout


def save_test_images(folder: Path, run_folder: Path, count: int) -> list[Path]:
    from convatlas.data import open_data

    test, paths = open_data("digits").test, []
    for i in range(count):
        paths.append(folder / f"{i}-is-{int(test.labels[i])}.png")
        Image.fromarray(test.read(i)[0].numpy()).save(paths[-1])
    return paths


def test_training_says_what_it_does_line_by_line(finished):
    folder, out = finished
    lines = out.splitlines()
    assert lines[0] == "recipe: lenet5_digits, built in"
    assert lines[1] == (
        "lenet5, 60,000 parameters, on digits: 10 classes, 1x32x32 pixels (the smallest legal side "
        "is 32)"
    )
    assert lines[2].startswith("classes: 0 112, 1 114, 2 112, 3 115, ")
    assert lines[3].startswith(
        "images: 1,131 to train, 126 to validate, 540 to test once at the end; fingerprint "
    )
    assert lines[4] == (
        f"4 epochs of 35 steps on {'cuda' if torch.cuda.is_available() else 'cpu'}; new run in "
        f"{folder}"
    )
    assert re.fullmatch(
        r"forecast: about [\d,]+ MB of memory, [\d.]+ s an epoch, [\d.]+ s in all .*", lines[5]
    )
    assert lines[-5].startswith("epoch 4/4  loss ")
    assert lines[-4].startswith("test accuracy ") and "of 540 images" in lines[-4]
    assert lines[-3] == f"the run lies in {folder}; next:"


def test_training_ends_with_commands_that_can_be_typed(finished):
    """As they stand there, comment and all, they answer."""
    _, out = finished
    commands = [shlex.split(line, comments=True) for line in out.splitlines()[-2:]]
    assert [words[:2] for words in commands] == [["convatlas", "eval"], ["convatlas", "predict"]]
    answers = [convatlas(*words[1:]) for words in commands]
    assert [answer.returncode for answer in answers] == [0, 0]
    assert "540 test images" in answers[0].stdout
    assert len(answers[1].stdout.splitlines()) == 8


def test_a_name_that_means_another_network_elsewhere_is_noted_before_training(capsys):
    assert run(["train", "resnet50", "--epochs", "0"]) == 2
    assert capsys.readouterr().out.splitlines()[0] == (
        "note: torchvision's and timm's resnet50 is resnet50_v15 here"
    )


def test_eval_repeats_the_figure_of_the_run(finished):
    folder, _ = finished
    metrics = json.loads((folder / "metrics.json").read_text())
    answer = json.loads(convatlas("eval", folder, "--json").stdout)
    assert answer["correct"] == metrics["test"]["correct"]
    assert answer["confusion"] == metrics["confusion"]
    text = convatlas("eval", folder).stdout
    assert f"({metrics['test']['correct']} right, {540 - metrics['test']['correct']} wrong)" in text


def test_eval_shows_the_crops_that_were_asked_for(finished):
    folder, _ = finished
    answer = json.loads(
        convatlas("eval", folder, "--crops", "10", "--sizes", 36, 40, "--json").stdout
    )
    assert (answer["crops"], answer["sizes"], answer["count"]) == ("10", [36, 40], 540)
    assert sum(row["correct"] for row in answer["per_class"]) == answer["correct"] > 150
    assert [row["class"] for row in answer["per_class"]] == list("0123456789")
    assert sum(row["count"] for row in answer["calibration"]) == 540
    off = (
        sum(
            row["count"] * abs(row["accuracy"] - row["confidence"]) for row in answer["calibration"]
        )
        / 540
    )
    assert answer["calibration_error"] == pytest.approx(off)
    text = convatlas("eval", folder, "--crops", "10", "--sizes", "36", "40").stdout
    assert "540 test images, 10 crops at 36, 40 pixels" in text
    assert f"expected calibration error, 15 equal bins: {100 * off:.2f} %" in text
    assert "right when answered" in text


def test_predict_on_files_is_predict_on_the_set(finished, tmp_path):
    """The same image through a PNG and from memory gives the same probabilities."""
    folder, _ = finished
    paths = save_test_images(tmp_path, folder, 3)
    lines = convatlas("predict", folder, tmp_path, "--json", "--top", 10).stdout.splitlines()
    answers = [json.loads(line) for line in lines]
    assert [Path(answer["image"]).name for answer in answers] == sorted(path.name for path in paths)
    saved = load_model(folder)
    from convatlas.data import open_data, read_image

    test = open_data("digits").test
    for i, path in enumerate(paths):
        assert torch.equal(read_image(path), test.read(i))
    answer = answers[0]
    assert sum(entry["probability"] for entry in answer["classes"]) == pytest.approx(1)
    logits = saved.net(saved.preprocess.normalise(saved.preprocess.fit_image(test.read(0))[None]))
    assert answer["classes"][0]["probability"] == pytest.approx(
        float(logits.detach().softmax(1).max()), rel=1e-5
    )


def test_one_broken_image_is_named_and_the_others_are_answered(finished, tmp_path):
    good = save_test_images(tmp_path, finished[0], 2)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 not much of a JPEG")
    answer = convatlas("predict", finished[0], *good, broken)
    assert answer.returncode == 1
    lines = answer.stdout.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith(str(broken))
    assert all("%" in line for line in lines[:2])


def test_predict_on_its_own_test_images_shows_the_truth(finished):
    lines = convatlas("predict", finished[0], "--test", 5).stdout.splitlines()
    assert len(lines) == 5
    assert all("(truth: " in line for line in lines)


def test_eval_on_other_classes_is_refused(finished, tmp_path):
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(4):
            Image.new("L", (28, 28), 10 * i).save(tmp_path / name / f"{i}.png")
    answer = convatlas("eval", finished[0], "--data", tmp_path)
    assert answer.returncode == 1
    assert "images of 'cat', 'dog', which the network does not know" in answer.stderr
    assert "it knows '0', '1', '2'" in answer.stderr


USAGE = [
    (("train", "lenet55"), "no network called 'lenet55'; did you mean lenet5"),
    (("show", "resnet5"), "no network called 'resnet5'; did you mean resnet"),
    (
        ("verify", "nothing-like-it"),
        "no network called 'nothing-like-it'; `convatlas list` shows them all",
    ),
    (("train",), "which network?"),
    (("train", "lenet5", "--epochs", "0"), "epochs = 0 is not allowed; allowed: 1 to 1000000"),
    (("train", "lenet5", "--lr", "fast"), "--lr"),
    (
        ("train", "lenet5", "--epoch", "3"),
        "did you mean --epochs (passes over the training images)",
    ),
    (("train", "lenet5", "--sched", "step"), "needs milestones"),
    (("train", "--recipe", "nowhere.toml"), "cannot read the recipe nowhere.toml"),
    (("train", "--recipe", "lenet5_mnits"), "did you mean lenet5_mnist"),
    (("train", "lenet5", "--resume", "no-such-run"), "there is no run in no-such-run"),
    (("train", "lenet5", "--resume", "auto"), "--resume auto needs --output"),
    (("predict", "somewhere"), "which images?"),
    (("predict", "somewhere", "--top", "0"), "--top must be 1 or more"),
    (("fly",), "fly"),
    (("train", "lenet5", "--opt", "lion"), "allowed: sgd | adam | adamw"),
]


@pytest.mark.parametrize(("words", "says"), USAGE, ids=lambda value: " ".join(value)[:60])
def test_wrong_usage_is_one_sentence_and_exit_code_2(words, says, capsys):
    assert run(list(words)) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.startswith("convatlas: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error


FAILURES = [
    (("train", "lenet5", "--data", "no-such-folder"), "no-such-folder"),
    (("train", "lenet5", "--data", "mnist", "--data-root", "no-such-root"), "--download"),
    (("train", "alexnet", "--size", "64"), "alexnet reads images from 224x224"),
    (("predict", "no-such-run", "image.png"), "image.png"),
    (("eval", "no-such-run"), "give the folder of a finished run"),
    (("train", "lenet5", "--test-crops", "dense"), "lenet5 cannot be evaluated densely"),
    (("train", "lenet5", "--test-sizes", "20"), "give sizes of 32 or more"),
]


@pytest.mark.parametrize(("words", "says"), FAILURES, ids=lambda value: " ".join(value)[:60])
def test_a_failure_is_one_sentence_and_exit_code_1(words, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(list(words)) == 1
    error = capsys.readouterr().err
    assert says in error
    assert error.startswith("convatlas: ")
    assert "Traceback" not in error
    assert not list(tmp_path.iterdir())


def test_debug_shows_where():
    answer = convatlas("train", "lenet5", "--data", "no-such-folder", "--debug")
    assert answer.returncode == 1
    assert "Traceback" in answer.stderr


def test_an_empty_flat_or_single_class_folder_shows_the_layout(tmp_path, capsys):
    for number, make in enumerate(
        (
            lambda f: None,
            lambda f: Image.new("L", (9, 9)).save(f / "a.png"),
            lambda f: (f / "only").mkdir(),
        )
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        make(folder)
        assert run(["train", "lenet5", "--data", str(folder)]) == 1
        assert str(folder) in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_leaves_with_75_and_the_command_to_go_on(tmp_path, number):
    folder = tmp_path / "run"
    words = [
        sys.executable,
        "-m",
        "convatlas",
        "train",
        "lenet1989",
        "--epochs",
        "500",
        "--output",
        str(folder),
    ]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (folder / "log.jsonl").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 75
    assert f"stopped by {signal.Signals(number).name} at step" in error
    assert f"convatlas train --resume {folder}" in error
    assert list((folder / "checkpoints").glob("step-*"))
    again = convatlas("train", "--resume", folder, "--lr", 0.5)
    assert again.returncode == 1
    assert "another recipe (lr: 0.002, now 0.5)" in again.stderr


def test_killed_and_resumed_ends_with_the_same_bits(tmp_path):
    """The short form of benchmarks/kill_resume.py: SIGKILL three times, with a save a step."""
    root = Path(__file__).parents[1]
    script = [
        sys.executable,
        "-m",
        "benchmarks.kill_resume",
        "--kills",
        "3",
        "--seed",
        "1",
        "--",
        "lenet1989",
        "--epochs",
        "6",
        "-b",
        "32",
        "--shift",
        "2",
    ]
    answer = subprocess.run(
        script,
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "unreadable: 0, mixed: 0, stopped: 3" in answer.stdout
    assert "final sha256 equal" in answer.stdout


@pytest.mark.parametrize(
    "words",
    ["list", "list --json", "show resnet152 --layers", "--help", "train --help", "recipes modern"],
)
def test_a_reader_that_leaves_ends_the_program_well(words):
    """head takes one line; the pipe as a whole succeeds, and nobody sees a traceback."""
    line = f"set -o pipefail; {shlex.quote(sys.executable)} -m convatlas {words} | head -1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("\n") == 1
