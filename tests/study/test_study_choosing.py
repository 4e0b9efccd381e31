"""Which setting goes on to the test images."""

import json

import pytest
from runs_of_a_study import DIGITS, make, planned

from convatlas.study import choosing, plan
from convatlas.study.plan import Asked, line_of
from convatlas.training.recipe import Recipe

RATES = [0.1, 0.2, 0.3]


@pytest.fixture
def study(tmp_path):
    asked = Asked(("lenet5", "nin"), (DIGITS,), 2, vary={"lr": RATES})
    runs = [
        (line_of(recipe, DIGITS, {"lr": lr}), recipe)
        for seed in range(2)
        for network in asked.networks
        for lr in RATES
        for recipe in [Recipe(network=network, lr=lr, seed=seed, epochs=3)]
    ]
    plan.write(tmp_path / "study", asked, runs)
    return tmp_path / "study"


def trained(study, figures: dict) -> list:
    """Runs of these best validation accuracies: (network, lr) -> one for each seed."""
    lines = plan.read(study)
    for line in lines:
        score = figures[line.network, line.vary["lr"]][line.seed]
        if score is not None:
            make(study, line, [0.1, score, 0.05])
    return lines


FIGURES = {
    ("lenet5", 0.1): (0.90, 0.80),
    ("lenet5", 0.2): (0.86, 0.88),  # the best mean, though not the best run
    ("lenet5", 0.3): (0.50, 0.50),
    ("nin", 0.1): (0.7, 0.7),
    ("nin", 0.2): (0.7, 0.7),
    ("nin", 0.3): (0.99, None),  # a seed of it has failed
}


def test_the_best_mean_over_the_seeds_is_chosen_for_each_network(study):
    chosen = choosing.choose(study, trained(study, FIGURES))
    picked = [(line.network, line.vary["lr"], line.seed) for line in chosen]
    assert picked == [("lenet5", 0.2, 0), ("nin", 0.1, 0), ("lenet5", 0.2, 1), ("nin", 0.1, 1)]


def test_chosen_json_says_by_which_figures(study):
    choosing.choose(study, trained(study, FIGURES))
    told = json.loads((study / "chosen.json").read_text())
    assert told["rule"] == "the best mean validation accuracy over all seeds; of equals the first"
    of_lenet5, of_nin = told["choices"]
    assert (of_lenet5["network"], of_lenet5["data"]) == ("lenet5", "digits")
    assert of_lenet5["chosen"] == {"lr": 0.2}
    assert of_lenet5["settings"][0] == {
        "vary": {"lr": 0.1},
        "validation": [0.9, 0.8],
        "mean": pytest.approx(0.85),
    }
    assert of_nin["settings"][2] == {"vary": {"lr": 0.3}, "validation": [0.99, None], "mean": None}


def test_a_choice_stays_once_it_is_made(study):
    """For the test images of its runs may have been looked at."""
    lines = trained(study, FIGURES)
    first = choosing.choose(study, lines)
    late = next(line for line in lines if (line.network, line.vary["lr"]) == ("nin", 0.3))
    other = next(line for line in lines if line.setting == late.setting and line.seed == 1)
    make(study, other, [0.99, 0.99, 0.99])
    assert choosing.choose(study, lines) == first
    told = json.loads((study / "chosen.json").read_text())
    assert told["choices"][1]["settings"][2]["mean"] == pytest.approx(0.99)


def test_a_network_of_which_nothing_is_whole_has_no_choice_yet(study):
    figures = FIGURES | {("nin", rate): (0.5, None) for rate in RATES}
    lines = trained(study, figures)
    assert {line.network for line in choosing.choose(study, lines)} == {"lenet5"}
    assert {run.partition("-")[0] for run in choosing.unchosen(study, lines)} == {"lenet5"}


def test_test_images_choose_nothing(study):
    """Whatever metrics.json says: only the log's validation accuracies count."""
    lines = trained(study, FIGURES)
    for line in lines:
        line.folder(study).mkdir(exist_ok=True)
        best = {"accuracy": line.vary["lr"], "correct": 1, "count": 1}
        (line.folder(study) / "metrics.json").write_text(json.dumps({"test": best}))
    assert {line.vary["lr"] for line in choosing.choose(study, lines)} == {0.2, 0.1}


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"choices": [{"chosen": {}}]}', '{"choices": [3]}', '{"choices": 3}']
)
def test_what_is_no_record_of_choices_is_none(study, text):
    lines = trained(study, FIGURES)
    first = choosing.choose(study, lines)
    (study / "chosen.json").write_text(text)
    assert choosing.unchosen(study, lines) == frozenset()
    assert choosing.choose(study, lines) == first


def test_without_settings_all_runs_go_on_and_nothing_is_written(tmp_path):
    lines = planned(tmp_path / "study", [Recipe(network="lenet5")])
    assert choosing.choose(tmp_path / "study", lines) == lines
    assert not (tmp_path / "study" / "chosen.json").exists()
