"""Files into and out of networks as people have them: of another precision, wrapped, compiled, on
the meta device, with a part of their own. It works, or one sentence says why not.
"""

import copy

import pytest
import torch
import torch.distributed as dist
import torch.nn as nn
import torchvision
from safetensors.torch import load_file, save_file
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from convatlas.errors import WeightsError
from convatlas.registry import create_model, stored_facts
from convatlas.shapes_only import shapes_only
from convatlas.weights import load_weights, save_weights
from convatlas.weights.reading import read

SMALL = 12_000_000  # parameters that a test may fill
BY_SIZE = sorted(stored_facts().items(), key=lambda item: item[1]["params"], reverse=True)
FEW = ("lenet5", "resnet20_cifar")
some_networks = pytest.mark.parametrize(
    "name",
    [
        *FEW,
        *(
            pytest.param(name, marks=pytest.mark.full)
            for name in {facts["family"]: name for name, facts in BY_SIZE}.values()
            if name not in FEW and stored_facts()[name]["params"] <= SMALL
        ),
    ],
)


@pytest.fixture
def written(tmp_path):
    """A function that writes a network of that name; gives its weights and their file."""

    def write(name: str) -> tuple[dict[str, torch.Tensor], str]:
        torch.manual_seed(1)
        net = create_model(name)
        save_weights(net, tmp_path / "w.safetensors")
        return net.state_dict(), tmp_path / "w.safetensors"

    return write


@pytest.fixture(scope="module")
def one_process():
    dist.init_process_group("gloo", store=dist.HashStore(), rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def assert_holds(net: nn.Module, held: dict[str, torch.Tensor]) -> None:
    """The same numbers, rounded to the network's precision."""
    state = net.state_dict()
    assert state.keys() == held.keys()
    for key, tensor in state.items():
        assert torch.equal(tensor, held[key].to(tensor.dtype)), key


@some_networks
def test_lower_precision(name, written):
    held, file = written(name)
    for dtype, said in ((torch.float16, "float16"), (torch.bfloat16, "bfloat16")):
        net = create_model(name).to(dtype)
        certificate = load_weights(net, file)
        assert_holds(net, held)
        assert {p.dtype for p in net.parameters()} == {dtype}
        assert certificate.difference <= 1e-8
        assert certificate.rounded == said
        assert str(certificate).endswith(f"then rounded to {said}, the network's precision")


@some_networks
def test_a_network_of_any_precision_is_written_and_read_back(name, tmp_path):
    for dtype in (torch.float16, torch.float64):
        net = create_model(name).to(dtype)
        save_weights(net, tmp_path / f"{dtype}.safetensors")
        again = create_model(name).to(dtype)
        assert load_weights(again, tmp_path / f"{dtype}.safetensors").rounded == ""
        assert_holds(again, net.state_dict())
        single = create_model(name)
        assert load_weights(single, tmp_path / f"{dtype}.safetensors").difference <= 1e-8
        assert_holds(single, net.state_dict())


def test_what_a_precision_cannot_hold_is_refused(tmp_path):
    net = create_model("resnet20_cifar")
    net.fc.bias.data[0] = 1e6
    save_weights(net, tmp_path / "w.safetensors")
    half = create_model("resnet20_cifar").half()
    before = copy.deepcopy(half.state_dict())
    with pytest.raises(WeightsError, match=r"values in fc\.bias that float16 cannot; load it into"):
        load_weights(half, tmp_path / "w.safetensors")
    assert_holds(half, before)
    load_weights(create_model("resnet20_cifar").bfloat16(), tmp_path / "w.safetensors")


def test_a_changed_file_is_found_out_in_any_precision(written, tmp_path):
    _, file = written("resnet20_cifar")
    tensors = load_file(file)
    tensors["fc.weight"][0] += 1e-4  # less than half precision's own rounding of the answer
    save_file(tensors, tmp_path / "changed.safetensors", read(file).metadata)
    for dtype in (torch.float32, torch.float16, torch.bfloat16):
        net = create_model("resnet20_cifar").to(dtype)
        before = copy.deepcopy(net.state_dict())
        with pytest.raises(WeightsError, match="does not answer as recorded in it"):
            load_weights(net, tmp_path / "changed.safetensors")
        assert_holds(net, before)
        assert net.certificate is None


WRAPPERS = {
    "DataParallel": nn.DataParallel,
    "DistributedDataParallel": DistributedDataParallel,
    "AveragedModel": AveragedModel,
    "compiled": lambda net: torch.compile(net, backend="eager"),
    "compiled DataParallel": lambda net: torch.compile(nn.DataParallel(net), backend="eager"),
}


@pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)
@some_networks
def test_wrapped(name, wrap, written, tmp_path, one_process):
    held, file = written(name)
    wrapped = wrap(create_model(name))
    assert load_weights(wrapped, file).network == name
    save_weights(wrapped, tmp_path / "out.safetensors")
    net = create_model(name, weights=tmp_path / "out.safetensors")
    assert_holds(net, held)
    assert net.certificate.difference <= 1e-12


def test_compiled_in_place(written, tmp_path):
    held, file = written("resnet20_cifar")
    net = create_model("resnet20_cifar").eval()
    net.compile(backend="eager")
    with torch.no_grad():
        before = net(torch.ones(1, 3, 32, 32))
        load_weights(net, file)
        assert not torch.equal(net(torch.ones(1, 3, 32, 32)), before)
    assert_holds(net, held)
    save_weights(net, tmp_path / "out.safetensors")


@some_networks
def test_on_the_meta_device(name, written, tmp_path):
    """Loading gives a network memory, and what it did not hold before cannot be written."""
    held, file = written(name)
    with shapes_only():
        net = create_model(name).half()
    with pytest.raises(WeightsError, match=f"{name} is on the meta device, which keeps no numbers"):
        save_weights(net, tmp_path / "out.safetensors")
    net.requires_grad_(False)
    load_weights(net, file)
    assert_holds(net, held)
    assert not any(p.requires_grad for p in net.parameters())
    with shapes_only():
        net = create_model(name, num_classes=4)
    with pytest.raises(
        WeightsError, match=r"does not give .*; create this .* without torch\.device"
    ):
        load_weights(net, file, adapt_classes=True)


def test_counters_that_an_old_file_lacks_begin_at_zero_on_the_meta_device(written, tmp_path):
    held, _ = written("resnet20_cifar")
    old = {key: tensor for key, tensor in held.items() if not key.endswith("batches_tracked")}
    torch.save(old, tmp_path / "old.pth")
    with shapes_only():
        net = create_model("resnet20_cifar")
    assert load_weights(net, tmp_path / "old.pth").tensors == len(old)
    assert_holds(net, held)


HEADS = {
    "sequence": lambda: nn.Sequential(nn.Dropout(), nn.Linear(64, 5)),
    "none": nn.Identity,
    "no bias": lambda: nn.Linear(64, 5, bias=False),
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_a_head_of_ones_own(head, written, tmp_path):
    held, file = written("resnet20_cifar")
    net = create_model("resnet20_cifar")
    net.fc = head()
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(WeightsError, match=r"was changed \(fc\.\S+\); adapt_classes=True loads"):
        load_weights(net, file)
    assert_holds(net, before)
    certificate = load_weights(net, file, adapt_classes=True)
    own = {f"fc.{key}": tensor for key, tensor in net.fc.state_dict().items()}
    body = {key: tensor for key, tensor in held.items() if not key.startswith("fc.")}
    assert_holds(net, body | own)
    assert set(certificate.fresh) == own.keys()
    assert certificate.unread
    assert f"in the file, but not read: {', '.join(certificate.unread)}" in str(certificate)
    assert "no answer is compared" in str(certificate)
    with pytest.raises(WeightsError, match="is not as create_model makes it, and load_weights"):
        save_weights(net, tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()


def remove_the_stem(net: nn.Module) -> None:
    net.conv1.conv = nn.Conv2d(3, 16, 1)


def widen_the_stem(net: nn.Module) -> None:
    net.conv1.conv.conv = nn.Conv2d(3, 16, 5, padding=2, bias=False)


@pytest.mark.parametrize("change", [remove_the_stem, widen_the_stem])
def test_a_body_of_ones_own_is_refused(change, written):
    _, file = written("resnet20_cifar")
    net = create_model("resnet20_cifar")
    change(net)
    with pytest.raises(WeightsError, match=r"was changed \(conv1.*; load the file first, and"):
        load_weights(net, file, adapt_classes=True, adapt_channels=True)


def test_another_activation_is_found_by_the_answer(written):
    _, file = written("resnet20_cifar")
    net = create_model("resnet20_cifar")
    net.conv1.relu = nn.GELU()
    with pytest.raises(
        WeightsError, match="if this resnet20_cifar was changed, load it into a new"
    ):
        load_weights(net, file)


def test_somebody_elses_module_is_refused(tmp_path):
    with pytest.raises(WeightsError, match="this Linear is not as create_model makes it"):
        save_weights(nn.Linear(2, 2), tmp_path / "out.safetensors")


def test_a_file_for_torchvision_fills_torchvision_s_network(tmp_path):
    net = create_model("resnet18").eval()
    save_weights(net, tmp_path / "ours.pth", to="torchvision")
    theirs = torchvision.models.resnet18()
    theirs.load_state_dict(torch.load(tmp_path / "ours.pth", weights_only=True))
    x = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(theirs.eval()(x), net(x), atol=1e-5)
