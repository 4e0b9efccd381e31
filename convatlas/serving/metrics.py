"""What a server has done, in the text format that Prometheus reads."""

from collections import Counter
from dataclasses import dataclass, field

from convatlas.serving.line import Line

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # seconds
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(eq=False)
class Metrics:
    answers: Counter = field(default_factory=Counter)  # by status
    within: Counter = field(default_factory=Counter)  # by bound, cumulative
    count: int = 0
    seconds: float = 0.0

    def answered(self, status: int, seconds: float) -> None:
        self.answers[status] += 1
        self.count += 1
        self.seconds += seconds
        for bound in BOUNDS:
            self.within[bound] += seconds <= bound

    def text(self, line: Line) -> str:
        lines = ["# TYPE convatlas_requests_total counter"]
        lines += [
            f'convatlas_requests_total{{status="{status}"}} {count}'
            for status, count in sorted(self.answers.items())
        ]
        lines += ["# TYPE convatlas_request_seconds histogram"]
        lines += [
            f'convatlas_request_seconds_bucket{{le="{bound}"}} {self.within[bound]}'
            for bound in BOUNDS
        ]
        lines += [
            f'convatlas_request_seconds_bucket{{le="+Inf"}} {self.count}',
            f"convatlas_request_seconds_sum {self.seconds:.6f}",
            f"convatlas_request_seconds_count {self.count}",
            "# TYPE convatlas_pictures_total counter",
            f"convatlas_pictures_total {line.pictures}",
            "# TYPE convatlas_batches_total counter",
            f"convatlas_batches_total {line.batches}",
            "# TYPE convatlas_requests_inside gauge",
            f"convatlas_requests_inside {line.taken}",
            "# TYPE convatlas_places gauge",
            f"convatlas_places {line.places}",
        ]
        return "\n".join(lines) + "\n"
