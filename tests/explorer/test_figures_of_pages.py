"""Every figure on a page of a network is the index's: facts, each row of the table, each claim."""

import pytest
from html_pages import Element, read

from convatlas import registry
from convatlas.anatomy import Layer, fold
from convatlas.anatomy.table import by
from convatlas.explorer import networks

NAMES = list(registry.stored_facts())


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_those_of_the_index(name):
    facts, page = registry.describe(name), read(networks.page(name))
    assert wrong_facts(page, facts) == []
    assert wrong_rows(page, facts["layers"]) == []
    assert wrong_claims(page, facts["claims"]) == []


def wrong_facts(page: Element, facts: dict) -> list[str]:
    shown = [each.text() for each in page.one("dl", class_="facts").all("dd")]
    idle = [f"{facts['idle']:,}"] if facts["idle"] else []
    expected = [
        f"{facts['params']:,}",
        *idle,
        f"{facts['macs']:,}",
        str(facts["depth"]),
        by(facts["input_size"]),
        f"{facts['num_classes']:,}",
    ]
    return [] if shown == expected else [f"{shown} for {expected}"]


def wrong_rows(page: Element, layers: dict) -> list[str]:
    shown = [
        [cell.text() for cell in row.all("td")[:5]]
        for row in page.one("section", class_="units").one("tbody").all("tr")
    ]
    lines = fold(map(Layer.from_row, layers["rows"]), layers["ends"])
    expected = [
        [
            line.made_of,
            by(line.output),
            f"{line.params:,}" if line.params else "",
            f"{line.macs:,}" if line.macs else "",
            str(line.receptive_field or ""),
        ]
        for line in lines
    ]
    return [f"{a} for {b}" for a, b in zip(shown, expected, strict=True) if a != b]


def wrong_claims(page: Element, claims: list[dict]) -> list[str]:
    wrong = []
    for number, claim in enumerate(claims, 1):
        text = page.one("span", id=f"claim-{number}").text()
        tokens = [claim["printed"], claim["part"]]
        if claim["status"] != "holds":
            tokens += [claim["status"], claim["measured"] or "nothing"]
        if any(token not in text for token in tokens) or (
            (claim["status"] == "holds") != text.endswith("✓")
        ):
            wrong.append(f"claim-{number} reads {text!r}")
    return wrong


def test_a_wrong_figure_is_seen():
    facts = registry.describe("lenet5")
    text = networks.page("lenet5").decode()
    assert wrong_facts(read(text.replace("60,000", "60,001").encode()), facts)
    assert wrong_rows(read(text.replace("117,600", "117,601").encode()), facts["layers"])
    assert wrong_claims(read(text.replace("340,908", "340,909").encode()), facts["claims"])
