"""What is printed of the network of nets/se_mobilenet_v1.py."""

from convatlas.claim import Claim, not_explained

VALUES = not_explained(
    "569,220,096 in convolutions and fully connected layers. One operation more for each of the "
    "2,709,504 values that the gates scale would make 571.9 million."
)
CLAIMS = {
    "se_mobilenet_v1": (
        Claim("params", "4.7M", "Table 3, Params"),
        Claim("macs", "572M", "Table 3, MFLOPs", remark=VALUES),
    )
}
