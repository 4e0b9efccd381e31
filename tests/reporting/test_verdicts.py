"""Verdicts on studies whose answer is known, and the words they are said in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from studies import LUCKS

from convatlas.reporting.leads import Lead
from convatlas.reporting.statistics import sign_flip
from convatlas.reporting.verdicts import Results, compare

EASY = settings(max_examples=12, deadline=None)


def network(name, errors, pictures=1000, seeds=None, answers=True, first=0):
    """Whose runs get these shares of the pictures wrong, the first ones from `first` on."""
    seeds = tuple(range(len(errors))) if seeds is None else tuple(seeds)
    counts = np.rint(np.array(errors) * pictures).astype(int)
    places = np.arange(pictures)
    wrong = np.array([(places >= first) & (places < first + count) for count in counts])
    return Results(name, seeds, counts / pictures, pictures, wrong if answers else None)


GOOD = [0.030, 0.032, 0.031, 0.029, 0.030, 0.033]
BAD = [0.070, 0.068, 0.072, 0.069, 0.073, 0.071]


def test_a_plain_difference_is_called():
    found = compare([network("bad", BAD), network("good", GOOD)])
    (pair,) = found.pairs
    assert [one.name for one in found.networks] == ["good", "bad"]
    assert pair.ahead == "good" and pair.better and found.pair("bad", "good") is pair
    assert pair.lead == pytest.approx(np.mean(BAD) - np.mean(GOOD))
    assert pair.p_seeds == 2 / 2**6
    assert pair.p_pictures < 1e-9 and max(pair.p_mcnemar) < 1e-9
    assert 0 < pair.low < pair.lead < pair.high
    assert found.sentence == "good is better than bad by 3.97 points (2.76 to 5.17)."
    for low, high in (pair.bootstrap, pair.crossed):
        assert 0 < low < pair.lead < high


@EASY
@given(seeds=st.integers(1, 5), luck=st.sampled_from(list(LUCKS)), draw=st.integers(0, 2**32))
def test_fewer_than_six_seeds_never_call_any(seeds, luck, draw):
    study = LUCKS[luck].study(np.random.default_rng(draw), [0.001, 0.9, 0.5], seeds, 200)
    found = compare(study)
    assert not any(pair.better or pair.tells for pair in found.pairs)
    assert "better than" not in found.sentence
    assert "six are the fewest" in found.sentence


@EASY
@given(table=st.integers(0, 2**32), seeds=st.integers(1, 9))
def test_better_is_said_where_both_tests_say_so_and_the_interval_agrees(table, seeds):
    draw = np.random.default_rng(table)
    study = LUCKS["all"].study(draw, draw.uniform(0.02, 0.3, 3).tolist(), seeds, 200)
    for pair in compare(study).pairs:
        assert pair.better == (pair.p <= 0.05 and pair.p_seeds <= 0.05)
        assert pair.p >= max(pair.p_both, pair.p_pictures)
        if pair.better:
            assert pair.low > 0 and seeds >= 6
        assert ("is better than" in pair.sentence) == pair.better


def test_the_same_network_twice_is_not_told_apart():
    found = compare([network("a", GOOD), network("b", GOOD)])
    (pair,) = found.pairs
    assert (pair.lead, pair.p_seeds, pair.p_pictures, pair.p) == (0, 1, 1, 1)
    assert pair.low < 0 < pair.high and pair.bootstrap == (0, 0)
    assert pair.seeds_needed is None and pair.pictures_needed is None
    assert found.sentence.endswith("points; the errors are equal.")


def test_six_seeds_that_agree_are_not_enough_where_pictures_are_few():
    """One of 360 pictures, which one network always gets wrong: every seed has the same lead."""
    a = network("a", [10 / 360] * 6, 360)
    b = network("b", [11 / 360] * 6, 360)
    (pair,) = compare([a, b]).pairs
    assert pair.p_seeds == 2 / 2**6  # these pictures given, it is sure
    assert pair.p_pictures == 1 and pair.p_both > 0.3 and not pair.better
    assert pair.seeds_needed is None and pair.pictures_needed > 360
    assert "no number of seeds" in pair.sentence


def test_a_lucky_training_is_not_enough_where_pictures_are_many():
    a = network("a", [0.01, 0.09, 0.05, 0.07, 0.02, 0.03], 10_000)
    b = network("b", [0.06, 0.05, 0.09, 0.08, 0.07, 0.09], 10_000)
    (pair,) = compare([a, b]).pairs
    assert pair.p_pictures < 1e-9 and not pair.better
    assert pair.seeds_needed > 6


def test_answers_tell_more_than_counts():
    """Two networks that fail on the same pictures, but for the few more that one fails on."""
    with_them = compare([network("a", GOOD), network("b", BAD)]).pairs[0]
    without = compare([network("a", GOOD, answers=False), network("b", BAD)]).pairs[0]
    assert (without.p_pictures, without.p_mcnemar, without.crossed) == (None, None, None)
    assert without.lead == with_them.lead and without.p_seeds == with_them.p_seeds
    assert without.low < with_them.low and without.high > with_them.high
    assert without.p_both > with_them.p_both


def test_pairs_are_made_of_the_seeds_that_both_have():
    a = network("a", GOOD, seeds=[0, 1, 2, 3, 4, 5])
    b = network("b", BAD, seeds=[9, 3, 2, 1, 0, 7])
    found = compare([a, b])
    lead = Lead.of(a, b)
    assert lead.seeds == (0, 1, 2, 3) and found.pairs[0].seeds == 4
    expected = np.array([BAD[4], BAD[3], BAD[2], BAD[1]]) - GOOD[:4]
    assert lead.by_seed == pytest.approx(expected)
    assert lead.table.sum(axis=1) == pytest.approx(expected * 1000)


@EASY
@given(
    pictures=st.integers(10, 3000),
    counts=st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=2, max_size=8),
)
def test_shares_are_pictures_again(pictures, counts):
    """A share of 3 / 360 times 360 is 2.9999..., and still three pictures."""
    errors = np.array(counts).T / pictures
    a, b = (network(name, shares, pictures) for name, shares in zip("ab", errors, strict=True))
    leads = np.diff(counts, axis=1)
    assert Lead.of(a, b).p_seeds == sign_flip(leads)


def test_networks_without_a_seed_in_common_are_not_compared():
    (pair,) = compare([network("a", GOOD), network("b", BAD, seeds=range(6, 12))]).pairs
    assert pair.seeds == 0 and not pair.better and pair.p == 1 and np.isnan(pair.low)
    assert pair.sentence == "a against b: cannot tell, they share no seed."


def test_one_seed_has_no_spread():
    found = compare([network("a", GOOD[:1]), network("b", BAD[:1])])
    assert np.isnan([found.networks[0].sd, found.networks[0].low, found.pairs[0].low]).all()
    assert found.sentence == (
        "a against b: one seed cannot tell, whatever the lead; six are the fewest; "
        "a is ahead by 4.00."
    )


def test_a_network_alone_is_described():
    found = compare([network("a", GOOD)])
    assert found.pairs == ()
    assert found.sentence == "a: 3.08 % wrong (2.18 to 4.34), six seeds."


def test_a_few_networks_get_a_sentence_each():
    found = compare(
        [network("good", GOOD), network("bad", BAD), network("worse", np.array(BAD) + 0.02)]
    )
    assert found.sentence == (
        "good is better than bad by 3.97 points (2.76 to 5.17) and than worse by 5.97 points "
        "(4.50 to 7.43)."
    )
    found = compare([*(network(n, GOOD) for n in "ab"), network("bad", BAD)])
    assert found.sentence.startswith(
        "a is better than bad by 3.97 points (2.76 to 5.17). a against"
    )


@EASY
@given(
    seeds=st.integers(1, 8),
    pictures=st.integers(1, 6),
    answers=st.booleans(),
    draw=st.integers(0, 2**32),
)
def test_no_study_is_too_small_to_be_described(seeds, pictures, answers, draw):
    study = LUCKS["all"].study(
        np.random.default_rng(draw), [0.1, 0.9, 0.5], seeds, pictures, answers
    )
    with np.errstate(all="raise"):
        found = compare(study)
    for pair in found.pairs:
        assert 0 < pair.p <= 1 and 0 < pair.p_seeds <= 1
        assert not pair.low > pair.lead and not pair.high < pair.lead
    for one in found.networks:
        assert not one.low > one.mean + 1e-12 and not one.high < one.mean - 1e-12
    assert found.sentence.endswith(".")


def test_three_seeds_describe():
    found = compare([network(n, e[:3]) for n, e in {"x": BAD, "y": GOOD, "z": BAD}.items()])
    assert found.sentence == (
        "Three seeds cannot tell which is better, whatever the lead; six are the fewest. "
        "Errors so far: y 3.10 %, x 7.00 %, z 7.00 %."
    )


def test_more_networks_ask_for_more():
    """Holm: among 45 pairs a p must be smaller to be as surprising."""
    pair = [network("a", GOOD), network("b", np.array(GOOD) + 0.007)]
    assert compare(pair).pairs[0].better
    others = [network(f"c{i}", np.array(BAD) + 0.0001 * i) for i in range(8)]
    assert not compare([*pair, *others]).pair("a", "b").better
    assert compare([*pair, *others]).pair("a", "c0").better


def test_a_baseline_asks_fewer_questions():
    networks = [network(f"n{i}", np.array(GOOD) + 0.004 * i) for i in range(6)]
    found = compare(networks, against="n0")
    assert {"n0"} == {name for pair in found.pairs for name in (pair.ahead, pair.behind)} & {"n0"}
    assert len(found.pairs) == 5
    assert found.pair("n3", "n0").p < compare(networks).pair("n3", "n0").p


def test_many_networks_are_said_in_few_words():
    close = [network(f"near{i}", np.array(GOOD) + 0.001 * i, first=i) for i in range(2)]
    far = [network(f"far{i}", np.array(BAD) + 0.002 * i, first=10 * i) for i in range(4)]
    said = compare([*far, *close]).sentence
    assert said.startswith(
        "near0 has the lowest error, 3.08 %. It is better than far0, far1, far2 and far3. "
        "It cannot be told from near1. near0 against near1: cannot tell below "
    )


def test_the_order_in_which_networks_are_given_changes_nothing():
    study = LUCKS["all"].study(np.random.default_rng(2), [0.1, 0.08, 0.12], 6, 300)
    assert compare(study) == compare(study[::-1])


@pytest.mark.parametrize(
    ("networks", "against", "said"),
    [
        ([network("a", GOOD), network("a", BAD)], None, "a stands twice"),
        ([network("a", GOOD), network("b", BAD, 999)], None, "b answered 999 pictures, a 1000"),
        ([network("a", GOOD, seeds=[1, 1, 2, 3, 4, 5])], None, "each once"),
        ([Results("a", (), np.zeros(0), 10)], None, "one or more"),
        ([Results("a", (0,), np.array([1.2]), 10)], None, "from 0 to 1"),
        ([Results("a", (0,), np.array([np.nan]), 10)], None, "from 0 to 1"),
        ([Results("a", (0,), np.array([0.2, 0.1]), 10)], None, "each of 1 seeds"),
        ([Results("a", (0,), np.array([0.2]), 0)], None, "one at least"),
        ([Results("a", (0,), np.array([0.2]), 10, np.zeros((1, 9)))], None, "1 x 9 answers"),
        ([network("a", GOOD)], "b", "b is none of a"),
    ],
)
def test_what_cannot_be_compared_is_refused(networks, against, said):
    with pytest.raises(ValueError, match=said):
        compare(networks, against=against)


def test_a_name_that_is_not_compared():
    with pytest.raises(KeyError, match="x and a are not compared"):
        compare([network("a", GOOD), network("b", BAD)]).pair("x", "a")


@pytest.mark.parametrize(
    ("pictures", "said"),
    [(80, "ahead by 3.8 ("), (800, "ahead by 0.38 ("), (80_000, "ahead by 0.004 (")],
)
def test_a_lead_has_the_digits_that_its_pictures_allow(pictures, said):
    """As in the tables: a picture is seen in them, and nothing finer."""
    errors = np.array([8, 8]) / pictures
    a = Results("a", (0, 1), errors, pictures)
    b = Results("b", (0, 1), errors + 3 / pictures, pictures)
    assert said in compare([a, b]).sentence
