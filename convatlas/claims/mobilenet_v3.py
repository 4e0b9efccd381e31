"""What is printed of the networks of nets/mobilenet_v3.py."""

from convatlas.claim import Claim, counts, each, misprint, within_one_unit

WHY_1 = misprint(
    "Table 1 has 216,589,760, and the authors' README prints 217M; Table 1 of the first drafts, "
    "which has another row of 672 to 160, would have 245.6M."
)
WHY_2 = misprint(
    "It is the Small of the first drafts, whose last layer has 1280 channels; Table 3 has less "
    "for the final one."
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
        Claim("units", "1280", "Table 1, #out of the first NBN", "nbn"),
        *counts("Table 3", "5.4M", "219M", remarks=(CUT_OFF_5_4, WHY_1)),
        *counts("README", "5.4M", "217M", by="release", remarks=(CUT_OFF_5_4, None)),
        *counts("MobileNet_V3_Large_Weights", "5,483,032", "0.217G", by="torchvision"),
    ),
    "mobilenet_v3_large_x0_75": (
        *counts("Table 3", "4.0M", "155M"),
        *counts("README", "4.0M", "155M", by="release"),
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
        Claim("units", "1024", "Table 2, #out of the first NBN", "nbn"),
        *counts("Table 3", "2.5M", "56M", remarks=(None, CUT_OFF_56)),
        *counts("README", "2.9M", "66M", by="release", remarks=(WHY_2, WHY_2)),
        *counts("MobileNet_V3_Small_Weights", "2,542,856", "0.057G", by="torchvision"),
    ),
    "mobilenet_v3_small_x0_75": (
        *counts("Table 3", "2.0M", "44M", remarks=(None, DRAFT_COST)),
        *counts("README", "2.4M", "44M", by="release", remarks=(WHY_2, DRAFT_COST)),
    ),
}
