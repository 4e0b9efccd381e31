"""Networks as graphs that engines read as they are meant."""

import io

import numpy as np
import pytest
import torch
from torch import nn

from convatlas.data import Preprocess
from convatlas.deploy.network_graph import network_graph, write_plainly
from convatlas.deploy.openvino_cpu import compiled
from convatlas.model_file import Saved


class Gate(nn.Module):
    """The gate of MobileNetV3 as it was released, with a factor that is not 1/6."""

    def __init__(self, factor: float):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        gate = torch.nn.functional.relu6(x + 3) * self.factor
        return (x * gate).mean((2, 3))


@pytest.mark.parametrize("factor", [0.16667, 0.1665, 0.17, 0.3, 1 / 6])
def test_a_factor_near_a_sixth_is_not_taken_for_it(factor):
    pytest.importorskip("onnx", reason="the extra openvino is not installed")
    pytest.importorskip("onnxscript", reason="the extra openvino is not installed")
    ov = pytest.importorskip("openvino", reason="the extra openvino is not installed")
    gate = Gate(factor)
    saved = Saved(gate, "gate", ("a", "b", "c"), Preprocess(3, 8, (0,) * 3, (1,) * 3, "pad", 8), {})
    model = ov.convert_model(io.BytesIO(network_graph(saved).SerializeToString()))
    network = compiled(ov, model, {"INFERENCE_PRECISION_HINT": "f32"})
    x = 4 * torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    np.testing.assert_allclose(network(x.numpy())["logits"], gate(x), rtol=1e-6, atol=1e-6)


class Clip(nn.Module):
    def __init__(self, limits: dict[str, float]):
        super().__init__()
        self.limits = limits

    def forward(self, x):
        return torch.nn.functional.hardtanh(x, **self.limits) * 0.16667


@pytest.mark.parametrize(
    "limits", [{}, {"min_val": -2.0}, {"max_val": 3.0}, {"min_val": -2.0, "max_val": 3.0}]
)
def test_a_clip_that_is_moved_keeps_its_limits(limits):
    x = torch.linspace(-4, 4, 100)
    program = torch.export.export(Clip(limits), (x,))
    write_plainly(program)
    called = [str(node.target) for node in program.graph.nodes if node.op == "call_function"]
    assert called == ["aten.mul.Tensor", "aten.hardtanh.default"]
    torch.testing.assert_close(program.module()(x), Clip(limits)(x))
