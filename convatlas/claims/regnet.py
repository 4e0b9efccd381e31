"""What is printed of the networks of nets/regnet.py."""

from convatlas.claim import Claim, counts, each, table

BLOCK = (
    Claim("filters", "32", "Figure 3: stride-two 3x3 conv with 32 output channels", "stem"),
    *table("Figure 3", "kernel stride", {"stem": "3x3 2"}),
    *table(
        "Figure 4: a 1x1 conv, a 3x3 group conv, and a final 1x1 conv",
        "kernel:*.conv1 kernel:*.conv2 kernel:*.conv3",
        {f"stage{i}": "1x1 3x3 1x1" for i in (1, 2, 3, 4)},
    ),
    *each(
        "stride",
        "Figure 3: the first block of a stage uses stride-two conv",
        {f"stage{i}.0.branch.conv2": "2" for i in (1, 2, 3, 4)},
    ),
    Claim("size", "3x224x224", "Sec. 3.2: r = 224", "input"),
)


def printed(
    figure: str, depths: str, widths: str, flops: str, params: str, acts: str
) -> tuple[Claim, ...]:
    """A network's legend and its row of the table below. Activations are the outputs of all
    convolutions (Sec. 4); the authors' code counts those of the last layer, too.
    """
    legend = zip(depths.split(), widths.split(), strict=True)
    return (
        *table(
            f"{figure}, legend: d_i, w_i",
            "repeats filters:*.conv1 filters:*.conv3",
            {f"stage{i}": f"{d} {w} {w}" for i, (d, w) in enumerate(legend, start=1)},
        ),
        *counts(f"{figure}, flops and params", params, flops),
        Claim("neurons", acts, f"{figure}, acts"),
        *BLOCK,
    )


X = {  # d_1 to d_4, w_1 to w_4, flops, params, acts
    "regnetx_200mf": printed("Figure 15", "1 1 4 7", "24 56 152 368", "0.2B", "2.7M", "2.2M"),
    "regnetx_400mf": printed("Figure 15", "1 2 7 12", "32 64 160 384", "0.4B", "5.2M", "3.1M"),
    "regnetx_600mf": printed("Figure 15", "1 3 5 7", "48 96 240 528", "0.6B", "6.2M", "4.0M"),
    "regnetx_800mf": printed("Figure 15", "1 3 7 5", "64 128 288 672", "0.8B", "7.3M", "5.1M"),
    "regnetx_1_6gf": printed("Figure 15", "2 4 10 2", "72 168 408 912", "1.6B", "9.2M", "7.9M"),
    "regnetx_3_2gf": printed("Figure 15", "2 6 15 2", "96 192 432 1008", "3.2B", "15.3M", "11.4M"),
    "regnetx_4gf": printed("Figure 15", "2 5 14 2", "80 240 560 1360", "4.0B", "22.1M", "12.2M"),
    "regnetx_6_4gf": printed("Figure 15", "2 4 10 1", "168 392 784 1624", "6.5B", "26.2M", "16.4M"),
    "regnetx_8gf": printed("Figure 15", "2 5 15 1", "80 240 720 1920", "8.0B", "39.6M", "14.1M"),
    "regnetx_12gf": printed("Figure 15", "2 5 11 1", "224 448 896 2240", "12.1B", "46.1M", "21.4M"),
    "regnetx_16gf": printed("Figure 15", "2 6 13 1", "256 512 896 2048", "15.9B", "54.3M", "25.5M"),
    "regnetx_32gf": printed(
        "Figure 15", "2 7 13 1", "336 672 1344 2520", "31.7B", "107.8M", "36.3M"
    ),
}
Y = {  # d_1 to d_4, w_1 to w_4, flops, params, acts
    "regnety_200mf": printed("Figure 16", "1 1 4 7", "24 56 152 368", "0.2B", "3.2M", "2.2M"),
    "regnety_400mf": printed("Figure 16", "1 3 6 6", "48 104 208 440", "0.4B", "4.3M", "3.9M"),
    "regnety_600mf": printed("Figure 16", "1 3 7 4", "48 112 256 608", "0.6B", "6.1M", "4.3M"),
    "regnety_800mf": printed("Figure 16", "1 3 8 2", "64 128 320 768", "0.8B", "6.3M", "5.2M"),
    "regnety_1_6gf": printed("Figure 16", "2 6 17 2", "48 120 336 888", "1.6B", "11.2M", "8.0M"),
    "regnety_3_2gf": printed("Figure 16", "2 5 13 1", "72 216 576 1512", "3.2B", "19.4M", "11.3M"),
    "regnety_4gf": printed("Figure 16", "2 6 12 2", "128 192 512 1088", "4.0B", "20.6M", "12.3M"),
    "regnety_6_4gf": printed("Figure 16", "2 7 14 2", "144 288 576 1296", "6.4B", "30.6M", "16.4M"),
    "regnety_8gf": printed("Figure 16", "2 4 10 1", "168 448 896 2016", "8.0B", "39.2M", "18.0M"),
    "regnety_12gf": printed("Figure 16", "2 5 11 1", "224 448 896 2240", "12.1B", "51.8M", "21.4M"),
    "regnety_16gf": printed(
        "Figure 16", "2 4 11 1", "224 448 1232 3024", "15.9B", "83.6M", "23.0M"
    ),
    "regnety_32gf": printed(
        "Figure 16", "2 5 12 1", "232 696 1392 3712", "32.3B", "145.0M", "30.3M"
    ),
}
TORCHVISION = {
    "regnetx_800mf": counts("RegNet_X_800MF_Weights", "7,259,656", "0.8G", by="torchvision"),
    "regnetx_1_6gf": counts("RegNet_X_1_6GF_Weights", "9,190,136", "1.603G", by="torchvision"),
    "regnetx_3_2gf": counts("RegNet_X_3_2GF_Weights", "15,296,552", "3.177G", by="torchvision"),
    "regnetx_8gf": counts("RegNet_X_8GF_Weights", "39,572,648", "7.995G", by="torchvision"),
    "regnetx_16gf": counts("RegNet_X_16GF_Weights", "54,278,536", "15.941G", by="torchvision"),
    "regnetx_32gf": counts("RegNet_X_32GF_Weights", "107,811,560", "31.736G", by="torchvision"),
    "regnety_400mf": counts("RegNet_Y_400MF_Weights", "4,344,144", "0.402G", by="torchvision"),
    "regnety_1_6gf": counts("RegNet_Y_1_6GF_Weights", "11,202,430", "1.612G", by="torchvision"),
    "regnety_3_2gf": counts("RegNet_Y_3_2GF_Weights", "19,436,338", "3.176G", by="torchvision"),
    "regnety_16gf": counts("RegNet_Y_16GF_Weights", "83,590,140", "15.912G", by="torchvision"),
    "regnety_32gf": counts("RegNet_Y_32GF_Weights", "145,046,770", "32.28G", by="torchvision"),
}
MOBILE = {  # Table 2, where flops have two digits
    "regnetx_600mf": counts("Table 2", "6.2M", "0.60B"),
    "regnety_600mf": counts("Table 2", "6.1M", "0.60B"),
}
CLAIMS = {
    name: (*claims, *MOBILE.get(name, ()), *TORCHVISION.get(name, ()))
    for name, claims in {**X, **Y}.items()
}
