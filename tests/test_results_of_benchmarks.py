"""benchmarks/results.py: lines are added, and a page changes between its marks only."""

from pathlib import Path

import pytest

from benchmarks import results


def test_what_is_kept_comes_back_in_order(tmp_path):
    ledger = tmp_path / "speed.jsonl"
    assert results.stored(ledger) == []
    rows = [{"network": "lenet5", "ms": 1.5}, {"network": "größer"}]
    for row in rows:
        results.keep(row, ledger)
    assert results.stored(ledger) == rows


def test_a_page_changes_between_its_marks_only(tmp_path):
    page = tmp_path / "speed.md"
    begin = "before\n<!-- figures of benchmarks/speed.jsonl -->\n"
    page.write_text(f"{begin}old\n{results.END}\nafter\n")
    results.show("new", Path("any/speed.jsonl"), page)
    assert page.read_text() == f"{begin}\nnew\n\n{results.END}\nafter\n"


@pytest.mark.parametrize(
    "text",
    [
        "no marks",
        f"another's <!-- figures of benchmarks/x.jsonl -->\n{results.END}",
        f"{results.END}\nthe wrong way round\n<!-- figures of benchmarks/speed.jsonl -->",
    ],
)
def test_a_page_without_marks_is_left_as_it_is(tmp_path, text):
    page = tmp_path / "speed.md"
    page.write_text(text)
    with pytest.raises(ValueError, match="no place for figures: <!-- figures of benchmarks/speed"):
        results.show("new", Path("speed.jsonl"), page)
    assert page.read_text() == text
