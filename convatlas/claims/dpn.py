"""What is printed of the networks of nets/dpn.py."""

from convatlas.claim import Claim, counted_otherwise, each, not_explained, table

SIZES = each(
    "size",
    "Table 1, output",
    {"conv1": "112x112", "conv2": "56x56", "conv3": "28x28", "conv4": "14x14", "conv5": "7x7"},
)
TABLE_1 = "Table 1, DPN-{}"
UNITS = (
    "kernel:branch.conv1 filters:branch.conv1 kernel:branch.conv2 filters:branch.conv2 "
    "groups:branch.conv2 kernel:branch.conv3"
)
PARAMS = "Table 1, # params"
FLOPS = "Table 1, FLOPs"
WITH_STATISTICS = counted_otherwise(
    "With the running statistics of batch norm both of the table's columns round as printed; by "
    "the usual count they are 37.7 and 61.6 million."
)
SMALLER = not_explained(
    "Convolutions and the fully connected layer take 2.326G, with the values of the norms 2.338G; "
    "the README's four other rows hold as they are counted here."
)


def gflops(printed: str, remark=None) -> Claim:
    return Claim("macs", printed, "README, GFLOPs", by="release", remark=remark)


CLAIMS = {
    "dpn92": (
        *SIZES,
        *table(TABLE_1.format("92 (32x3d)"), "kernel filters stride", {"conv1": "7x7 64 2"}),
        *table(
            TABLE_1.format("92 (32x3d)"),
            UNITS,
            {
                "conv2.*": "1x1 96 3x3 96 32 1x1",
                "conv3.*": "1x1 192 3x3 192 32 1x1",
                "conv4.*": "1x1 384 3x3 384 32 1x1",
                "conv5.*": "1x1 768 3x3 768 32 1x1",
            },
        ),
        *each(
            "repeats",
            TABLE_1.format("92 (32x3d)"),
            {"conv2": "3", "conv3": "4", "conv4": "20", "conv5": "3"},
        ),
        Claim("params with statistics", "37.8e6", PARAMS, remark=WITH_STATISTICS),
        Claim("macs", "6.5e9", FLOPS),
        Claim("layers", "92", "Table 1: DPN-92"),
        gflops("6.5G"),
    ),
    "dpn98": (
        *SIZES,
        *table(TABLE_1.format("98 (40x4d)"), "kernel filters stride", {"conv1": "7x7 96 2"}),
        *table(
            TABLE_1.format("98 (40x4d)"),
            UNITS,
            {
                "conv2.*": "1x1 160 3x3 160 40 1x1",
                "conv3.*": "1x1 320 3x3 320 40 1x1",
                "conv4.*": "1x1 640 3x3 640 40 1x1",
                "conv5.*": "1x1 1280 3x3 1280 40 1x1",
            },
        ),
        *each(
            "repeats",
            TABLE_1.format("98 (40x4d)"),
            {"conv2": "3", "conv3": "6", "conv4": "20", "conv5": "3"},
        ),
        Claim("params with statistics", "61.7e6", PARAMS, remark=WITH_STATISTICS),
        Claim("macs", "11.7e9", FLOPS),
        Claim("layers", "98", "Table 1: DPN-98"),
        gflops("11.7G"),
        Claim("params", "61,570,728", "DPN-98, Params", by="pytorchcv README"),
    ),
    "dpn131": (
        Claim("layers", "131", "abstract: DPN-131"),
        gflops("16.0G"),
        Claim("params", "79,254,504", "DPN-131, Params", by="pytorchcv README"),
    ),
    "dpn68": (
        Claim("layers", "68", "README, DPN-68", by="release"),
        gflops("2.5G", SMALLER),
        Claim("params", "12,611,602", "DPN-68, Params", by="pytorchcv README"),
    ),
    "dpn68b": (
        Claim("layers", "68", "README, DPN-68*", by="release"),
        gflops("2.5G", SMALLER),
    ),
    "dpn107": (
        Claim("layers", "107", "README, DPN-107", by="release"),
        gflops("18.3G"),
    ),
}
