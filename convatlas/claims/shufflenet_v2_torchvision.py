"""What is printed of the networks of nets/shufflenet_v2_torchvision.py."""

from convatlas.claim import counts

CLAIMS = {
    "shufflenet_v2_torchvision_x0_5": (
        *counts("ShuffleNet_V2_X0_5_Weights", "1,366,792", "0.04G", by="torchvision"),
    ),
    "shufflenet_v2_torchvision": (
        *counts("ShuffleNet_V2_X1_0_Weights", "2,278,604", "0.145G", by="torchvision"),
    ),
    "shufflenet_v2_torchvision_x1_5": (
        *counts("ShuffleNet_V2_X1_5_Weights", "3,503,624", "0.296G", by="torchvision"),
    ),
    "shufflenet_v2_torchvision_x2_0": (
        *counts("ShuffleNet_V2_X2_0_Weights", "7,393,996", "0.583G", by="torchvision"),
    ),
}
