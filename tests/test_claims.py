"""What the papers print, the networks do; and the judge itself can say no."""
from dataclasses import replace
from decimal import Decimal

import pytest

from convatlas import registry
from convatlas.paper import Claim
from convatlas.verify import Unmeasurable, judge, ledger, parse, verify


@pytest.mark.parametrize("name", registry.catalogue())
def test_no_claim_fails(name):
    assert [verdict for verdict in verify(name) if verdict.status == "fails"] == []


def test_the_ledger_counts_all_verdicts():
    verdicts = verify("resnet50") + verify("resnet20_cifar") + verify("alexnet")
    count = ledger(verdicts)
    assert (count.papers, count.networks, count.claims) == (2, 3, len(verdicts))
    assert count.holds + count.errata + count.fails == count.claims
    assert count.fails == 0


def test_verify_knows_its_networks():
    with pytest.raises(registry.UnknownNetwork, match="resnet50"):
        verify("resnet5O")


@pytest.mark.parametrize(("printed", "value", "tolerance"), [
    ("3.8e9", "3800000000", "100000000"), ("11.3e9", "11300000000", "100000000"), ("0.27M", "270000", "10000"),
    ("133M", "133000000", "1000000"), ("60 million", "60000000", "1000000"), ("1.5 billion", "1.5e9", "1e8"),
    ("60,000", "60000", "0"), ("2578", "2578", "0"), ("340,908", "340908", "0"), ("50", "50", "0"),
    ("585M", "585000000", "1000000"), ("4e9", "4e9", "1e9"), ("500K", "500000", "1000"), ("3.4", "3.4", "0.1"),
])
def test_one_unit_in_the_last_printed_digit(printed, value, tolerance):
    number = parse(printed)
    assert (number.value, number.tolerance) == (Decimal(value), Decimal(tolerance))


@pytest.mark.parametrize("printed", ["", "many", "3.8x9", "1,00", "60.000.000", "-5", "3.8 e9", "25 percent", "0.27 m"])
def test_what_is_no_number_is_refused(printed):
    with pytest.raises(Unmeasurable, match="cannot read the number"):
        parse(printed)


def one(claim: Claim):
    verdict, = judge("resnet50", [claim])
    return verdict


@pytest.mark.parametrize(("claim", "status", "measured"), [
    (Claim("madds", "3.8e9", ""), "holds", "3.86e9"), (Claim("madds", "3.9e9", ""), "holds", "3.86e9"),
    (Claim("madds", "3.7e9", ""), "fails", "3.86e9"), (Claim("madds", "4.0e9", ""), "fails", "3.86e9"),
    (Claim("params", "25.6M", ""), "holds", "25.56M"), (Claim("params", "25 million", ""), "holds", "25.6 million"),
    (Claim("params", "25,557,032", ""), "holds", "25,557,032"),
    (Claim("params", "25,557,033", ""), "fails", "25,557,032"),
    (Claim("params", "9408", "", "conv1.conv.conv"), "holds", "9,408"),
    (Claim("params", "9536", "", "conv1"), "holds", "9,536"),
    (Claim("connections", "9,408", "", "conv2_x.0"), "fails", "231,211,008"),
    (Claim("layers", "50", ""), "holds", "50"), (Claim("layers", "9", "", "conv2_x"), "holds", "9"),
    (Claim("layers", "3", "", "conv3_x.0"), "holds", "3"), (Claim("units", "200704", "", "pool1"), "holds", "200,704"),
    (Claim("size", "56x56", "", "conv2_x"), "holds", "56x56"),
    (Claim("size", "256x56x56", "", "conv2_x"), "holds", "256x56x56"),
    (Claim("size", "28x28", "", "conv2_x"), "fails", "56x56"),
    (Claim("size", "64x56x56", "", "conv2_x"), "fails", "256x56x56"),
    (Claim("size", "3x224x224", "", "input"), "holds", "3x224x224"),
])
def test_judgement(claim, status, measured):
    verdict = one(claim)
    assert (verdict.status, verdict.measured) == (status, measured)


@pytest.mark.parametrize(("claim", "words"), [
    (Claim("madds", "a lot", ""), "cannot read the number 'a lot'"),
    (Claim("size", "56", "", "conv2_x"), "cannot read the size"),
    (Claim("params", "1", "", "conv6_x"), "no part 'conv6_x' runs"),
    (Claim("size", "1x1", "", "conv6_x"), "no part 'conv6_x'"),
    (Claim("speed", "1", ""), "cannot measure 'speed'"),
])
def test_what_cannot_be_measured_fails_in_words(claim, words):
    for verdict in (one(claim), one(replace(claim, erratum="so there"))):
        assert (verdict.status, verdict.value) == ("fails", None)
        assert words in verdict.reason


def test_an_erratum_excuses_only_what_is_wrong():
    wrong, right = Claim("madds", "4.4e9", "", erratum="a misprint"), Claim("madds", "3.8e9", "", erratum="a misprint")
    assert one(wrong).status == "erratum"
    assert one(right).status == "fails"
    assert "erratum without cause" in one(right).reason
