"""The .dc file: its size, what comes back, and what is refused."""

import hashlib
import json
import zlib

import numpy as np
import pytest
import torch

from convatlas import create_model
from convatlas.compression.compressed_file import HEAD, load_compressed, pack, unpack
from convatlas.compression.sharing import kept, share
from convatlas.data import Preprocess
from convatlas.errors import ModelFileError
from convatlas.model_file import describe_model, weights_file

CLASSES = tuple(f"class {i}" for i in range(1000))


def packed(network: str, draw, classes: tuple[str, ...], bits: int = 6):
    """The file's bytes, and the state that it holds: weights drawn by `draw`, a third of them
    kept.
    """
    net = create_model(network, num_classes=len(classes))
    state = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    shared = {}
    for name, parameter in net.named_parameters():
        drawn = draw(parameter.shape).astype(np.float32)
        if parameter.dim() == 1:
            state[name] = torch.from_numpy(drawn)
            continue
        shared[name] = share(drawn, kept(drawn, 0.33), bits)
        state[name] = torch.from_numpy(shared[name].tensor())
    of = net.in_channels
    prep = Preprocess(of, net.side, (0.5,) * of, (0.2,) * of, "resize", net.side)
    text = describe_model(network, classes, prep, {"seed": 0}, weights_file(state))
    return pack(text, state, shared), state


def small() -> tuple[bytes, dict[str, torch.Tensor]]:
    draw = np.random.default_rng(3).standard_normal
    return packed("lenet1989", draw, tuple("0123456789"))


@pytest.fixture(scope="module")
def small_file():
    return small()


def signed(content: bytes, change) -> bytes:
    """The file of somebody who knows how to sign one, its manifest changed."""
    length = int.from_bytes(content[16:20], "little")
    about = json.loads(zlib.decompress(content[HEAD : HEAD + length]))
    payload = change(about, content[HEAD + length :])
    manifest = zlib.compress(json.dumps(about).encode())
    rest = manifest + (content[HEAD + length :] if payload is None else payload)
    sizes = (HEAD + len(rest)).to_bytes(8, "little") + len(manifest).to_bytes(4, "little")
    return content[:8] + sizes + hashlib.sha256(rest).digest() + rest


def test_squeezenet_has_at_most_400_kb_and_comes_back_bit_for_bit(tmp_path):
    """Trained weights have long tails, as Laplace's distribution has."""
    random = np.random.default_rng(0)
    content, state = packed("squeezenet1_0", lambda shape: random.laplace(size=shape), CLASSES)
    assert len(content) <= 400_000
    (tmp_path / "squeezenet.dc").write_bytes(content)
    found = unpack(tmp_path / "squeezenet.dc")
    assert weights_file(found.tensors) == weights_file(state)
    assert found.description.classes == CLASSES
    kept_weights = sum(int(w.count_nonzero()) for w in state.values() if w.dim() > 1)
    assert kept_weights == pytest.approx(0.33 * 1_244_448, rel=1e-3)


def test_the_network_answers_as_the_one_that_was_packed(small_file, tmp_path):
    content, state = small_file
    (tmp_path / "small.dc").write_bytes(content)
    saved = load_compressed(tmp_path / "small.dc")
    net = create_model("lenet1989")
    net.load_state_dict(state)
    x = torch.randn(2, 1, net.side, net.side)
    assert torch.equal(saved.net(x), net.eval()(x))
    assert (saved.network, saved.classes) == ("lenet1989", tuple("0123456789"))
    assert saved.provenance == {"seed": 0}


def test_every_prefix_is_refused_in_one_sentence(small_file, tmp_path):
    content, _ = small_file
    file = tmp_path / "cut.dc"
    for end in range(len(content)):
        file.write_bytes(content[:end])
        with pytest.raises(ModelFileError) as refused:
            unpack(file)
        assert "cut.dc is " in str(refused.value)
        assert "\n" not in str(refused.value)


def test_every_changed_byte_is_seen(small_file, tmp_path):
    content, _ = small_file
    file = tmp_path / "changed.dc"
    for at in range(0, len(content), 7):
        file.write_bytes(content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :])
        with pytest.raises(ModelFileError):
            unpack(file)


def sized(name: str, size: object):
    def change(about, payload):
        next(one for one in about["tensors"] if len(one) > 1)[name] = size

    return change


def plain_bomb(about, payload):
    bomb = zlib.compress(bytes(50_000_000), 9)
    rest = bomb + payload[about["plain"] :]
    about["plain"] = len(bomb)
    return rest


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (sized("kept", 2**40), "cannot be as its manifest says"),
        (sized("gaps", 2**40), "cannot be as its manifest says"),
        (sized("values", 257), "cannot be as its manifest says"),
        (sized("values", 0), "cannot be as its manifest says"),
        (sized("kept", -1), "not the JSON that was written"),
        (sized("kept", 1.0), "not the JSON that was written"),
        (sized("code_bytes", 2**40), "the file ends before it does"),
        (sized("kept", 1), "do not end where its bytes end"),
        (lambda about, payload: about["tensors"].pop(), "not the network's, as"),
        (lambda about, payload: about["tensors"].reverse(), "not the network's"),
        (lambda about, payload: about["tensors"][0].clear(), "not the JSON that was written"),
        (lambda about, payload: about["model"].update(network="lenet5"), "checksum differs"),
        (lambda about, payload: about.update(plain=0), "under zlib|incomplete|does not end"),
        (lambda about, payload: payload + b"\0", "1 bytes follow its last tensor"),
        (plain_bomb, "does not end where it must"),
    ],
)
def test_a_manifest_that_lies_is_refused(change, why, small_file, tmp_path):
    (tmp_path / "lie.dc").write_bytes(signed(small_file[0], lambda a, p: _bytes(change(a, p))))
    with pytest.raises(ModelFileError, match=why):
        unpack(tmp_path / "lie.dc")


def _bytes(answer: object) -> bytes | None:
    return answer if isinstance(answer, bytes) else None


def test_a_network_far_larger_than_its_file_is_refused(small_file, tmp_path):
    def change(about, payload):
        net = create_model("lenet1989")
        model = describe_model(
            "vgg16",
            CLASSES,
            Preprocess(3, 224, (0.5,) * 3, (0.2,) * 3, "resize", 224),
            {},
            weights_file(net.state_dict()),
        )
        about["model"] = json.loads(model)
        with torch.device("meta"):
            about["tensors"] = [{"name": name} for name in create_model("vgg16").state_dict()]

    (tmp_path / "bomb.dc").write_bytes(signed(small_file[0], change))
    with pytest.raises(ModelFileError, match="bytes cannot hold a network of 553,430,176"):
        unpack(tmp_path / "bomb.dc")


@pytest.mark.parametrize("content", [b"", b"PK\3\4", b"ATLAS-DC", bytes(100)])
def test_another_file_is_refused(content, tmp_path):
    (tmp_path / "other.dc").write_bytes(content)
    with pytest.raises(ModelFileError, match=r"other\.dc is (no compressed network|damaged)"):
        unpack(tmp_path / "other.dc")


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(ModelFileError, match="it is a folder"):
        unpack(tmp_path)
    with pytest.raises(ModelFileError, match="cannot read"):
        unpack(tmp_path / "absent.dc")
