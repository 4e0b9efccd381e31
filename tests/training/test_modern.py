"""benchmarks/modern.py: what it tries, what it says, and that it goes on where it stopped."""

import json
from pathlib import Path

import convatlas
from benchmarks import modern
from benchmarks.results import stored
from convatlas.registry import create_model, stored_facts
from convatlas.shapes_only import shapes_only


def test_a_network_of_every_file_is_tried_at_a_legal_side():
    files = {file.stem for file in (Path(convatlas.__file__).parent / "nets").glob("[a-z]*.py")}
    names = modern.chosen()
    assert {stored_facts()[name]["family"] for name in names} == files and len(names) == len(
        set(names)
    )
    assert {"alexnet", "vgg11", "googlenet"} < set(names)
    assert "resnet20_cifar" in names and "resnet32_cifar" not in names
    for name in names:
        pixels = modern.short(name, {}).size
        with shapes_only():
            create_model(name).check_size(pixels, pixels)


def test_the_cheapest_comes_first():
    costs = [modern.cost(name, modern.side(name)) for name in modern.chosen()]
    assert costs == sorted(costs)


def test_a_run_reaches_the_bar_and_is_not_done_twice(tmp_path, monkeypatch, capsys):
    file = tmp_path / "results.jsonl"
    words = ["--epochs", "4", "--lr", "2e-3", "--results", str(file)]
    monkeypatch.setattr(modern, "chosen", lambda: ["lenet1989_zip"])
    modern.main(words)
    first = capsys.readouterr().out
    result = json.loads(file.read_text())
    assert result["steps"] == 4 * 70 and result["times_chance"] == 10 * result["accuracy"] > 3
    assert "| `lenet1989_zip` | 16 | 1,131 | 4 | 280 |" in first
    assert first.endswith("Networks: 1, all above 3 x chance.\n")
    modern.main(words)
    assert "epoch" not in capsys.readouterr().out.partition("| network")[0]
    assert len(file.read_text().splitlines()) == 1


def test_a_run_that_fails_is_done_again_and_longer(tmp_path, capsys):
    file = tmp_path / "results.jsonl"
    modern.main(["lenet1989_zip", "--epochs", "1", "--lr", "1e-7", "--results", str(file)])
    assert [json.loads(line)["epochs"] for line in file.read_text().splitlines()] == [
        1,
        modern.LONGER,
    ]
    assert "not above 3 x chance: lenet1989_zip" in capsys.readouterr().out


def test_a_network_at_chance_is_named():
    result = {
        "network": "vgg11",
        "side": 224,
        "images": 1131,
        "epochs": 1,
        "steps": 70,
        "lr": 1e-2,
        "seconds": 9.0,
        "accuracy": 0.3,
        "times_chance": 3.0,
        "provenance": {"device": "a", "threads": 1, "torch": "b", "python": "c", "system": "d"},
    }
    assert modern.table({"vgg11": result}).endswith("not above 3 x chance: vgg11.")


def test_the_page_of_recipes_shows_the_last_run_of_each_network():
    page = (Path(modern.__file__).parent.parent / "docs/recipes.md").read_text()
    results = {
        result["network"]: result for result in stored(Path(modern.__file__).with_suffix(".jsonl"))
    }
    rows = modern.table(results).partition("\n\n")[0]
    assert set(results) <= set(stored_facts())
    assert rows in page
    assert f"All {len(results)} are above three times chance." in page
    assert min(result["times_chance"] for result in results.values()) > modern.PASSED
