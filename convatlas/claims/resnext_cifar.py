"""What is printed of the networks of nets/resnext_cifar.py."""

from convatlas.claim import Claim, counted_otherwise, each

SHARED_1 = each(
    "size", "Appendix A, output map size", {"stage1": "32x32", "stage2": "16x16", "stage3": "8x8"}
)
WITHOUT_NORMS = counted_otherwise(
    "Without batch norm, which Eq. (4) does not count either; the table's other row holds so too."
)
CLAIMS = {
    "resnext29_8x64d_cifar": (
        *SHARED_1,
        Claim("size", "64x32x32", "Appendix A, the first layer", "conv1"),
        Claim("size", "256x32x32", "Sec. 5.3, last 1x1 of the template", "stage1"),
        Claim("params", "34.4M", "Table 7, # params"),
        Claim("layers", "29", "Sec. 5.3: total 29-layer deep"),
    ),
    "resnext29_16x64d_cifar": (
        *SHARED_1,
        Claim("size", "64x32x32", "Appendix A, the first layer", "conv1"),
        Claim("size", "256x32x32", "Sec. 5.3, last 1x1 of the template", "stage1"),
        Claim("params without norms", "68.1M", "Table 7, # params", remark=WITHOUT_NORMS),
        Claim("layers", "29", "Sec. 5.3: total 29-layer deep"),
    ),
}
