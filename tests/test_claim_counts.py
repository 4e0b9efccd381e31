"""Other ways of counting, bounds, comparisons with another network, heads that run in training; and
what was read of each paper.
"""

from pathlib import Path

import pytest

from convatlas import registry
from convatlas.claim import Claim, counted_otherwise
from convatlas.verification import judge

SOURCES = (Path(__file__).parents[1] / "docs" / "sources.md").read_text(encoding="utf-8")


def one(network: str, claim: Claim):
    (verdict,) = judge(network, [claim])
    return verdict


@pytest.mark.parametrize(
    ("network", "quantity", "printed"),
    [
        ("resnet50", "macs with norms", "3,868,560,384"),  # + 10,587,136 values of norms
        ("resnet50", "macs without the last layer", "3,855,925,248"),  # - 2048 x 1000
        ("resnet50", "params with statistics, no scales", "25,583,592"),  # + 26,560 channels
        ("mobilenet_v2", "macs without the last layer", "299,494,272"),  # - 1280 x 1000
        ("convnext_isotropic_small", "params without norms", "22,294,120"),  # - 2 x 384 x 19
        ("convnext_isotropic_small", "macs with norms", "4,287,722,880"),  # + 384 (18 x 196 + 1)
    ],
)
def test_another_count_is_what_its_name_says(network, quantity, printed):
    claim = Claim(quantity, printed, "", remark=counted_otherwise("as its table does"))
    assert one(network, claim).status == "counted otherwise"


@pytest.mark.parametrize(
    ("network", "claim", "status", "measured"),
    [
        ("lenet1989_zip", Claim("neurons", "1000", ""), "holds", "1,000"),  # 768 + 192 + 30 + 10
        ("lenet1989_zip", Claim("neurons and inputs", "1256", ""), "holds", "1,256"),
        ("lenet1989_zip", Claim("neurons and inputs", "1255", ""), "fails", "1,256"),
        ("googlenet", Claim("layers and pools", "27", ""), "holds", "27"),
        ("googlenet", Claim("layers and pools", "22", ""), "fails", "27"),
        ("mobilenet_v3_small", Claim("gates", "9", ""), "holds", "9"),
        ("mobilenet_v3_small", Claim("gates", "0", "", "bneck2"), "holds", "0"),
        ("mobilenet_v3_small", Claim("gates", "1", "", "bneck2"), "fails", "0"),
        ("mobilenet_v2", Claim("expansion", "6", "", "bottleneck3.*.expand"), "holds", "6"),
        ("mobilenet_v2", Claim("expansion", "4", "", "bottleneck3.*.expand"), "fails", "6"),
    ],
)
def test_counts_of_neurons_pools_gates_and_expansions(network, claim, status, measured):
    verdict = one(network, claim)
    assert (verdict.status, verdict.measured) == (status, measured)


def test_only_a_1x1_convolution_has_an_expansion():
    verdict = one("mobilenet_v2", Claim("expansion", "9", "", "bottleneck3.*.depthwise"))
    assert (verdict.status, "has a expansion" in verdict.reason) == ("fails", True)


@pytest.mark.parametrize(
    ("printed", "status"),
    [
        ("less than 26 million", "holds"),  # 25,557,032
        ("less than 25 million", "fails"),
        ("more than 25 million", "holds"),
        ("more than 26 million", "fails"),
        ("about 25 million", "fails"),
    ],
)
def test_a_bound_holds_on_its_side(printed, status):
    assert one("resnet50", Claim("params", printed, "")).status == status


@pytest.mark.parametrize(
    ("claim", "status", "measured"),
    [
        (Claim("params", "20x", "", than="resnet50", truncated=True), "holds", "20.5x"),
        (Claim("params", "19x", "", than="resnet50"), "fails", "20.5x"),
        (Claim("params", "20.47x", "", than="resnet50"), "holds", "20.471x"),
        (Claim("macs", "4.6x", "", at="224x224", than="resnet50"), "fails", "4.71x"),
        (Claim("macs", "4.7x", "", at="224x224", than="resnet50"), "holds", "4.71x"),
    ],
)
def test_how_many_times_as_much_another_network_has(claim, status, measured):
    verdict = one("squeezenet1_0", claim)  # 1,248,424 parameters; 819 million multiply-adds
    assert (verdict.status, verdict.measured) == (status, measured)


def test_a_network_that_is_compared_with_must_exist():
    verdict = one("squeezenet1_0", Claim("params", "20x", "", than="resnet5O"))
    assert (verdict.status, "no network called 'resnet5O'" in verdict.reason) == ("fails", True)


@pytest.mark.parametrize(
    ("claim", "status"),
    [
        (Claim("size", "512x4x4", "", "aux_4a.pool", at="in training"), "holds"),
        (Claim("size", "528x4x4", "", "aux_4d.pool", at="in training"), "holds"),
        (Claim("size", "512x4x4", "", "aux_4d.pool", at="in training"), "fails"),
        (Claim("size", "512x4x4", "", "aux_4a.pool"), "fails"),
        (Claim("params", "13,378,280", "", at="in training"), "holds"),
    ],
)
def test_auxiliary_heads_run_in_training(claim, status):
    assert one("googlenet", claim).status == status


def test_a_network_without_heads_says_so():
    verdict = one("resnet50", Claim("params", "25,557,032", "", at="in training"))
    assert (verdict.status, "no auxiliary heads" in verdict.reason) == ("fails", True)


PAPERS = [entry.paper for entry in registry.entries().values()]
FINDABLE = {paper.page for paper in PAPERS if paper.arxiv or paper.venue or paper.code}


@pytest.mark.parametrize("page", sorted(FINDABLE))
def test_what_was_read_of_a_paper_is_told(page):
    assert SOURCES.count(f"](papers/{page}.md) |") == 1


def test_every_claim_names_a_place():
    claims = [claim for entry in registry.entries().values() for claim in entry.claims]
    assert [claim for claim in claims if not claim.source] == []
