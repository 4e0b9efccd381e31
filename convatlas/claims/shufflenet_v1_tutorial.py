"""What is printed of the networks of nets/shufflenet_v1_tutorial.py."""

from convatlas.claim import Claim

CLAIMS = {
    f"shufflenet_v1_g{groups}_tutorial": (
        Claim("macs", macs, "model.py: counted, which biases do not change", by="jaxony"),
    )
    for groups, macs in {
        1: "141,909,705",
        2: "140,836,512",
        3: "137,460,672",
        4: "134,339,776",
        8: "138,365,952",
    }.items()
}
