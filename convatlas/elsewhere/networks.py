"""What a name of another library is here: the network with the same graph, the nearest one and what
differs, or none.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from convatlas.elsewhere import near
from convatlas.weights import authors, timm, torchvision
from convatlas.weights.names import Table

# What papers, slides and other programs say. Keys without their marks: see _letters
SPOKEN = {
    "inceptionv1": ("googlenet", ""),
    "inception1": ("googlenet", ""),
    "inceptionv2": (
        "bn_inception",
        "the Inception-v2 of the Inception-v3 paper, another network, is not in the atlas",
    ),
    "bninception": ("bn_inception", "the copy for Caffe is bn_inception_caffe"),
    "resnet50v1": ("resnet50", ""),
    "resnet101v1": ("resnet101", ""),
    "resnet152v1": ("resnet152", ""),
    "resnetv150": ("resnet50", ""),
    "resnet50v2": ("preresnet50", ""),
    "resnet101v2": ("preresnet101", ""),
    "resnet152v2": ("preresnet152", ""),
    "resnext50": ("resnext50_32x4d", ""),
    "resnext101": ("resnext101_32x4d", "other widths: `convatlas list resnext101`"),
    "senet": ("senet154", "ResNets with the same gates: `convatlas list se_resnet`"),
    "mobilenet": ("mobilenet_v1", "the later ones: `convatlas list mobilenet`"),
    "mobilenetv3": ("mobilenet_v3_large", "the small one is mobilenet_v3_small"),
    "mnasnet": ("mnasnet_a1", "without its gates: mnasnet_b1; others: `convatlas list mnasnet`"),
    "shufflenet": ("shufflenet_v1_g3", "other widths and groups: `convatlas list shufflenet`"),
    "nasnet": ("nasnet_a_4_1056", "the large one is nasnet_a_6_4032"),
    "nasnetmobile": ("nasnet_a_4_1056", ""),
    "nasnetamobile": ("nasnet_a_4_1056", ""),
    "nasnetlarge": ("nasnet_a_6_4032", ""),
    "squeezenet": ("squeezenet1_0", "the later form is squeezenet1_1"),
    "lenet1": ("lenet1989", "LeNet-1 is what the paper of LeNet-5 calls it"),
    "lenet": ("lenet5", "the earlier and the copied ones: `convatlas list lenet`"),
    "networkinnetwork": ("nin_cifar10", "others: `convatlas list nin`"),
    "nin": ("nin_cifar10", "others: `convatlas list nin`"),
}
# Families of which the atlas has no network: how their names begin
ABSENT = """
aimv2 bat_ beit botnet caformer cait coat coatnet coatnext convformer convit convmixer
cpubone crossvit cs3 csatv csp darknet davit deepseek deit dinov dla34 dla46 dla102 dla169
dm_nfnet eca_ ecaresne edgenext efficientformer efficientnet_cc efficientnet_e
efficientnet_h efficientnet_x efficientnetv2_rw efficientvi ese_vovnet eva fasternet fastvit
fbnet flexivit focalnet gc_efficientnet gcresne gcvit gemma gernet ghostnet gmixer gmlp halo
hardcorenas hgnet hiera hieradet hrnet iformer inception_next lambda_ lamhalo lcnet levit
lowformer mambaout maxvit maxxvit mixer mixnet mobilenet_edgetpu mobilenetv4
mobilenetv5 mobileone mobilevit mvit naflexvit nest_ nextvit nf_ nfnet pit_ pnasnet
poolformer pvt qwen rdnet regnet_y_128gf regnetv regnetz repghostnet repvgg repvit resmlp
rexnet sam2 samvit sebotnet sedarknet sehalonet selecsls sequencer shvit spnasnet
starnet swiftformer swin test_ tf_efficientnet_cc tf_efficientnet_e tf_mixnet tiny_vit tinynet
tnt tresnet twins visformer vit vitamin volo vovnet xcit yolo
"""
WIDE = re.compile(r"wide_?resnet|wrn")
# timm's older names: a source in front, a training after it; today both are tags after a point
OLDER = (
    (r"^(tv|ssl|swsl|ig|gluon|adv|ens_adv)_", ""),
    (r"^(resnet\d+)_v1b$", r"\1"),
    (r"^(resnet\d+)_v1([cds])$", r"\1\2"),
    (r"^(tf_efficientnet_b\d)_(ap|ns)$", r"\1"),
    (r"^(efficientnet_b[23])a$", r"\1"),
    (r"^tf_inception_v3$", "inception_v3"),
    (r"^xception$", "legacy_xception"),
)


@dataclass(frozen=True)
class Meaning:
    """A model of another library, as the atlas sees it."""

    library: str
    theirs: str
    ours: str  # the network here with the same graph; or the nearest
    differs: str = ""  # what theirs does otherwise than `ours`; "" where the graph is the same

    def __str__(self) -> str:
        if not self.differs:
            return f"{self.library}'s {self.theirs} is {self.ours} here"
        if self.ours == self.theirs:
            return f"{self.library}'s {self.theirs} is not this one: it {self.differs}"
        return (
            f"{self.library}'s {self.theirs} is not in the atlas; the nearest is {self.ours}, "
            f"and theirs {self.differs}"
        )


def _all(library: str, twins: Table, nearest: Mapping[str, near.Near]) -> dict[str, Meaning]:
    return {theirs: Meaning(library, theirs, twin.ours) for theirs, twin in twins.items()} | {
        theirs: Meaning(library, theirs, found.ours, found.theirs)
        for theirs, found in nearest.items()
    }


@cache
def tables() -> dict[str, dict[str, Meaning]]:
    """Every known model by library, then by its name there."""
    return {
        "torchvision": _all("torchvision", torchvision.TWINS, {}),
        "timm": _all("timm", timm.TWINS, near.TIMM),
        "akamaster": _all("akamaster/pytorch_resnet_cifar10", authors.CIFAR_RESNETS, {}),
    }


def meanings(name: str) -> list[Meaning]:
    """What each library calls so. A tag (`resnet50.a1_in1k`) and an owner (`timm/resnet50`) do not
    count; timm's older names do.
    """
    plain = name.rpartition("/")[2].partition(".")[0]
    found = {library: table[plain] for library, table in tables().items() if plain in table}
    if "timm" not in found and (renewed := _renewed(plain)) in tables()["timm"]:
        found["timm"] = tables()["timm"][renewed]
    return list(found.values())


def answer(name: str, networks: Iterable[str]) -> str:
    """What an unknown name means, as far as that is known: part of a sentence; "" if unknown.

    `networks`: the names of the atlas.
    """
    if found := meanings(name):
        return "; ".join(_together(found))
    letters = _letters(name.rpartition("/")[2])
    if same := [ours for ours in networks if _letters(ours) == letters]:
        return f"it is written {same[0]} here"
    if letters in SPOKEN:
        ours, more = SPOKEN[letters]
        return f"{name} is {ours} here{more and f' ({more})'}"
    if WIDE.match(name.lower()):
        return "wide ResNets are called like wide_resnet28_10_cifar here: `convatlas list wide`"
    family = next((word for word in ABSENT.split() if name.lower().startswith(word)), "")
    if family:
        return f"the atlas has no {family.rstrip('_')} networks; `convatlas list` shows what it has"
    return ""


def note(name: str) -> str:
    """For a name of the atlas: which other network other libraries call so, in one sentence; "" if
    none does.
    """
    others = [found for found in meanings(name) if found.ours != name or found.differs]
    return "; ".join(_together(others))


def called(name: str) -> list[Meaning]:
    """The models of other libraries that have the graph of this network."""
    return [
        found
        for table in tables().values()
        for found in table.values()
        if found.ours == name and not found.differs
    ]


def _together(found: list[Meaning]) -> list[str]:
    """A sentence each; libraries that agree share one."""
    groups: dict[tuple[str, str], list[Meaning]] = {}
    for one in found:
        groups.setdefault((one.ours, one.differs), []).append(one)
    return [
        str(
            Meaning(
                "'s and ".join(one.library for one in group),
                group[0].theirs,
                group[0].ours,
                group[0].differs,
            )
        )
        for group in groups.values()
    ]


def _renewed(name: str) -> str:
    for pattern, replacement in OLDER:
        name = re.sub(pattern, replacement, name)
    return name


def _letters(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())
