"""Names of other libraries: each leads to the network here that it is, to the nearest one, or to
none; never to a guess.
"""

import re

import pytest
import timm
import torchvision

import convatlas
from convatlas import registry
from convatlas.elsewhere import near, networks
from convatlas.errors import UnknownNetwork

OURS = registry.stored_facts()
TIMM = timm.list_models()
TORCHVISION = torchvision.models.list_models(torchvision.models)
CLASSIC = re.compile(
    r"(legacy_)?(se_?)?(res(net|next|nest|2ne[tx]t?)|senet|sk?resne[tx]t?|vgg|densenet|inception_"
    r"(v|res)|xception|mobilenetv[123]|(se)?mnasnet|wide_resnet|dla60|dpn)|tf_mobilenetv3|"
    r"(tf_)?efficientnet_"
    r"(b\d|lite|l2)"
)


def answered(name: str) -> str:
    """What somebody reads who types the name: a refusal, or the note under an existing network."""
    if name in OURS:
        return networks.note(name)
    with pytest.raises(UnknownNetwork) as refused:
        registry.require(name, OURS)
    return str(refused.value)


@pytest.mark.parametrize("name", sorted({*TIMM, *TORCHVISION}))
def test_no_known_name_gets_a_guess(name):
    text = answered(name)
    assert "did you mean" not in text
    assert "shows them all" not in text
    if name not in OURS:
        assert re.search(r" is \w+ here| the nearest is | the atlas has no ", text)


def test_every_classic_model_of_timm_is_in_the_table():
    classic = [name for name in TIMM if CLASSIC.match(name)]
    assert len(classic) > 180
    assert [name for name in classic if name not in networks.tables()["timm"]] == []


def test_the_tables_name_only_what_is_there():
    tables = networks.tables()
    assert set(tables["timm"]) <= set(TIMM)
    assert set(tables["torchvision"]) <= set(TORCHVISION)
    assert len(tables["torchvision"]) >= 40
    for table in tables.values():
        assert {meaning.ours for meaning in table.values()} <= set(OURS)
    assert {ours for ours, _ in networks.SPOKEN.values()} <= set(OURS)


def test_no_twin_is_called_near_and_no_family_of_ours_absent():
    twins = {name for name, meaning in networks.tables()["timm"].items() if not meaning.differs}
    assert twins.isdisjoint(near.TIMM)
    assert len(twins) == 135
    here = set(near.TIMM) & set(OURS)
    others = "take the row out of convatlas/elsewhere/near.py: the network is here now"
    assert here == {"senet154", "efficientnet_b5", "efficientnet_b6", "efficientnet_b7"}, others
    for word in networks.ABSENT.split():
        found = [name for name in OURS if name.startswith(word)]
        assert not found, f"take {word} out of ABSENT in convatlas/elsewhere/networks.py: {found}"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("seresnet50", "timm's seresnet50 is se_resnet50_v15 here"),
        ("legacy_seresnet50", "timm's legacy_seresnet50 is se_resnet50 here"),
        ("inception_v1", "inception_v1 is googlenet here"),
        ("inception_v2", "inception_v2 is bn_inception here"),
        ("bninception", "it is written bn_inception here"),
        ("shufflenet_v2_x1_0", "torchvision's shufflenet_v2_x1_0 is shufflenet_v2_torchvision "),
        ("wrn_28_10", "wide ResNets are called like wide_resnet28_10_cifar here"),
        ("resnet50.a1_in1k", "torchvision's and timm's resnet50 is resnet50_v15 here"),
        ("timm/seresnet50.ra2_in1k", "timm's seresnet50 is se_resnet50_v15 here"),
        ("gluon_resnet50_v1b", "timm's resnet50 is resnet50_v15 here"),
        ("gluon_resnet101_v1d", "timm's resnet101d is resnet101_d here"),
        ("tf_efficientnet_b0", "timm's tf_efficientnet_b0 is efficientnet_b0 here"),
        ("tf_efficientnet_b3_ns", "timm's tf_efficientnet_b3 is efficientnet_b3 here"),
        ("semnasnet_100", "timm's semnasnet_100 is mnasnet_a1 here"),
        ("mnasnet1_0", "torchvision's mnasnet1_0 is mnasnet_b1 here"),
        ("MnasNet", "mnasnet_a1 here"),
        ("mobilenetv2_100", "timm's mobilenetv2_100 is mobilenet_v2 here"),
        ("mobilenetv3_large_100", "the nearest is mobilenet_v3_large, and theirs has epsilon 1e-5"),
        ("NASNetMobile", "NASNetMobile is nasnet_a_4_1056 here"),
        ("nasnetalarge", "the nearest is nasnet_a_6_4032, and theirs counts the zeros of SAME"),
        ("skresnext50_32x4d", "timm's skresnext50_32x4d is sknet50 here"),
        ("resnet20", "akamaster/pytorch_resnet_cifar10's resnet20 is resnet20_cifar here"),
        ("ResNet-50", "it is written resnet50 here"),
        ("MobileNetV2", "it is written mobilenet_v2 here"),
        ("tf_efficientnetv2_s", "timm's tf_efficientnetv2_s is efficientnet_v2_s here"),
        ("efficientnetv2_rw_s", "the atlas has no efficientnetv2_rw networks"),
        ("regnet_y_400mf", "torchvision's regnet_y_400mf is regnety_400mf here"),
        ("regnet_x_400mf", "torchvision's regnet_x_400mf is regnetx_400mf_torchvision here"),
        ("regnety_032", "timm's regnety_032 is regnety_3_2gf here"),
        ("regnety_1280", "the nearest is regnety_32gf, and theirs is wider"),
        ("regnet_y_128gf", "the atlas has no regnet_y_128gf networks"),
        ("vit_b_16", "the atlas has no vit networks"),
    ],
)
def test_a_name_leads_to_its_network(name, says):
    assert says in answered(name)
    with pytest.raises(UnknownNetwork, match=re.escape(says)):
        convatlas.create_model(name)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("alexnet", "torchvision's alexnet is alexnet_owt here"),
        ("googlenet", "torchvision's googlenet is googlenet_torchvision here"),
        ("resnet152", "torchvision's and timm's resnet152 is resnet152_v15 here"),
        ("efficientnet_b0", "torchvision's and timm's efficientnet_b0 is efficientnet_b0_torchv"),
        ("efficientnet_b7", "timm's efficientnet_b7 is not in the atlas; the nearest is eff"),
        ("inception_resnet_v2", "timm's inception_resnet_v2 is inception_resnet_v2_released"),
        ("efficientnet_v2_s", "torchvision's efficientnet_v2_s is efficientnet_v2_s_torchvision"),
        ("resnet18", ""),
        ("inception_v3", ""),
        ("lenet5", ""),
    ],
)
def test_a_name_that_means_another_network_elsewhere_is_noted(name, note):
    assert note in networks.note(name)
    assert bool(networks.note(name)) is bool(note)


@pytest.mark.parametrize(
    ("typed", "offers"),
    [
        ("resnet5O", "did you mean resnet50"),
        ("lenet55", "did you mean lenet5"),
        ("mobilnet_v2", "did you mean mobilenet_v2"),
        ("inception", "did you mean inception_v3 or inception_v4"),
        ("nothing-like-it", "`convatlas list` shows them all"),
    ],
)
def test_a_misspelt_name_of_ours_is_guessed(typed, offers):
    assert offers in answered(typed)
