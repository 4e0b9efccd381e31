"""Every name of every weight of timm's models, against timm itself: names and
shapes, no numbers.
"""

import re
from functools import cache

import pytest
import timm

from convatlas import create_model
from convatlas.shapes_only import shapes_only
from convatlas.weights import hub
from convatlas.weights.names import Twin
from convatlas.weights.timm import TWINS

Shapes = dict[str, tuple[int, ...]]
FAMILIES = {
    twin.rules: name for name, twin in reversed(TWINS.items())
}  # the first name of each rule table


@cache
def ours(name: str) -> Shapes:
    with shapes_only():
        return {key: tuple(value.shape) for key, value in create_model(name).state_dict().items()}


@cache
def theirs(name: str) -> Shapes:
    with shapes_only():
        return {
            key: tuple(value.shape) for key, value in timm.create_model(name).state_dict().items()
        }


@pytest.mark.parametrize("name", TWINS)
def test_names_and_shapes_are_theirs(name):
    twin = TWINS[name]
    mine = ours(twin.ours)
    assert {new: twin.shape(new, mine[key]) for key, new in twin.names(mine).items()} == theirs(
        name
    )


@pytest.mark.parametrize("name", FAMILIES.values())
def test_every_rule_is_needed(name):
    twin = TWINS[name]
    for left_out in twin.rules:
        fewer = Twin(
            twin.ours,
            tuple(rule for rule in twin.rules if rule is not left_out),
            absent=twin.absent,
        )
        try:
            found = set(fewer.names(ours(twin.ours)).values())
        except ValueError:
            continue  # two weights of one name
        assert found != set(theirs(name)), f"{left_out} changes nothing"


def test_two_weights_of_one_name_are_refused():
    with pytest.raises(ValueError, match=r"^two weights of resnet18 would be called layer\.0\."):
        Twin("resnet18", ((r"^conv\d_x", "layer"), *TWINS["resnet18"].rules)).names(
            ours("resnet18")
        )


def test_the_auxiliary_head_of_some_checkpoints_is_surplus():
    with shapes_only():
        with_head = timm.create_model("inception_v3", aux_logits=True).state_dict()
    head = {key for key in with_head if re.search(TWINS["inception_v3"].surplus, key)}
    assert len(head) == 14 and set(with_head) - head == set(theirs("inception_v3"))


def test_the_words_for_published_weights_are_the_installed_timms():
    assert hub.text(TWINS) == hub.STORED.read_text(), "if timm is newer, `make index` renews it"
    assert "hub:timm/resnet50.a1_in1k" in hub.published()["resnet50"]
