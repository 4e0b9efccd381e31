"""A server whose engine answers by each picture's mean, after as long as is asked for. Run as
`python stand_in.py SECONDS PLACES DRAIN`; it prints its address.
"""

import sys
import time

import numpy as np

from convatlas.deploy.engines import Opened
from convatlas.deploy.record import Record
from convatlas.serving.models import Model


def model(seconds: float = 0.0, name: str = "stand_in") -> Model:
    """Two classes, whose logits are the mean level and 0."""

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        time.sleep(seconds)
        level = pictures.mean((1, 2, 3), dtype=np.float32)
        logits = np.stack([level, np.zeros_like(level)], 1)
        shares = np.exp(logits - logits.max(1, keepdims=True))
        return logits, shares / shares.sum(1, keepdims=True)

    record = Record("lenet5", ("bright", "dark"), {}, "", {}, {})
    return Model(name, Opened(record, "numpy 2", "f32", run))


if __name__ == "__main__":
    from convatlas.serving import app, guards, lingering, running

    seconds, places, drain = float(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    running.Timed.header_seconds = 0.4
    running.DRAIN_SECONDS = drain
    lingering.LINGER_SECONDS = 0.2
    listening = running.bound("127.0.0.1", 0)
    print(f"listening on http://127.0.0.1:{listening.getsockname()[1]}", flush=True)
    limits = app.Limits(body_bytes=300_000, body_seconds=0.4, megapixels=1, places=places)
    models = {name: model(seconds, name) for name in ("stand_in", "other")}
    running.run(app.application(models, guards.Guard("127.0.0.1", ""), limits), listening)
