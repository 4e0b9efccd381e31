"""What notebooks show: sound HTML, with the figures of the records."""

from html.parser import HTMLParser

import pytest
import torch.nn as nn

import convatlas
from convatlas.anatomy import diff, summary
from convatlas.answer import Prediction
from convatlas.cli.differences import compared
from convatlas.notebook import Bar, folded, heading, paragraph, table
from convatlas.shapes_only import shapes_only


class Reader(HTMLParser):
    """The cells of all tables, and whether every element is closed in its turn."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.rows: list[list[str]] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data
        if {"td", "th"} & {*self.open}:
            self.rows[-1][-1] += data


def shown(record) -> Reader:
    return Reader(record._repr_html_())


@pytest.fixture(scope="module")
def lenet():
    with shapes_only():
        return convatlas.create_model("lenet_caffe")


def test_a_summary_is_its_folded_table_with_shares(lenet):
    found = summary(lenet)
    page = shown(found)
    assert f"{found.params:,} parameters, {found.macs:,} MACs" in page.text
    assert sum(int(row[4].replace(",", "") or 0) for row in page.rows[1:]) == found.params
    shares = [float(row[6].split()[0]) for row in page.rows[1:] if row[6]]
    assert sum(shares) == pytest.approx(100, abs=0.3)
    assert str(found) in page.text


def test_a_difference_is_its_sentences_and_its_changes():
    found = compared("resnet50", "resnet50_v15")
    page = shown(found)
    assert found.summary in page.text
    assert page.rows[0][3:5] == ["resnet50", "resnet50_v15"]
    assert page.rows[1][:5] == ["conv3-5_x.0", "branch.conv1", "1x1 conv", "stride 2", "stride 1"]
    assert len(page.rows) == 3


def test_networks_that_are_the_same_have_no_table(lenet):
    assert shown(diff(lenet, lenet)).rows == []


def test_a_cost_is_its_words_and_shares():
    page = shown(convatlas.cost("mobilenet_v1"))
    assert "94.9 % are in 1x1 convolutions" in page.text
    assert page.rows[1][:2] == ["1x1", "94.9 % "]


def test_a_network_is_its_stages(lenet):
    page = shown(lenet)
    assert page.text.startswith("lenet_caffereads 1x28x28; ")
    assert [row[0] for row in page.rows[1:]] == [*lenet.stages, lenet.classifier_path]
    lenet.fc2 = nn.Identity()  # whatever was done to it
    assert shown(lenet)


def test_a_prediction_is_its_classes_or_its_problem():
    page = shown(Prediction("cat.jpg", ("cat", "dog"), (0.75, 0.25)))
    assert page.rows[1:] == [["cat", "75.0 % "], ["dog", "25.0 % "]]
    assert "is no picture" in shown(Prediction("a.txt", problem="is no picture")).text


def test_what_others_named_is_no_markup():
    evil = "<script>alert('&')</script>"
    html = heading(evil, evil) + paragraph(evil) + folded(evil, evil) + table((evil,), [(evil,)])
    page = Reader(html)
    assert "<script" not in html
    assert page.text.count(evil) == 7


def test_a_share_of_nothing_is_empty():
    assert (Bar(0.0), Bar(0.0).html) == ("", "")
