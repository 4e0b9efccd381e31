"""What torch's two exporters write is the network that it was written from."""

import warnings

import pytest
import torch
import torchvision
from skips import needs

from convatlas.anatomy.steps import Walk
from convatlas.identification.onnx_module import Exported, OnnxNetwork
from convatlas.identification.verdict import judged
from convatlas.index import wirings

TWINS = {
    "resnet18": "resnet18",
    "squeezenet1_1": "squeezenet1_1",
    "mobilenet_v3_small": "mobilenet_v3_small",
    "shufflenet_v2_x0_5": "shufflenet_v2_torchvision_x0_5",
}
FORMS = {
    "old": {"dynamo": False, "opset_version": 17},
    "new": {"dynamo": True, "optimize": True},
    "plain": {"dynamo": True, "optimize": False},
}

pytestmark = needs("the extra onnx is not installed", "onnx", "onnxscript")


class File:
    """An exported network."""

    exported = True
    name = "net.onnx"

    def __init__(self, path: str):
        self.made = Exported("", OnnxNetwork(path))

    def walk(self, sizes) -> Walk:
        return Walk(*self.made.traced(list(sizes)))


@pytest.fixture(scope="module")
def known() -> dict[str, wirings.Wiring]:
    return {name: wirings.measured(name) for name in TWINS.values()}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("theirs", TWINS)
def test_an_export_is_its_network(theirs, form, known, tmp_path, monkeypatch):
    monkeypatch.setattr(wirings, "stored", lambda: known)
    torch.manual_seed(0)
    net = getattr(torchvision.models, theirs)().eval()
    path = str(tmp_path / "net.onnx")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = torch.randn(1, 3, 64, 64)
        torch.onnx.export(net, (image,), path, verbose=False, **FORMS[form])
    verdict = judged(File(path))
    assert (verdict.kind, verdict.network) == ("same", TWINS[theirs])
    assert verdict.changes() == []
