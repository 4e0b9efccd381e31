"""The files of a report: figures as computed anew from the answers, and bytes that depend on
nothing else.
"""

import csv
import io
import json
import re
import shutil
from html.parser import HTMLParser

import numpy as np
import pytest
from made_provenance import SOURCE
from made_runs import draw, make_run
from markdown_it import MarkdownIt

from convatlas import cli
from convatlas.errors import ReportError
from convatlas.reporting import report

ERRORS = {"lenet5": 0.2, "lenet_caffe": 0.05, "resnet20_cifar": 0.06}


def answers_of(network: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    number = [*ERRORS].index(network)
    return draw(10 * number + seed, error=ERRORS[network])


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Three networks of six runs each, and one run that is not finished."""
    home = tmp_path_factory.mktemp("study")
    for network in ERRORS:
        for seed in range(6):
            truth, answers = answers_of(network, seed)
            name = home / "runs" / f"{network}-{seed}"
            make_run(name, network, seed, truth=truth, answers=answers, seconds=10.0 + seed)
    make_run(home / "runs" / "late", "lenet5", 9, truth=[0], answers=[0], is_finished=False)
    return home


@pytest.fixture(scope="module")
def files(study, tmp_path_factory):
    """Each file of the report, by name."""
    place = tmp_path_factory.mktemp("report")
    return {path.name: path.read_text() for path in report(study, place)}


def rows(text: str) -> list[dict]:
    return list(csv.DictReader(io.StringIO(text)))


def test_every_form_is_written(files):
    assert files.keys() == {
        *("report.html", "report.csv", "report-runs.csv", "report.json", "report.tex", "report.md")
    }


def test_errors_are_those_of_the_answers(files):
    """Computed here from the drawn answers, with numpy alone."""
    found = {row["network"]: row for row in rows(files["report.csv"])}
    means = {}
    for network, row in found.items():
        wrong = np.array([np.mean(np.not_equal(*answers_of(network, seed))) for seed in range(6)])
        means[network] = wrong.mean()
        assert float(row["error"]) == pytest.approx(wrong.mean(), rel=1e-7)
        assert float(row["sd"]) == pytest.approx(wrong.std(ddof=1), rel=1e-7)
        assert float(row["seconds"]) == 12.5
        assert (row["runs"], row["test_pictures"]) == ("6", "200")
    assert [*found] == sorted(means, key=means.get)  # best first


def test_every_run_has_a_line(files):
    found = rows(files["report-runs.csv"])
    assert len(found) == 18
    for row in found:
        truth, answers = answers_of(row["network"], int(row["seed"]))
        assert int(row["wrong"]) == np.sum(truth != answers)
        assert row["device"] == SOURCE["device"] and row["commit"] == SOURCE["commit"]


def test_parameters_are_those_of_the_network_as_trained(files):
    """On one channel of 32 pixels and ten classes; of LeNet-5 the paper's 60,000."""
    from convatlas import create_model

    params = {row["network"]: row["params"] for row in rows(files["report.csv"])}
    net = create_model("resnet20_cifar", num_classes=10, in_channels=1)
    assert params["lenet5"] == "60000"
    assert params["resnet20_cifar"] == str(sum(p.numel() for p in net.parameters()))


def test_there_is_one_calibration_error(files):
    """That of the runs: the curve of all together would have another, which is less."""
    errors = {row["network"]: float(row["calibration_error"]) for row in rows(files["report.csv"])}
    for each in json.loads(files["report.json"])["data_sets"][0]["networks"]:
        mean = np.mean([run["calibration_error"] for run in each["runs"]])
        assert errors[each["network"]] == pytest.approx(mean)
        assert each["calibration"].keys() == {
            *("edges", "counts", "accuracy", "confidence", "log_loss")
        }


def test_pictures_classes_and_confusions_are_those_of_the_answers(files):
    found = json.loads(files["report.json"])["data_sets"][0]
    wrong, confused = {}, {}
    for network in ERRORS:
        pairs = [answers_of(network, seed) for seed in range(6)]
        truth = pairs[0][0]
        wrong[network] = np.array([truth != answers for _, answers in pairs])
        confused[network] = np.zeros((10, 10))
        for _, answers in pairs:
            np.add.at(confused[network], (truth, answers), 1 / 6)
    every = np.concatenate([*wrong.values()]).all(0)
    assert found["pictures"]["runs"] == 18
    assert found["pictures"]["wrong_in_all"] == every.sum() >= 3
    shown = [each["image"] for each in found["pictures"]["shown"]]
    assert shown == [f"digits/{i}" for i in np.flatnonzero(every)]
    for each in found["networks"]:
        name = each["name"]
        np.testing.assert_allclose(each["confusion"], confused[name], atol=1e-9)
        by_class = [wrong[name][:, truth == label].mean() for label in range(10)]
        np.testing.assert_allclose(each["class_errors"], by_class, atol=1e-9)
    for pair in found["pictures"]["disputed"]:
        a, b = pair["pair"]
        for each in pair["shown"]:
            i = int(each["image"].partition("/")[2])
            assert each["wrong"] == [wrong[a][:, i].mean(), wrong[b][:, i].mean()]
    first = found["confusions"][0]
    a, b = (confused[name] for name in first["pair"])
    apart = np.abs(a - b) * (1 - np.eye(10))
    strongest = first["pictures_of_a_run"][0]
    place = int(strongest["class"]), int(strongest["answer"])
    assert apart[place] == apart.max()
    np.testing.assert_allclose(strongest["counts"], [a[place], b[place]])


def test_the_answer_is_the_same_in_every_form(files):
    found = json.loads(files["report.json"])["data_sets"][0]
    assert "better than lenet5" in found["verdict"]
    told = MarkdownIt().parseInline(files["report.md"].split("\n\n")[1])[0].children
    assert "".join(each.content for each in told) == found["verdict"]
    assert found["verdict"].replace("_", "\\_").replace("-", "{-}") in files["report.tex"]
    assert found["verdict"] in texts(files["report.html"])


def test_what_is_not_finished_is_said(files):
    found = json.loads(files["report.json"])["data_sets"][0]["unfinished"]
    assert [run["name"] for run in found] == ["late"]
    assert "1 run without a result yet." in files["report.md"]
    assert "Not in the figures" in texts(files["report.html"])


def test_the_same_folders_give_the_same_bytes(study, files, tmp_path):
    """In whatever order they are given, and wherever they lie."""
    moved = tmp_path / "moved elsewhere"
    shutil.copytree(study, moved)
    given = sorted((moved / "runs").iterdir(), reverse=True)
    again = {path.name: path.read_text() for path in report(given, tmp_path / "again")}
    assert again == files


def test_without_times_two_studies_that_differ_in_nothing_else_are_equal(tmp_path):
    texts = []
    for number in range(2):
        home = tmp_path / str(number)
        for seed in range(2):
            truth, answers = draw(seed)
            about = {"seconds": 5.0 + number, "date": f"2026-11-2{number}"}
            folder = make_run(
                home / "runs" / f"r{seed}", seed=seed, truth=truth, answers=answers, **about
            )
            log = (folder / "log.jsonl").read_text()
            (folder / "log.jsonl").write_text(re.sub(r"\d+\.0}", f"{number}.5}}", log))
        texts.append([path.read_text() for path in report(home, times=False)])
        shown = [path.read_text() for path in report(home)]
        assert f"2026-11-2{number}" in "".join(shown)
    assert texts[0] == texts[1]


def test_answers_are_paired_by_picture_in_whatever_order(tmp_path):
    for name, order in (("as it is", np.arange(200)), ("turned", np.arange(200)[::-1])):
        for seed in range(2):
            truth, answers = draw(seed)
            images = np.array([f"digits/{i}" for i in range(200)])
            number = order if seed else np.arange(200)
            about = {"truth": truth[number], "answers": answers[number], "images": images[number]}
            make_run(tmp_path / name / "runs" / f"r{seed}", seed=seed, **about)
        report(tmp_path / name)
    first, second = (tmp_path / name / "report.json" for name in ("as it is", "turned"))
    assert first.read_text() == second.read_text()


def test_answers_to_other_pictures_are_not_paired(tmp_path):
    for seed in range(2):
        truth, answers = draw(seed)
        images = [f"digits/{i + seed}" for i in range(200)]
        make_run(
            tmp_path / "runs" / f"r{seed}", seed=seed, truth=truth, answers=answers, images=images
        )
    report(tmp_path, formats=["json"])
    found = json.loads((tmp_path / "report.json").read_text())["data_sets"][0]
    assert found["pictures"] is None
    assert found["networks"][0]["calibration"] is not None  # which needs no pairs


def texts(page: str) -> str:
    """What a reader reads of a page, with single spaces."""
    parts = []
    parser = HTMLParser()
    parser.handle_data = parts.append
    parser.feed(page)
    return " ".join("".join(parts).split())


def test_recipes_of_one_network_are_told_apart(tmp_path):
    for lr in (0.1, 0.01):
        for seed in range(2):
            truth, answers = draw(seed, error=lr)
            name = tmp_path / "runs" / f"{lr}-{seed}"
            make_run(name, seed=seed, truth=truth, answers=answers, changes={"lr": lr})
    report(tmp_path, formats=["csv", "json"])
    names = {row["setting"] for row in rows((tmp_path / "report.csv").read_text())}
    assert names == {"lr = 0.1", "lr = 0.01"}
    found = json.loads((tmp_path / "report.json").read_text())["data_sets"][0]
    assert {each["name"] for each in found["networks"]} == {f"lenet5 ({name})" for name in names}


def test_several_data_sets_are_ranked(tmp_path):
    for number, data in enumerate(("digits", "mnist", "kmnist")):
        for network in ERRORS:
            truth, answers = draw(number, error=ERRORS[network])
            name = tmp_path / "runs" / f"{network}-{data}"
            make_run(name, network, truth=truth, answers=answers, data=data)
    files = {path.name: path.read_text() for path in report(tmp_path)}
    found = json.loads(files["report.json"])
    assert [each["data"] for each in found["data_sets"]] == ["digits", "kmnist", "mnist"]
    assert found["ranking"]["names"][-1] == "lenet5"
    assert "Which network is better on 3 data sets?" in texts(files["report.html"])


def test_a_baseline(study, tmp_path):
    report(study, tmp_path, formats=["json"], against="lenet5")
    pairs = json.loads((tmp_path / "report.json").read_text())["data_sets"][0]["pairs"]
    assert len(pairs) == 2 and all("lenet5" in (p["ahead"], p["behind"]) for p in pairs)
    with pytest.raises(ReportError, match="no finished run of 'lenet4' on digits"):
        report(study, tmp_path, against="lenet4")


@pytest.mark.parametrize("networks", [["lenet5"], ["lenet5", "lenet_caffe"]])
@pytest.mark.parametrize("has_answers", [True, False])
def test_a_single_seed_has_a_report_and_no_verdict(tmp_path, networks, has_answers):
    for network in networks:
        truth, answers = draw(0, error=ERRORS[network])
        about = {"truth": truth, "answers": answers, "has_answers": has_answers, "epochs": 1}
        make_run(tmp_path / "runs" / network, network, **about)
    files = {path.name: path.read_text() for path in report(tmp_path)}
    assert not re.search(r"\bnan\b", "".join(files.values()), re.IGNORECASE)
    found = json.loads(files["report.json"])["data_sets"][0]
    assert not any(pair["better"] for pair in found["pairs"])
    assert found["networks"][0]["error"]["sd"] is None
    assert (found["pictures"] is None) == (not has_answers)


def test_a_network_without_errors_has_a_report(tmp_path):
    truth, _ = draw(0)
    for seed in range(6):
        make_run(tmp_path / "runs" / f"r{seed}", seed=seed, truth=truth, answers=truth)
    files = {path.name: path.read_text() for path in report(tmp_path)}
    assert "answered rightly by at least one of the 6 runs" in texts(files["report.html"])
    assert rows(files["report.csv"])[0]["error"] == "0"


def test_nothing_finished_is_a_page_too(tmp_path):
    make_run(tmp_path / "runs" / "a", truth=[0], answers=[0], is_finished=False)
    files = {path.name: path.read_text() for path in report(tmp_path)}
    assert "No run is finished yet" in texts(files["report.html"])
    assert len(rows(files["report.csv"])) == 0


def test_the_command_says_the_answer_and_where_it_is(study, tmp_path, capsys):
    words = ["report", str(study), "-o", str(tmp_path), "--format", "csv,markdown"]
    assert cli.run([*words, "--without-times"]) == 0
    said = capsys.readouterr().out
    assert "better than lenet5" in said
    assert f"written: {tmp_path / 'report.md'}" in said
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.csv",
        "report-runs.csv",
        "report.md",
    }
    assert "seconds" not in (tmp_path / "report.csv").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "which runs?"),
        (["nowhere"], "there is no folder nowhere"),
        (["STUDY", "--format", "pdf"], "there is no format 'pdf'; the formats are html, csv"),
        (["STUDY", "--against", "vgg16"], "--against is one of"),
        (["STUDY", "-o", "FILE"], "cannot write"),
    ],
)
def test_what_goes_wrong_is_one_sentence(study, tmp_path, monkeypatch, capsys, words, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("")
    assert cli.run(["report", *(str(study) if word == "STUDY" else word for word in words)]) == 1
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
