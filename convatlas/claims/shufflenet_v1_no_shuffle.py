"""What is printed of the networks of nets/shufflenet_v1_no_shuffle.py."""

from convatlas.claim import Claim, counted_otherwise, each

PLACE = "Table 3: ShuffleNet 1x, of Table 1's widths"
OF_3 = each("size", PLACE, {"Stage2": "240x28x28", "Stage3": "480x14x14", "Stage4": "960x7x7"})
OF_8 = each("size", PLACE, {"Stage2": "384x28x28", "Stage3": "768x14x14", "Stage4": "1536x7x7"})
WITHOUT_FC = counted_otherwise(
    "Without the last layer it has 136,829,952; Table 1 leaves that layer out."
)
CLAIMS = {
    "shufflenet_v1_g3_no_shuffle": (
        *OF_3,
        Claim("groups", "3", "Table 3: g = 3", "Stage3.*.gconv?"),
        Claim("macs", "137M", "Table 1, complexity"),
        Claim("layers", "50", "Sec. 4.3"),
    ),
    "shufflenet_v1_g8_no_shuffle": (
        *OF_8,
        Claim("groups", "8", "Table 3: g = 8", "Stage3.*.gconv?"),
        Claim("macs of convolutions", "137M", "Table 1, complexity", remark=WITHOUT_FC),
        Claim("layers", "50", "Sec. 4.3"),
    ),
    "shufflenet_v1_g3_x0_5_no_shuffle": (
        Claim("macs", "38M", "Table 2, ShuffleNet 0.5x"),
        Claim("groups", "3", "Table 3: g = 3", "Stage3.*.gconv?"),
    ),
    "shufflenet_v1_g8_x0_5_no_shuffle": (
        Claim("groups", "8", "Table 3: g = 8", "Stage3.*.gconv?"),
    ),
    "shufflenet_v1_g3_x0_25_no_shuffle": (
        Claim("macs", "13M", "Table 2, ShuffleNet 0.25x"),
        Claim("groups", "3", "Table 3: g = 3", "Stage3.*.gconv?"),
    ),
    "shufflenet_v1_g8_x0_25_no_shuffle": (
        Claim("groups", "8", "Table 3: g = 8", "Stage3.*.gconv?"),
    ),
}
