"""ONNX graphs as OpenVINO models: gates are operations that its convolutions take in."""

from collections import Counter

import numpy as np
import pytest
import torch

from convatlas.deploy.openvino_cpu import compiled
from convatlas.deploy.openvino_graph import openvino_model

SHAPE = (2, 4, 8, 8)


@pytest.fixture
def ov():
    return pytest.importorskip("openvino", reason="the extra openvino is not installed")


def gated(**factors: float) -> bytes:
    """A convolution of 1x1 before a hard sigmoid."""
    onnx = pytest.importorskip("onnx", reason="the extra openvino is not installed")
    rng = np.random.default_rng(0)
    weight = onnx.numpy_helper.from_array(
        rng.normal(size=(4, 4, 1, 1)).astype(np.float32), "weight"
    )
    nodes = [
        onnx.helper.make_node("Conv", ["images", "weight"], ["sums"]),
        onnx.helper.make_node("HardSigmoid", ["sums"], ["logits"], **factors),
    ]
    kind = onnx.TensorProto.FLOAT
    graph = onnx.helper.make_graph(
        nodes,
        "gated",
        [onnx.helper.make_tensor_value_info("images", kind, SHAPE)],
        [onnx.helper.make_tensor_value_info("logits", kind, SHAPE)],
        [weight],
    )
    opset = onnx.helper.make_opsetid("", 18)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    return model.SerializeToString()


def counted(network) -> Counter:
    """Layers that the processor counts, by kind."""
    layers = network.get_runtime_model().get_ordered_ops()
    return Counter(layer.get_rt_info()["layerType"].astype(str) for layer in layers)


@pytest.mark.parametrize(
    ("factors", "by_itself"),
    [
        ({"alpha": 1 / 6, "beta": 0.5}, 0),
        ({}, 1),  # 0.2 and 0.5: ONNX's own and Keras's
        ({"alpha": 1 / 6, "beta": 0.4}, 1),
        ({"alpha": 0.16667, "beta": 0.5}, 1),  # of MobileNetV3 as released
    ],
)
def test_a_usual_gate_is_counted_within_its_convolution(ov, factors, by_itself):
    model = openvino_model(ov, gated(**factors))
    network = compiled(ov, model, {"INFERENCE_PRECISION_HINT": "f32"})
    assert counted(network)["Math"] == by_itself
    images = torch.randn(SHAPE, generator=torch.Generator().manual_seed(0)) * 4
    weight = np.random.default_rng(0).normal(size=(4, 4, 1, 1)).astype(np.float32)
    sums = torch.nn.functional.conv2d(images, torch.from_numpy(weight))
    alpha, beta = factors.get("alpha", 0.2), factors.get("beta", 0.5)
    wanted = (sums * alpha + beta).clamp(0, 1)
    assert (wanted == 0).any() and (wanted == 1).any()
    np.testing.assert_allclose(network(images.numpy())["logits"], wanted, rtol=1e-5, atol=1e-6)


def test_outputs_keep_their_names_and_files_their_gates(ov, tmp_path):
    model = openvino_model(ov, gated(alpha=1 / 6, beta=0.5))
    assert [one.get_any_name() for one in model.outputs] == ["logits"]
    ov.save_model(model, str(tmp_path / "gated.xml"), compress_to_fp16=False)
    read = ov.Core().read_model(tmp_path / "gated.xml")
    kinds = {node.get_type_name() for node in read.get_ops()}
    assert "HSigmoid" in kinds and "HardSigmoid" not in kinds
