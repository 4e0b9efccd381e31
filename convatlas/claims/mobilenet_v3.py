"""What is printed of the networks of nets/mobilenet_v3.py."""

from convatlas.claim import Claim, counts, each, misprint, not_explained, table, within_one_unit

CONTRADICTS_TABLE_3 = misprint(
    "Table 3 of the paper's last version prints 2.5M and 56M for Small, 2.0M for the narrow one. "
    "The README's figures stand in Table 3 of earlier versions, whose Table 2 has 1280 channels "
    "before the classifier instead of 1024: 2.9M and 2.4M hold so, but it would be 56.9 million "
    "multiply-adds, not 66."
)
MORE_THAN_TABLE_1 = not_explained(
    "Table 1 has 216,589,760, and the authors' README prints 217M. The paper's first version "
    "prints 219 as well, beside a Table 1 with one more row."
)
CUT_OFF_5_4 = within_one_unit(
    "5,483,032; 5,451,272 without batch norm and without biases. The row of 4.0M, 3,993,528, is "
    "rounded."
)
CUT_OFF_56 = within_one_unit("56,510,400, which torchvision prints as 0.057G.")
DRAFT_COST = within_one_unit(
    "43,399,344; with the 1280 channels of the first drafts, whose 2.4M the README prints, it "
    "would be 43.8 million."
)
COLUMNS = (  # a check mark under SE is one gate, a dash none
    "kernel:layers.depthwise filters:layers.depthwise filters:layers.project gates "
    "nonlinearity:layers.nl_d stride:layers.depthwise"
)
LARGE = (
    *table(
        "Table 1",
        "kernel filters stride nonlinearity",
        {"conv1": "3x3 16 2 HS", "conv2": "1x1 960 1 HS"},
    ),
    *table(
        "Table 1: operator, exp size, #out, SE, NL, s",
        COLUMNS,
        {
            "bneck1": "3x3 16 16 0 RE 1",
            "bneck2": "3x3 64 24 0 RE 2",
            "bneck3": "3x3 72 24 0 RE 1",
            "bneck4": "5x5 72 40 1 RE 2",
            "bneck5": "5x5 120 40 1 RE 1",
            "bneck6": "5x5 120 40 1 RE 1",
            "bneck7": "3x3 240 80 0 HS 2",
            "bneck8": "3x3 200 80 0 HS 1",
            "bneck9": "3x3 184 80 0 HS 1",
            "bneck10": "3x3 184 80 0 HS 1",
            "bneck11": "3x3 480 112 1 HS 1",
            "bneck12": "3x3 672 112 1 HS 1",
            "bneck13": "5x5 672 160 1 HS 2",
            "bneck14": "5x5 960 160 1 HS 1",
            "bneck15": "5x5 960 160 1 HS 1",
        },
    ),
    Claim("nonlinearity", "HS", "Table 1, the first NBN", "nbn"),
)
SMALL = (
    *table(
        "Table 2",
        "kernel filters stride nonlinearity",
        {"conv1": "3x3 16 2 HS", "conv2": "1x1 576 1 HS"},
    ),
    *table(
        "Table 2: operator, exp size, #out, SE, NL, s",
        COLUMNS,
        {
            "bneck1": "3x3 16 16 1 RE 2",
            "bneck2": "3x3 72 24 0 RE 2",
            "bneck3": "3x3 88 24 0 RE 1",
            "bneck4": "5x5 96 40 1 HS 2",
            "bneck5": "5x5 240 40 1 HS 1",
            "bneck6": "5x5 240 40 1 HS 1",
            "bneck7": "5x5 120 48 1 HS 1",
            "bneck8": "5x5 144 48 1 HS 1",
            "bneck9": "5x5 288 96 1 HS 2",
            "bneck10": "5x5 576 96 1 HS 1",
            "bneck11": "5x5 576 96 1 HS 1",
        },
    ),
    Claim("nonlinearity", "HS", "Table 2, the first NBN", "nbn"),
)
CLAIMS = {
    "mobilenet_v3_large": (
        Claim("size", "3x224x224", "Table 1", "input"),
        *each(
            "size",
            "Table 1, input of the next row",
            {
                "conv1": "16x112x112",
                "bneck1": "16x112x112",
                "bneck2": "24x56x56",
                "bneck3": "24x56x56",
                "bneck4": "40x28x28",
                "bneck5": "40x28x28",
                "bneck6": "40x28x28",
                "bneck7": "80x14x14",
                "bneck8": "80x14x14",
                "bneck9": "80x14x14",
                "bneck10": "80x14x14",
                "bneck11": "112x14x14",
                "bneck12": "112x14x14",
                "bneck13": "160x7x7",
                "bneck14": "160x7x7",
                "bneck15": "160x7x7",
                "conv2": "960x7x7",
            },
        ),
        *LARGE,
        Claim("units", "1280", "Table 1, #out of the first NBN", "nbn"),
        *counts("Table 3", "5.4M", "219M", remarks=(CUT_OFF_5_4, MORE_THAN_TABLE_1)),
        *counts("mobilenet/README.md", "5.4M", "217M", by="release", remarks=(CUT_OFF_5_4, None)),
        *counts("MobileNet_V3_Large_Weights", "5,483,032", "0.217G", by="torchvision"),
    ),
    "mobilenet_v3_large_x0_75": (
        *counts("Table 3", "4.0M", "155M"),
        *counts("mobilenet/README.md", "4.0M", "155M", by="release"),
    ),
    "mobilenet_v3_small": (
        Claim("size", "3x224x224", "Table 2", "input"),
        *each(
            "size",
            "Table 2, input of the next row",
            {
                "conv1": "16x112x112",
                "bneck1": "16x56x56",
                "bneck2": "24x28x28",
                "bneck3": "24x28x28",
                "bneck4": "40x14x14",
                "bneck5": "40x14x14",
                "bneck6": "40x14x14",
                "bneck7": "48x14x14",
                "bneck8": "48x14x14",
                "bneck9": "96x7x7",
                "bneck10": "96x7x7",
                "bneck11": "96x7x7",
                "conv2": "576x7x7",
            },
        ),
        *SMALL,
        Claim("units", "1024", "Table 2, #out of the first NBN", "nbn"),
        *counts("Table 3", "2.5M", "56M", remarks=(None, CUT_OFF_56)),
        *counts(
            "mobilenet/README.md",
            "2.9M",
            "66M",
            by="release",
            remarks=(CONTRADICTS_TABLE_3, CONTRADICTS_TABLE_3),
        ),
        *counts("MobileNet_V3_Small_Weights", "2,542,856", "0.057G", by="torchvision"),
    ),
    "mobilenet_v3_small_x0_75": (
        *counts("Table 3", "2.0M", "44M", remarks=(None, DRAFT_COST)),
        *counts(
            "mobilenet/README.md",
            "2.4M",
            "44M",
            by="release",
            remarks=(CONTRADICTS_TABLE_3, DRAFT_COST),
        ),
    ),
}
