"""An index of a few networks, measured here: what is tested does not depend on the stored one."""

import pytest

from convatlas.index import wirings

FEW = (
    *("lenet5", "lenet5_tutorial", "alexnet_owt", "squeezenet1_1", "resnet18", "resnet18_32"),
    *("resnet20_cifar", "mobilenet_v3_small"),
)


@pytest.fixture(scope="session")
def few() -> dict[str, wirings.Wiring]:
    return {name: wirings.measured(name) for name in FEW}


@pytest.fixture
def index(few, monkeypatch) -> dict[str, wirings.Wiring]:
    """The few, where the index is looked up."""
    monkeypatch.setattr(wirings, "stored", lambda: few)
    return few
