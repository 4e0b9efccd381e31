"""What is printed of the networks of nets/efficientnet_v2_torchvision.py."""

from convatlas.claim import counts

CLAIMS = {
    "efficientnet_v2_s_torchvision": counts(
        "EfficientNet_V2_S_Weights", "21,458,488", "8.366G", by="torchvision"
    ),
    "efficientnet_v2_m_torchvision": counts(
        "EfficientNet_V2_M_Weights", "54,139,356", "24.582G", by="torchvision"
    ),
    "efficientnet_v2_l_torchvision": counts(
        "EfficientNet_V2_L_Weights", "118,515,272", "56.08G", by="torchvision"
    ),
}
