"""benchmarks/gpu.py on the processor: each check finds what it looks for, and says so where it does
not.
"""

import json
from pathlib import Path

import pytest
import torch

from benchmarks import gpu, gpu_checks
from convatlas.errors import RunError

ROOT = Path(__file__).parents[1]
QUICK = ["--device", "cpu", "--quick"]


def quick(*checks, more=()):
    return gpu.main([*QUICK, *more, *(word for check in checks for word in ("--only", check))])


def test_networks_learn_and_a_resumed_run_has_the_same_bits(capsys):
    assert quick("resume", "networks") == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if "| held |" in line]
    assert len([line for line in lines if line.startswith("| networks |")]) == 12
    assert len([line for line in lines if line.startswith("| resume |")]) == 1


def test_speed_is_measured_and_what_is_missing_is_skipped_in_words(tmp_path, monkeypatch, capsys):
    assert quick("throughput", "seconds-to-accuracy", "autotune") == 0
    out = capsys.readouterr().out
    assert "| digits, lenet_caffe, 90 % | held |" in out
    assert out.count("| autotune |") == 3
    monkeypatch.setattr(gpu_checks, "find_spec", lambda name: None)
    full = gpu_checks.Setting(torch.device("cpu"), False, str(tmp_path), tmp_path)
    (row,) = gpu_checks.throughput(full)
    assert row["why"] == "skipped: timm is not installed"
    (row,) = gpu_checks.seconds_to_accuracy(full)
    assert row["why"].startswith("skipped: mnist is not under")


@pytest.mark.full
def test_one_launched_process_has_the_bits_of_one_without(capsys):
    assert quick("distributed") == 0
    assert "| lenet5, one process, gloo | held |" in capsys.readouterr().out


def test_a_check_that_fails_or_breaks_off_is_a_row_and_the_others_go_on(
    tmp_path, monkeypatch, capsys
):
    def breaks(setting):
        yield {"case": "before", "ok": True}
        raise RunError("no such kernel")

    checks = {
        "first": breaks,
        "second": lambda setting: iter([{"case": "two", "ok": False, "loss": [1.5, 2.5]}]),
    }
    monkeypatch.setattr(gpu, "CHECKS", checks)
    results = tmp_path / "gpu.jsonl"
    assert gpu.main(["--device", "cpu", "--results", str(results)]) == 1
    rows = [json.loads(line) for line in results.read_text().splitlines()]
    assert [(row["case"], row["ok"]) for row in rows] == [
        ("before", True),
        ("first", False),
        ("two", False),
    ]
    assert rows[1]["why"] == "no such kernel"
    assert rows[0]["provenance"]["device"]
    assert "| second | two | FAILED | loss 1.5 -> 2.5 |" in capsys.readouterr().out


def test_a_run_that_is_not_resumed_to_the_same_bits_fails(monkeypatch, tmp_path):
    digests = iter(("a" * 64, "b" * 64))
    monkeypatch.setattr(gpu_checks, "train", lambda *words, **more: None)
    monkeypatch.setattr(gpu_checks, "digest", lambda run: next(digests))
    monkeypatch.setattr(gpu_checks, "small_recipe", lambda setting: gpu_checks.Recipe())
    setting = gpu_checks.Setting(torch.device("cpu"), True, "data", tmp_path)
    (row,) = gpu_checks.resume(setting)
    assert row["ok"] is False


def test_nothing_begins_after_its_time(monkeypatch, capsys):
    checks = {name: lambda setting: iter([{"case": "one", "ok": True}]) for name in "ab"}
    monkeypatch.setattr(gpu, "CHECKS", checks)
    assert gpu.main([*QUICK, "--minutes", "0"]) == 0
    assert capsys.readouterr().out.count("left out: time is up") == 2


def test_without_a_gpu_the_way_to_try_it_is_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="--device cpu --quick"):
        gpu.main([])


def test_the_page_tells_what_was_measured():
    page = (ROOT / "docs" / "speed.md").read_text(encoding="utf-8")
    kept = (ROOT / "benchmarks" / "gpu.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(text) for text in kept.splitlines()]
    told = page.partition("## On a GPU")[2].splitlines()
    assert [line for line in told if line.count("|") == 6][2:] == [gpu.line(row) for row in rows]
    assert not [row for row in rows if row["ok"] is False]
