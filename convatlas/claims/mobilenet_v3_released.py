"""What is printed of the networks of nets/mobilenet_v3_released.py."""

from convatlas.claim import counts

CLAIMS = {
    "mobilenet_v3_large_released": counts("README", "", "217M", by="release"),
    "mobilenet_v3_large_released_x0_75": counts("README", "4.0M", "155M", by="release"),
    "mobilenet_v3_large_released_minimalistic": counts("README", "3.9M", "209M", by="release"),
    "mobilenet_v3_small_released_minimalistic": counts("README", "2.0M", "", by="release"),
}
