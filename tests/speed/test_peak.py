"""The convolution peak: the best of what counts a convolution as it is defined."""

import pytest
import torch

from convatlas.errors import ExportError
from convatlas.speed import peak

SECONDS = {"eager": 4.0, "channels_last": 2.0, "openvino": 1.0, "openvino-bf16": 0.5, "ncnn": 0.1}


@pytest.fixture
def clock(monkeypatch):
    """Seconds that pass by our own count: each form takes its own."""
    passed = [0.0]

    def made(self, form, threads):
        if form.name not in SECONDS:
            raise ExportError(f"no {form.name}")

        def answer(maps: torch.Tensor) -> None:
            passed[0] += SECONDS[form.name]

        return answer

    monkeypatch.setattr(peak, "is_installed", lambda form: True)
    monkeypatch.setattr(peak.Forms, "made", made)
    return lambda: passed[0]


def test_the_fastest_form_of_each_precision_is_the_peak(clock):
    """But for ncnn, whose convolutions have fewer multiplications."""
    most = max(peak.operations(channels, side) for channels, side in peak.PROBES)
    assert peak.peaks(2, clock) == {"f32": most / 1.0, "bf16": most / 0.5}


def test_a_multiply_add_is_two_operations():
    assert peak.operations(2, 3) == 2 * peak.LAYERS * peak.BATCH * (2 * 2 * 9) * (3 * 3)
