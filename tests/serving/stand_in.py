"""A server whose engine answers by each picture's mean, after as long as is asked for. Run as
`python stand_in.py SECONDS PLACES`; it writes its port.
"""

import sys
import time

import numpy as np

from convatlas.deploy.engines import Opened
from convatlas.deploy.record import Record
from convatlas.serving.models import Model


def model(seconds: float = 0.0) -> Model:
    """Two classes, whose logits are the mean level and 0."""

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        time.sleep(seconds)
        level = pictures.mean((1, 2, 3), dtype=np.float32)
        logits = np.stack([level, np.zeros_like(level)], 1)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return logits, shares / shares.sum(1, keepdims=True)

    record = Record("lenet5", ("bright", "dark"), {}, "", {}, {})
    return Model("stand_in", Opened(record, "numpy 2", "f32", run))


if __name__ == "__main__":
    from convatlas.serving import app, guards, running

    seconds, places = float(sys.argv[1]), int(sys.argv[2])
    running.Timed.header_seconds = 0.4
    listening = running.bound("127.0.0.1", 0)
    print(listening.getsockname()[1], flush=True)
    limits = app.Limits(body_bytes=100_000, body_seconds=0.4, max_megapixels=1, places=places)
    one = {"stand_in": model(seconds)}
    running.run(app.application(one, guards.Guard("127.0.0.1", ""), limits), listening)
