"""What the papers print, the networks do; and the judge itself can say no."""

from dataclasses import replace
from decimal import Decimal

import pytest
import torchvision

from convatlas import registry
from convatlas.claim import (
    Claim,
    Remark,
    counted_otherwise,
    misprint,
    not_explained,
    table,
    within_one_unit,
)
from convatlas.claim_sources import KINDS, SOURCES
from convatlas.errors import ClaimError, UnknownNetwork
from convatlas.verification import judge, ledger, measure, parse, verify


@pytest.mark.parametrize("name", registry.entries())
def test_no_claim_fails(name):
    """As the index has it: that the networks are measured so still, tests/test_golden.py sees."""
    stored = registry.stored_facts()[name]["claims"]
    assert [claim for claim in stored if claim["status"] == "fails"] == []


def test_the_ledger_counts_all_verdicts():
    verdicts = verify("resnet50") + verify("resnet20_cifar") + verify("alexnet")
    count = ledger(verdicts)
    own = [verdict for verdict in verdicts if not verdict.claim.by]
    assert (count.papers, count.networks, count.claims) == (2, 3, len(own))
    assert sum(count.own.values()) == len(own)
    assert sum(count.others.values()) == len(verdicts) - len(own) > 0
    assert count.fails == 0


def test_verify_knows_its_networks():
    with pytest.raises(UnknownNetwork, match="resnet50"):
        verify("resnet5O")


@pytest.mark.parametrize(
    ("printed", "value", "unit"),
    [
        ("3.8e9", "3800000000", "100000000"),
        ("11.3e9", "11300000000", "100000000"),
        ("0.27M", "270000", "10000"),
        ("133M", "133000000", "1000000"),
        ("60 million", "60000000", "1000000"),
        ("1.5 billion", "1.5e9", "1e8"),
        ("60,000", "60000", "0"),
        ("2578", "2578", "0"),
        ("340,908", "340908", "0"),
        ("50", "50", "0"),
        ("585M", "585000000", "1000000"),
        ("4e9", "4e9", "1e9"),
        ("500K", "500000", "1000"),
        ("3.4", "3.4", "0.1"),
        ("4.8MB", "5033164.8", "104857.6"),
        ("94.86%", "0.9486", "0.0001"),
        ("1,448M", "1448000000", "1000000"),
    ],
)
def test_the_unit_of_the_last_printed_digit(printed, value, unit):
    number = parse(printed)
    assert (number.value, number.unit_of_last) == (Decimal(value), Decimal(unit))


@pytest.mark.parametrize(
    "printed", ["", "many", "3.8x9", "1,00", "60.000.000", "-5", "3.8 e9", "25 percent", "0.27 m"]
)
def test_what_is_no_number_is_refused(printed):
    with pytest.raises(ClaimError, match="cannot read the number"):
        parse(printed)


def one(claim: Claim):
    (verdict,) = judge("resnet50", [claim])
    return verdict


@pytest.mark.parametrize(
    ("claim", "status", "measured"),
    [
        (Claim("macs", "3.8e9", ""), "fails", "3.86e9"),
        (Claim("macs", "3.9e9", ""), "holds", "3.86e9"),
        (Claim("macs", "3.8e9", "", truncated=True), "holds", "3.86e9"),
        (Claim("macs", "3.9e9", "", truncated=True), "fails", "3.86e9"),
        (Claim("macs", "3.86e9", ""), "holds", "3.858e9"),
        (Claim("macs", "3.7e9", ""), "fails", "3.86e9"),
        (Claim("macs", "4.0e9", ""), "fails", "3.86e9"),
        (Claim("params", "25.6M", ""), "holds", "25.56M"),
        (Claim("params", "26 million", ""), "holds", "25.6 million"),
        (Claim("params", "25,557,032", ""), "holds", "25,557,032"),
        (Claim("params", "25,557,033", ""), "fails", "25,557,032"),
        (Claim("params", "9408", "", "conv1.conv.conv"), "holds", "9,408"),
        (Claim("params", "9536", "", "conv1"), "holds", "9,536"),
        (Claim("connections", "9,408", "", "conv2_x.0"), "fails", "231,211,008"),
        (Claim("layers", "50", ""), "holds", "50"),
        (Claim("layers", "9", "", "conv2_x"), "holds", "9"),
        (Claim("layers", "3", "", "conv3_x.0"), "holds", "3"),
        (Claim("units", "200704", "", "pool1"), "holds", "200,704"),
        (Claim("size", "56x56", "", "conv2_x"), "holds", "56x56"),
        (Claim("size", "256x56x56", "", "conv2_x"), "holds", "256x56x56"),
        (Claim("size", "28x28", "", "conv2_x"), "fails", "56x56"),
        (Claim("size", "64x56x56", "", "conv2_x"), "fails", "256x56x56"),
        (Claim("size", "3x224x224", "", "input"), "holds", "3x224x224"),
        (Claim("flops", "7,715,946,496", ""), "holds", "7,715,946,496"),
        (Claim("bytes", "97MB", ""), "holds", "97.5MB"),
        (Claim("bytes", "99MB", ""), "fails", "97.5MB"),
        (Claim("params", "3,158,016", "", "*.conv3"), "fails", "5,060,096"),
        (Claim("params", "5,060,096", "", "*.conv3"), "holds", "5,060,096"),
        (Claim("params", "2,359,296", "", "conv5_x.*.conv2.conv"), "fails", "7,077,888"),
        (Claim("share of params", "8.02%", "", "fc"), "holds", "8.017%"),
        (Claim("share of macs", "3.1%", "", "conv1"), "holds", "3.06%"),
        (Claim("share of macs", "3.2%", "", "conv1"), "fails", "3.06%"),
        (Claim("share of params", "100%", ""), "holds", "100.0%"),
        (Claim("share of its macs in 1x1", "47.1%", "", "conv2_x.1"), "holds", "47.06%"),
        (Claim("share of its macs in 1x1", "47.2%", "", "conv2_x.1"), "fails", "47.06%"),
        (Claim("channels", "256", "", "conv2_x"), "holds", "256"),
        (Claim("channels", "64", "", "conv2_x"), "fails", "256"),
        (Claim("bytes in 16 bits", "1.5MB", "", "conv2_x"), "holds", "1.53MB"),
        (Claim("macs", "2.8e9", "", at="192x192"), "holds", "2.83e9"),
        (Claim("macs", "2.8e9", "", at="160x160"), "fails", "1.97e9"),
        (Claim("macs", "3.8e9", "", at="192x192"), "fails", "2.83e9"),
        (Claim("size", "48x64", "", "conv2_x", at="192x256"), "holds", "48x64"),
        (Claim("params", "23.5M", "", at="10 classes"), "holds", "23.53M"),
        (Claim("params", "23.5M", "", at="1000 classes"), "fails", "25.56M"),
        (Claim("params", "3136", "", "conv1.conv.conv", at="1x224x224"), "holds", "3,136"),
        (Claim("params", "6272", "", "conv1.conv.conv", at="1x224x224"), "fails", "3,136"),
        (Claim("size", "1x96x96", "", "input", at="1x96x96, 10 classes"), "holds", "1x96x96"),
        (Claim("units", "10", "", at="1x96x96, 10 classes"), "holds", "10"),
    ],
)
def test_judgement(claim, status, measured):
    verdict = one(claim)
    assert (verdict.status, verdict.measured) == (status, measured)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (Claim("macs", "a lot", ""), "cannot read the number 'a lot'"),
        (Claim("size", "56", "", "conv2_x"), "cannot read the size"),
        (Claim("params", "1", "", "conv6_x"), "no part 'conv6_x' runs"),
        (Claim("size", "1x1", "", "conv6_x"), "no part 'conv6_x'"),
        (Claim("speed", "1", ""), "cannot measure 'speed'"),
        (Claim("params", "1", "", "*.conv9"), "no part '*.conv9' runs"),
        (Claim("layers", "1", "", "*.conv3"), "no part '*.conv3' runs"),
        (Claim("params", "1", "", at="large images"), "cannot read the condition 'large images'"),
        (Claim("params", "1", "", at="10 classes, 96x96"), "cannot read the condition"),
        (Claim("params", "1", "", at="160"), "cannot read the condition '160'"),
        (Claim("params", "1", "", at="0 classes"), "cannot read the condition '0 classes'"),
    ],
)
def test_what_cannot_be_measured_fails_in_words(claim, words):
    for verdict in (one(claim), one(replace(claim, remark=misprint("so there")))):
        assert (verdict.status, verdict.value) == ("fails", None)
        assert words in verdict.reason


def test_a_condition_that_the_network_cannot_meet_fails_in_words():
    (verdict,) = judge("vgg16", [Claim("macs", "1", "", remark=misprint("so there"), at="160x160")])
    assert (verdict.status, verdict.value) == ("fails", None)
    assert "vgg16 reads images from 224x224" in verdict.reason


def test_auxiliary_heads_count_where_the_claim_says_so():
    alone, both = judge(
        "googlenet",
        [Claim("params", "6,998,552", ""), Claim("params with heads", "13,378,280", "")],
    )
    assert (alone.status, both.status) == ("holds", "holds")


@pytest.mark.parametrize("at", ["", "224x224", "1000 classes"])
@pytest.mark.parametrize("remark", [misprint, not_explained])
def test_a_remark_excuses_only_what_is_wrong(at, remark):
    wrong, right = (
        Claim("macs", printed, "", at=at, remark=remark("why")) for printed in ("4.4e9", "3.9e9")
    )
    assert one(wrong).status == remark("").kind
    assert one(right).status == "fails"
    assert "a remark without cause" in one(right).reason


@pytest.mark.parametrize(
    ("printed", "status", "reason"),
    [
        ("3.8e9", "within one unit", ""),  # 3.858e9
        ("3.9e9", "fails", "without cause"),
        ("3.7e9", "fails", "off by 1.58 units"),
        ("4.1e9", "fails", "off by 2.42 units"),
    ],
)
def test_within_one_unit_is_more_than_half_and_no_more_than_one(printed, status, reason):
    verdict = one(Claim("macs", printed, "", remark=within_one_unit("a round number")))
    assert (verdict.status, reason in verdict.reason) == (status, True)


@pytest.mark.parametrize(
    ("quantity", "printed", "status", "reason"),
    [
        ("params with statistics", "25,610,152", "counted otherwise", ""),
        ("params without norms", "25,503,912", "counted otherwise", ""),
        ("weights", "25,502,912", "counted otherwise", ""),
        ("params in 1024s", "24958K", "counted otherwise", ""),
        ("macs of convolutions", "3,855,925,248", "counted otherwise", ""),
        ("params with statistics", "25.6M", "fails", "by the usual count too"),
        ("params without norms", "25,557,032", "fails", "by the usual count too"),
        ("params without norms", "25,557,033", "fails", "not hold by that count either"),
        ("params", "25,557,032", "fails", "is the usual count"),
    ],
)
def test_counted_otherwise_holds_by_the_count_it_names_alone(quantity, printed, status, reason):
    verdict = one(Claim(quantity, printed, "", remark=counted_otherwise("as its table does")))
    assert (verdict.status, reason in verdict.reason) == (status, True)


def test_another_count_than_the_usual_needs_its_remark():
    verdict = one(Claim("params without norms", "25,503,912", ""))
    assert verdict.status == "fails"
    assert "is not the usual count" in verdict.reason


def test_a_remark_of_no_known_kind_fails():
    assert "is no kind of remark" in one(Claim("macs", "1G", "", remark=Remark("odd", ""))).reason


@pytest.mark.parametrize(
    ("claim", "status", "measured"),
    [
        (Claim("kernel", "7x7", "", "conv1"), "holds", "7x7"),
        (Claim("kernel", "3x3", "", "conv1"), "fails", "7x7"),
        (Claim("kernel", "3x3", "", "conv2_x.*.conv2"), "holds", "3x3"),
        (Claim("stride", "2", "", "conv1"), "holds", "2"),
        (Claim("stride", "1", "", "conv1"), "fails", "2"),
        (Claim("filters", "256", "", "conv2_x.*.conv3"), "holds", "256"),
        (Claim("filters", "64", "", "conv2_x.*.conv3"), "fails", "256"),
        (Claim("groups", "1", "", "conv2_x.*.conv2"), "holds", "1"),
        (Claim("repeats", "6", "", "conv4_x"), "holds", "6"),
        (Claim("repeats", "5", "", "conv4_x"), "fails", "6"),
        (Claim("convolutions", "53", ""), "holds", "53"),
        (Claim("nonlinearity", "ReLU", "", "conv4_x"), "holds", "ReLU"),
        (Claim("nonlinearity", "HS", "", "conv4_x"), "fails", "ReLU"),
        # 64 to 256 channels on 56x56
        (Claim("params of a 3x3 in its place", "147,456", "", "conv2_x"), "holds", "147,456"),
        (Claim("params of a 5x5 in its place", "409,600", "", "conv2_x"), "holds", "409,600"),
        (Claim("macs of a 3x3 in its place", "462M", "", "conv2_x"), "holds", "462.4M"),
        (Claim("macs of a 5x5 in its place", "462M", "", "conv2_x"), "fails", "1284.5M"),
    ],
)
def test_the_cells_of_a_table(claim, status, measured):
    verdict = one(claim)
    assert (verdict.status, verdict.measured) == (status, measured)


@pytest.mark.parametrize(
    ("claim", "words"),
    [
        (Claim("kernel", "3x3", "", "conv2_x"), "differ in kernel: (1, 1), (3, 3)"),
        (Claim("filters", "64", "", "pool1"), "no layer of 'pool1' has a filters"),
        (Claim("nonlinearity", "tanh", "", "conv1"), "cannot read the nonlinearity 'tanh'"),
        (Claim("macs", "3.9e9", "", by="nobody"), "nobody called 'nobody' is known"),
        (Claim("macs of a 3x3 in its place", "1M", "", "conv1"), "no plain 1x1 convolution"),
    ],
)
def test_a_cell_that_cannot_be_read_fails_in_words(claim, words):
    assert (one(claim).status, words in one(claim).reason) == ("fails", True)


def test_a_release_without_an_address_fails():
    (verdict,) = judge("lenet5", [Claim("params", "60,000", "README", by="release")])
    assert (verdict.status, "no address" in verdict.reason) == ("fails", True)


@pytest.mark.parametrize("name", [name for name, source in SOURCES.items() if source.address])
def test_who_prints_numbers_can_be_looked_up(name):
    source = SOURCES[name]
    assert source.address.startswith(("https://", "http://"))
    assert source.kind in KINDS


FROM_TORCHVISION = [
    (name, claim)
    for name, entry in registry.entries().items()
    for claim in entry.claims
    if claim.by == "torchvision" and claim.source.endswith("_Weights")
]


@pytest.mark.parametrize(
    ("name", "claim"), FROM_TORCHVISION, ids=lambda value: str(getattr(value, "quantity", value))
)
def test_what_is_claimed_of_torchvision_is_in_its_metadata(name, claim):
    weights = torchvision.models.get_weight(f"{claim.source}.IMAGENET1K_V1")
    printed = {"macs": f"{weights.meta['_ops']}G"}.get(
        claim.quantity, f"{weights.meta['num_params']:,}"
    )
    crop = weights.transforms.keywords["crop_size"]
    assert (claim.printed, measure(name, claim.at).input_size) == (printed, (3, crop, crop))


def test_torchvision_is_asked_for_both_of_its_figures():
    assert len(FROM_TORCHVISION) == 2 * len({claim.source for _, claim in FROM_TORCHVISION})


def test_a_printed_table_is_a_claim_for_each_cell():
    columns = "filters:1x1 stride:3x3 size"
    assert table("Table 1", columns, {"a": "64 - 8x8", "b.0": "- 2 -"}, at="8x8") == (
        Claim("filters", "64", "Table 1", "a.1x1", at="8x8"),
        Claim("size", "8x8", "Table 1", "a", at="8x8"),
        Claim("stride", "2", "Table 1", "b.0.3x3", at="8x8"),
    )
    with pytest.raises(ValueError, match="shorter"):
        table("Table 1", columns, {"a": "64 -"})


def test_numbered_modules_are_counted_under_any_name():
    (verdict,) = judge("densenet121", [Claim("repeats", "24", "", "dense_block3")])
    assert verdict.status == "holds"
    assert "no one row of numbered modules" in one(Claim("repeats", "1", "", "conv1")).reason
