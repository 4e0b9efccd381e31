"""The ledger of results: exact figures, one recipe a record, nothing twice, earlier lines
untouched.
"""

import json
from fnmatch import fnmatch
from pathlib import Path

import pytest
from made_provenance import SOURCE

from benchmarks import ledger
from benchmarks.ledger import LedgerError
from convatlas import registry
from convatlas.pages.results import read_ledger, results
from convatlas.training import Callback, train
from convatlas.training.recipe import Recipe

ROOT = Path(__file__).parents[1]
KEYS = [
    "network",
    "data",
    "recipe",
    "seeds",
    "n",
    "wrong",
    "error",
    "seconds",
    "hardware",
    "versions",
    "commit",
    "date",
    "paper",
]


@pytest.fixture
def run(tmp_path):
    """A function that makes the folder of a finished run, 1000 test images."""

    def make(
        seed: int,
        correct: int,
        name: str = "",
        source: dict = SOURCE,
        about: dict | None = None,
        **recipe,
    ) -> Path:
        folder = tmp_path / (name or f"run-{seed}")
        folder.mkdir()
        chosen = Recipe(network="lenet5", data="digits", seed=seed).change(**recipe)
        (folder / "recipe.toml").write_text(chosen.to_toml())
        (folder / "metrics.json").write_text(
            json.dumps(
                {
                    "network": chosen.network,
                    "data": chosen.data,
                    "fingerprint": "f00d" * 16,
                    "date": "2026-01-02",
                    "test": {"count": 1000, "correct": correct},
                    "seconds": 10.0 + seed,
                    "provenance": source,
                }
                | (about or {})
            )
        )
        return folder

    return make


def test_mean_and_spread_are_exact(run):
    made = ledger.record([run(2, 984), run(0, 990), run(7, 991)])
    assert made == {
        "network": "lenet5",
        "data": {"name": "digits", "fingerprint": "f00d" * 16},
        "recipe": {},
        "seeds": [0, 2, 7],
        "n": 1000,
        "wrong": [10, 16, 9],
        "error": {"mean": 1.1667, "spread": 0.3786},  # of 1.0, 1.6, 0.9: variance 0.43 / 3
        "seconds": 12.0,
        "hardware": {"device": "Old Faithful 4", "cores": 4, "threads": 1, "processes": 1},
        "versions": {
            "python": "3.11.7",
            "torch": "2.14.1",
            "torchvision": "0.29.1",
            "convatlas": "0.1.0",
        },
        "commit": "0123456789ab",
        "date": "2026-01-02",
        "paper": None,
    }
    assert list(made) == KEYS


def test_one_run_has_no_spread(run):
    made = ledger.record([run(3, 1000)])
    assert made["error"] == {"mean": 0.0, "spread": None}
    assert made["seeds"] == [3]


def test_the_paper_s_figure_is_for_its_own_images_only(run):
    assert ledger.record([run(0, 990, data="mnist")])["paper"] == {
        "error": 0.95,
        "source": "LeCun et al. 1998, Sec. III",
    }
    assert ledger.record([run(1, 990, data="fashion-mnist")])["paper"] is None


@pytest.mark.parametrize(
    ("network", "printed"), [(key[0], value[0]) for key, value in ledger.PRINTED.items()]
)
def test_the_paper_s_figures_are_those_of_its_network_s_file(network, printed):
    assert str(printed) in registry.stored_facts()[network]["paper"]["results"]


def test_a_recipe_is_called_by_its_name_whatever_the_seed_and_the_threads():
    lenet = ledger.builtin.read("lenet5_mnist")
    assert (
        ledger.named(lenet.change(seed=5, threads=2, data_root="elsewhere", workers=3))
        == "lenet5_mnist"
    )
    assert ledger.named(lenet.change(epochs=21, loss="cross-entropy", batch_size=64)) == {
        "epochs": 21,
        "weight_decay": 0.01,
    }
    modern = ledger.builtin.read("modern")
    assert ledger.named(modern.change(network="resnet20_cifar", data="my/images")) == "modern"
    assert ledger.named(modern.change(network="resnet20_cifar", amp=True, lr=1e-3)) == {
        "recipe": "modern",
        "lr": 1e-3,
        "amp": True,
    }
    assert ledger.named(ledger.builtin.read("lenet1989").change(data="digits")) == "lenet1989"


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"lr": 0.5}, "different recipes (lr: 0.002, now 0.5)"),
        ({"network": "lenet1989"}, "different recipes (network"),
        ({"threads": 2}, "different recipes (threads: 0, now 2)"),
        ({"data": "mnist"}, "different recipes (data"),
        ({"about": {"fingerprint": "beef"}}, "differ in their fingerprint (f00d"),
        (
            {"source": {**SOURCE, "commit": "ba9876543210"}},
            "provenance (commit: 0123456789ab, then ba9876543210)",
        ),
        (
            {"source": {**SOURCE, "device": "New One"}},
            "provenance (device: Old Faithful 4, then New One)",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_runs_that_differ_in_more_than_the_seed_are_refused(run, tmp_path, other, words):
    with pytest.raises(LedgerError) as caught:
        ledger.add([run(0, 990), run(1, 991, **other)], tmp_path / "ledger.jsonl")
    assert words in str(caught.value)
    assert not (tmp_path / "ledger.jsonl").exists()


def test_an_unfinished_run_is_refused(run, tmp_path):
    cut = run(1, 991)
    (cut / "metrics.json").unlink()
    with pytest.raises(
        LedgerError, match=r"run-1 has not finished; continue it with convatlas train --resume"
    ):
        ledger.add([run(0, 990), cut], tmp_path / "ledger.jsonl")
    assert not (tmp_path / "ledger.jsonl").exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "recipe.toml").unlink(), "there is no run in"),
        (
            lambda folder: (folder / "recipe.toml").write_text("lr = true"),
            "lr = True must be a finite number",
        ),
        (
            lambda folder: (folder / "metrics.json").write_text("{"),
            "does not say what a record needs",
        ),
        (
            lambda folder: (folder / "metrics.json").write_text("[]"),
            "does not say what a record needs",
        ),
        (
            lambda folder: (folder / "metrics.json").write_text('{"fingerprint": "a"}'),
            "does not say what a record needs",
        ),
    ],
    ids=["none", "recipe", "half", "list", "old"],
)
def test_what_is_no_run_is_one_sentence(run, tmp_path, capsys, spoil, words):
    folder = run(0, 990)
    spoil(folder)
    assert ledger.main(["add", str(folder), "--ledger", str(tmp_path / "ledger.jsonl")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert words in said.err
    assert said.err.count("\n") == 1


def test_the_same_run_is_added_once(run, tmp_path):
    book, first, second = (
        tmp_path / "ledger.jsonl",
        run(0, 990, sizes=(28, 32)),
        run(1, 991, sizes=(28, 32)),
    )
    with pytest.raises(LedgerError, match="seed 0 is given twice"):
        ledger.add([first, first], book)
    ledger.add([first], book)
    kept = book.read_bytes()
    with pytest.raises(LedgerError, match=r"seed 0 of this run is in line 1 of .* already"):
        ledger.add([first, second], book)
    assert book.read_bytes() == kept
    ledger.add([second], book)
    newer = {**SOURCE, "commit": "ba9876543210"}
    ledger.add(
        [run(0, 990, name="newer", source=newer, sizes=(28, 32))], book
    )  # another source: another result
    assert [line["seeds"] for line in ledger.read(book)] == [[0], [1], [0]]


def test_a_run_is_no_other_for_a_line_that_did_not_say_where_its_test_images_are_from(
    run, tmp_path
):
    book = tmp_path / "ledger.jsonl"
    ledger.add([run(0, 990)], book)
    told = {"splits": {"val": "val/", "test": "test/"}}
    with pytest.raises(LedgerError, match="already"):
        ledger.add([run(0, 990, name="again", about=told)], book)
    ledger.add([run(1, 990, about=told)], book)
    assert [line["data"].get("test") for line in ledger.read(book)] == [None, "test/"]
    odd = run(2, 990, about={"splits": ["test/"]})
    with pytest.raises(LedgerError, match="does not say what a record needs"):
        ledger.add([odd], book)


def test_earlier_lines_stay_as_they_are(run, tmp_path):
    book = tmp_path / "results" / "ledger.jsonl"
    ledger.add([run(0, 990)], book)
    odd = book.read_bytes().replace(b", ", b",   ")  # white space that we would not write
    book.write_bytes(odd)
    added = ledger.add([run(1, 991)], book)
    assert book.read_bytes() == odd + json.dumps(added).encode() + b"\n"


@pytest.mark.parametrize(
    ("text", "line"), [("{}\n{", 2), ("{}", 1), ("{}\n\n{}\n", 2), ("[]\n", 1)]
)
def test_a_torn_ledger_is_not_added_to(run, tmp_path, text, line):
    book = tmp_path / "ledger.jsonl"
    book.write_text(text)
    with pytest.raises(LedgerError, match=f"line {line} of ledger.jsonl is no whole record"):
        ledger.add([run(0, 990)], book)
    assert book.read_text() == text


def test_real_runs_become_a_record(tmp_path, capsys):
    recipe = Recipe(network="lenet1989", data="digits", epochs=1, batch_size=256, warmup_epochs=0)
    found = [
        train(recipe.change(seed=seed), tmp_path / str(seed), callback=Callback())
        for seed in (0, 1)
    ]
    book = tmp_path / "ledger.jsonl"
    assert (
        ledger.main(["add", str(tmp_path / "0"), str(tmp_path / "1"), "--ledger", str(book)]) == 0
    )
    (made,) = ledger.read(book)
    assert json.loads(capsys.readouterr().out) == made
    assert made["n"] == 540
    assert made["wrong"] == [540 - metrics["test"]["correct"] for metrics in found]
    assert made["recipe"] == {"epochs": 1, "batch_size": 256, "warmup_epochs": 0.0}
    assert made["data"] == {
        "name": "digits",
        "fingerprint": json.loads((tmp_path / "0" / "model.json").read_text())["provenance"][
            "fingerprint"
        ],
        "test": "540 images, the same for every seed",
    }
    assert made["hardware"]["cores"] >= made["hardware"]["threads"] == 1
    assert made["versions"].keys() == {"python", "torch", "torchvision", "convatlas"}


def test_the_page_says_what_the_ledger_says(run, tmp_path):
    book = tmp_path / "ledger.jsonl"
    ledger.add([run(0, 990, data="mnist"), run(1, 984, data="mnist")], book)
    ledger.add([run(2, 970, epochs=3, sizes=(28, 32))], book)
    text = results(book.read_text())
    assert (
        "| [`lenet5`](papers/lenet5.md) | digits (f00df00df00d) | `epochs = 3`, `sizes = [28, 32]` "
        "| 2 | 1,000 | 3.00 |  | 12 | 1 |"
    ) in text
    assert (
        "| [`lenet5`](papers/lenet5.md) | mnist (f00df00df00d) | the defaults | 0, 1 | 1,000 | "
        "1.30 ± 0.42 | 0.95 (LeCun et al. 1998, Sec. III) | 10 | 1 |"
    ) in text
    assert "2 rows, 3 runs" in text
    assert " ".join(text.split()).endswith(
        "- 1: Old Faithful 4, 4 cores, 1 thread, 1 process; python 3.11.7, torch 2.14.1, "
        "torchvision 0.29.1, convatlas 0.1.0; commit 0123456789ab, 2026-01-02."
    )


def test_the_ledger_that_is_kept_is_sound():
    records = read_ledger((ROOT / "results/ledger.jsonl").read_text())
    for made in records:
        assert list(made) == KEYS
        assert made["network"] in registry.stored_facts()
        assert made["error"] == ledger.errors(made["wrong"], made["n"])
        assert len(made["wrong"]) == len({*made["seeds"]})
        assert fnmatch(made["commit"], "[0-9a-f]" * 12), (
            "a result of changed source cannot be repeated"
        )
        assert "/" not in made["data"]["name"]
        printed = ledger.PRINTED.get((made["network"], made["data"]["name"]))
        assert made["paper"] == (printed and {"error": printed[0], "source": printed[1]})
