"""A small network that was really trained, for a server to answer with."""

import pytest

from convatlas.cli import run as command
from convatlas.deploy.engines import KINDS
from convatlas.training import Recipe, train


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "mine"
    train(Recipe(network="lenet_caffe", data="digits", epochs=2, batch_size=32), folder)
    return folder


@pytest.fixture(scope="session")
def files(run, tmp_path_factory):
    """The run, exported for each engine that is installed."""
    folder = tmp_path_factory.mktemp("exported")
    found = []
    for to in ("onnx", "openvino"):
        if to == "openvino":
            pytest.importorskip("openvino", reason="the extra openvino is not installed")
        file = folder / f"digits_{to}{KINDS[to].suffix}"
        assert command(["export", str(run), "--to", to, "--output", str(file)]) == 0
        found.append(file)
    return found
