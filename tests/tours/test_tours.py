"""The guided tours: every figure is worked out anew from the index, every link leads to something
that is there, and both languages tell the same.
"""

import re
import tomllib
from pathlib import Path

import prose
import pytest
import vocabulary

from convatlas.explorer import tours
from convatlas.nets.lenet5 import S2_TO_C3
from convatlas.registry import stored_facts

TOURS = Path(__file__).parents[2] / "docs" / "tours"
FIGURES = tomllib.loads((TOURS / "figures.toml").read_text(encoding="utf-8"))
NAMES = tours.names()
WORDS = ("labels", "zh")  # of the file, that are no figures
SOURCES = [
    (name, figure, expression)
    for name, table in FIGURES.items()
    for part in (table, table.get("zh", {}))
    for figure, expression in part.items()
    if figure not in WORDS
]
EVERY = [(name, language) for language in tours.FOLDERS for name in NAMES]


def shown(value: int | float | str, figure: str) -> str:
    """A value as a figure of so many decimals is written, without commas."""
    if isinstance(value, str):
        return value
    return f"{value:.{len(figure.partition('.')[2])}f}"


@pytest.mark.parametrize(("name", "figure", "expression"), SOURCES)
def test_a_figure_is_what_the_index_gives(name, figure, expression):
    assert shown(vocabulary.worked_out(expression), figure) == figure.replace(",", "")


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_each_figure_of_a_tour_has_a_source(name, language):
    found = set(prose.figures(tours.text(name, language)))
    known = FIGURES[name].keys() - WORDS | set(FIGURES[name].get("labels", ()))
    own = FIGURES[name].get("zh", {}).keys() if language == "zh" else set()
    assert found - known - own == set()
    assert (known | own) - found == set() if language == "en" else own - found == set()


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_links_lead_somewhere(name, language):
    folder = TOURS / tours.FOLDERS[language]
    for text, target, address in prose.links(tours.text(name, language)):
        assert (folder / target).is_file(), target
        if address and "claim:" not in address:
            network, _, unit = tours.resolved(address).partition("#")
            assert not unit or unit in vocabulary.paths(network), f"{text}: {address}"
        if address:
            networks = tours.resolved(address).partition("#")[0].split("..")
            pages = {stored_facts()[network]["paper"]["page"] for network in networks}
            assert Path(target).stem in pages, f"{address} leads to {target}, not to {pages}"


@pytest.mark.parametrize("name", NAMES)
def test_both_languages_show_the_same_places(name):
    english, chinese = (
        sorted(
            link.address or Path(link.target).name for link in prose.links(tours.text(name, each))
        )
        for each in ("en", "zh")
    )
    assert english == chinese
    titles = [re.findall(r"^#+ ", tours.text(name, each), re.MULTILINE) for each in ("en", "zh")]
    assert titles[0] == titles[1]


def test_there_are_ten_tours_in_both_lists():
    files = {file.stem for file in TOURS.glob("*.md")} - {"README"}
    assert len(NAMES) == 10
    assert set(NAMES) == set(tours.names("zh")) == set(FIGURES) == files


@pytest.mark.parametrize("name", NAMES)
def test_a_tour_takes_ten_minutes(name):
    text = prose.LINK.sub(r"\1", tours.text(name).replace("\n", " "))
    assert 500 <= len(re.findall(r"[A-Za-z]+", text)) <= 900
    chinese = re.findall(r"[\u4e00-\u9fff]", tours.text(name, "zh"))
    assert 750 <= len(chinese) <= 1500


@pytest.mark.parametrize("language", tours.FOLDERS)
def test_the_table_of_c3_is_the_one_that_is_built(language):
    rows = re.findall(r"^\| S2[^|]*\|(.*)\|$", tours.text("c3_table", language), re.MULTILINE)
    crosses = [[cell.strip() == "X" for cell in row.split("|")] for row in rows]
    assert crosses == [[at in read for read in S2_TO_C3] for at in range(6)]


@pytest.mark.parametrize(
    "address", ["resnet51", "resnet50..", "lenet5#claim:speed", "resnet50..resnet51", "Lenet"]
)
def test_an_address_of_nothing_is_refused(address):
    with pytest.raises(ValueError, match=r"no address|no printed number|no network") as refused:
        tours.resolved(address)
    assert len(str(refused.value).splitlines()) == 1


def test_a_number_that_does_not_hold_is_meant_before_one_that_does():
    claims = stored_facts()["mobilenet_v1"]["claims"]
    number = int(tours.resolved("mobilenet_v1#claim:stride of conv14.dw").rpartition("-")[2])
    assert claims[number - 1]["part"] == "conv14.dw"
    assert claims[number - 1]["status"] == "misprint"


def test_a_list_points_to_its_tours_and_to_the_other_list():
    page = tours.page("README", "zh").decode()
    assert page.count('href="../index.html"') == 1
    assert 'href="shuffle.html"' in page
    assert "data-document" not in page


def test_a_page_points_into_the_site():
    page = tours.page("mobilenet", "zh").decode()
    assert 'href="../../networks/mobilenet_v1.html#conv8.dw"' in page
    assert 'data-address="mobilenet_v1#conv8.dw"' in page
    assert 'href="../../diff.html?a=mobilenet_v1&amp;b=mobilenet_v1_shallow"' in page
    assert '<a data-document="docs/guidelines.md">' in page
    assert 'href="../../tours/mobilenet.html"' in page
    assert ".md" not in page.replace('data-document="docs/guidelines.md"', "")
