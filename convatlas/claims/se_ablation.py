"""What is printed of the networks of nets/se_ablation.py."""

from convatlas.claim import Claim, misprint

WHY_1 = misprint(
    "30.59M, and 30.60M with the biases that Sec. 6 removes. Only with both these biases and "
    "the running statistics of batch norm, which are not trained, does it come to 30.66M."
)
CLAIMS = {
    "se_resnet50_r2": (Claim("params", "45.7M", "Table 10"),),
    "se_resnet50_r4": (Claim("params", "35.7M", "Table 10"),),
    "se_resnet50_r8": (Claim("params", "30.7M", "Table 10", remark=WHY_1),),
    "se_resnet50_r16": (
        Claim("params", "28.1M", "Table 10"),
        Claim("macs", "3.87G", "Table 13, SE All, GFLOPs"),
        Claim("params", "28.1M", "Table 13, SE All, params"),
        Claim("macs", "3.87G", "Table 15, SE, GFLOPs"),
        Claim("params", "28.1M", "Table 15, SE, params"),
        Claim("macs", "3.87G", "Table 16, SE, GFLOPs"),
        Claim("params", "28.1M", "Table 16, SE, params"),
    ),
    "se_resnet50_r32": (Claim("params", "26.9M", "Table 10"),),
    "se_resnet50_stage2": (
        Claim("macs", "3.86G", "Table 13, SE Stage 2, GFLOPs"),
        Claim("params", "25.6M", "Table 13, SE Stage 2, params"),
    ),
    "se_resnet50_stage3": (
        Claim("macs", "3.86G", "Table 13, SE Stage 3, GFLOPs"),
        Claim("params", "25.7M", "Table 13, SE Stage 3, params"),
    ),
    "se_resnet50_stage4": (
        Claim("macs", "3.86G", "Table 13, SE Stage 4, GFLOPs"),
        Claim("params", "26.4M", "Table 13, SE Stage 4, params"),
    ),
    "se_resnet50_3x3": (
        Claim("macs", "3.86G", "Table 15, SE 3x3, GFLOPs"),
        Claim("params", "25.8M", "Table 15, SE 3x3, params"),
    ),
    "se_resnet50_no_squeeze": (
        Claim("macs", "4.27G", "Table 16, NoSqueeze, GFLOPs"),
        Claim("params", "28.1M", "Table 16, NoSqueeze, params"),
    ),
}
