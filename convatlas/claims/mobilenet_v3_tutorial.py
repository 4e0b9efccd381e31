"""What is printed of the networks of nets/mobilenet_v3_tutorial.py."""

from convatlas.claim import counts

COPIES = "model.py as copied with its gate in the tail: counted"
CLAIMS = {
    "mobilenet_v3_large_tutorial": counts(COPIES, "5,152,518", "248,776,032", by="leaderj1001"),
    "mobilenet_v3_small_tutorial": counts(COPIES, "3,111,462", "60,285,408", by="leaderj1001"),
}
