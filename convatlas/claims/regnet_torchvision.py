"""What is printed of the networks of nets/regnet_torchvision.py."""

from convatlas.claim import counts

CLAIMS = {
    "regnetx_400mf_torchvision": counts(
        "RegNet_X_400MF_Weights", "5,495,976", "0.414G", by="torchvision"
    ),
    "regnety_800mf_torchvision": counts(
        "RegNet_Y_800MF_Weights", "6,432,512", "0.834G", by="torchvision"
    ),
    "regnety_8gf_torchvision": counts(
        "RegNet_Y_8GF_Weights", "39,381,472", "8.473G", by="torchvision"
    ),
}
