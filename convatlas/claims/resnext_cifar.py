"""What is printed of the networks of nets/resnext_cifar.py."""

from convatlas.claim import Claim, counted_otherwise, each, table

MAP_SIZES = each(
    "size", "Appendix A, output map size", {"stage1": "32x32", "stage2": "16x16", "stage3": "8x8"}
)
WITHOUT_NORMS = counted_otherwise(
    "Without batch norm, which Eq. (4) does not count either; the table's other row holds so too."
)
STAGES = ("stage1", "stage2", "stage3")
APPENDIX_A = (
    *table("Appendix A", "kernel filters", {"conv1": "3x3 64"}),
    *each(
        "repeats", "Appendix A: 3 stages each having 3 residual blocks", dict.fromkeys(STAGES, "3")
    ),
    *each("kernel", "Appendix A, the template", {"*.conv1": "1x1", "*.conv3": "1x1"}),
    Claim("kernel", "3x3", "Appendix A, the template", "stage*.conv2"),
)
CLAIMS = {
    "resnext29_8x64d_cifar": (
        *MAP_SIZES,
        Claim("size", "64x32x32", "Appendix A, the first layer", "conv1"),
        Claim("size", "256x32x32", "Sec. 5.3, last 1x1 of the template", "stage1"),
        Claim("params", "34.4M", "Table 7, # params"),
        Claim("layers", "29", "Sec. 5.3: total 29-layer deep"),
        *APPENDIX_A,
        Claim("groups", "8", "Table 7, 8x64d", "stage*.conv2"),
        Claim("filters", "512", "Sec. 5.3: the template of stage 1, 8x64d", "stage1.*.conv2"),
    ),
    "resnext29_16x64d_cifar": (
        *MAP_SIZES,
        Claim("size", "64x32x32", "Appendix A, the first layer", "conv1"),
        Claim("size", "256x32x32", "Sec. 5.3, last 1x1 of the template", "stage1"),
        Claim("params without norms", "68.1M", "Table 7, # params", remark=WITHOUT_NORMS),
        Claim("layers", "29", "Sec. 5.3: total 29-layer deep"),
        *APPENDIX_A,
        Claim("groups", "16", "Table 7, 16x64d", "stage*.conv2"),
        Claim(
            "params",
            "0.35x",
            "Sec. 4.3: only 35% parameters",
            by="Res2Net",
            than="res2next29_6c24w4s_cifar",
        ),
        Claim("filters", "1024", "Sec. 5.3: the template of stage 1, 16x64d", "stage1.*.conv2"),
    ),
}
