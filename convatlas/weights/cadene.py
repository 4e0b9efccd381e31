"""pretrainedmodels (github.com/Cadene/pretrained-models.pytorch): the models of it whose graph is
one of ours.
"""

from convatlas.weights import nasnets
from convatlas.weights.names import Rules, Table, Twin, counted, moved
from convatlas.weights.timm import (
    GATE,
    INCEPTION_RESNET_V2,
    INCEPTION_V4,
    LEGACY_SE_RESNET,
    LEGACY_SENET154,
    XCEPTION,
)
from convatlas.weights.torchvision import (
    ALEXNET,
    DENSENET,
    INCEPTION_V3,
    INCEPTION_V3_HEAD,
    RESNET,
    VGG_CONVOLUTIONS,
    squeezenet,
    vgg_features,
)

HEAD: Rules = ((r"^fc\.", "last_linear."),)  # the same attribute in every model
LINEARS: Rules = (
    (r"^fc6\.fc\.", "linear0."),
    (r"^fc7\.fc\.", "linear1."),
    (r"^fc8\.", "last_linear."),
)
FLAT: Rules = ((r"^features\.", "_features."),)
DENSENETS = tuple(rule for rule in DENSENET if rule[0] != r"^fc\.")
INCEPTION_RESNET = tuple(rule for rule in INCEPTION_RESNET_V2 if rule[0] != r"^fc\.")
# converted from Lua, where only places have names
RESNEXT: Rules = (
    (r"^conv1\.conv\.conv\.", "features.0."),
    (r"^conv1\.conv\.bn\.", "features.1."),
    (r"^conv(\d)_x\.", counted("features.{}.", 2)),
    (r"\.branch\.conv1\.conv\.", ".0.0.0.0."),
    (r"\.branch\.conv1\.bn\.", ".0.0.0.1."),
    (r"\.branch\.conv2\.conv\.", ".0.0.0.3."),
    (r"\.branch\.conv2\.bn\.", ".0.0.0.4."),
    (r"\.branch\.conv3\.conv\.", ".0.0.1."),
    (r"\.branch\.conv3\.bn\.", ".0.0.2."),
    (r"\.shortcut\.conv\.", ".0.1.0."),
    (r"\.shortcut\.bn\.", ".0.1.1."),
)
FIRES = {"squeezenet1_0": (3, 4, 5, 7, 8, 9, 10, 12), "squeezenet1_1": (3, 4, 6, 7, 9, 10, 11, 12)}

TWINS: Table = {
    "alexnet": Twin("alexnet_owt", (*LINEARS, *ALEXNET, *FLAT)),
    **{
        f"vgg{n}{bn}": Twin(f"vgg{n}{bn}", (*LINEARS, *vgg_features(counts, bool(bn)), *FLAT))
        for n, counts in VGG_CONVOLUTIONS.items()
        for bn in ("", "_bn")
    },
    **{f"resnet{n}": Twin(f"resnet{n}", RESNET + HEAD) for n in (18, 34)},
    **{f"resnet{n}": Twin(f"resnet{n}_v15", RESNET + HEAD) for n in (50, 101, 152)},
    **{f"resnext101_{c}x4d": Twin(f"resnext101_{c}x4d", RESNEXT + HEAD) for c in (32, 64)},
    **{f"se_resnet{n}": Twin(f"se_resnet{n}", LEGACY_SE_RESNET, GATE) for n in (50, 101, 152)},
    **{
        f"se_resnext{n}_32x4d": Twin(f"se_resnext{n}_32x4d", LEGACY_SE_RESNET, GATE)
        for n in (50, 101)
    },
    "senet154": Twin("senet154", LEGACY_SENET154, GATE),
    **{f"densenet{n}": Twin(f"densenet{n}", DENSENETS + HEAD) for n in (121, 161, 169, 201)},
    **{
        name: Twin(name, (*moved({"conv10": "last_conv"}, r"\.conv"), *squeezenet(places)))
        for name, places in FIRES.items()
    },
    "inceptionv3": Twin("inception_v3", INCEPTION_V3_HEAD + INCEPTION_V3 + HEAD),
    "inceptionv4": Twin("inception_v4", INCEPTION_V4),
    "inceptionresnetv2": Twin("inception_resnet_v2_released", INCEPTION_RESNET + HEAD),
    "xception": Twin("xception", XCEPTION + HEAD),
    "nasnetamobile": Twin("nasnet_a_4_1056", nasnets.CADENE, absent=nasnets.HEAD),
    "nasnetalarge": Twin("nasnet_a_6_4032", nasnets.CADENE, absent=nasnets.HEAD),
}
