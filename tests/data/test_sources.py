"""Sets by name: the digits as they are, and the published ones in small files of exactly their
format.
"""

import contextlib
import gzip
import hashlib
import pickle
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torchvision import datasets

from convatlas.data import SOURCES, fit_preprocess, open_data
from convatlas.data import digits as digits_file
from convatlas.errors import DataError

TRAIN, TEST = 60, 30
DIGITS_TEST_NAMES, DIGITS_FINGERPRINT = "fc09fbdf37816085", "33cd1f6f45242c53"


def refusal(source, **how) -> str:
    with pytest.raises(DataError) as caught:
        open_data(source, **how)
    message = str(caught.value)
    assert "Traceback" not in message
    return message


@pytest.fixture(scope="module")
def digits():
    return open_data("digits")


def test_digits_are_parted_540_for_the_test_and_a_tenth_of_the_rest(digits):
    assert [len(part) for part in (digits.train, digits.val, digits.test)] == [1131, 126, 540]
    assert (digits.name, digits.classes, digits.channels) == ("digits", tuple("0123456789"), 1)
    names = {*digits.train.names, *digits.val.names, *digits.test.names}
    assert names == {f"digits/{i}" for i in range(1797)}


def test_every_split_of_the_digits_is_stratified(digits):
    from sklearn.datasets import load_digits

    sizes = np.bincount(load_digits().target)
    assert np.abs(digits.test.labels.bincount().numpy() - sizes * 540 / 1797).max() <= 1
    assert np.abs(digits.val.labels.bincount().numpy() - sizes * 126 / 1797).max() <= 1.5


def test_the_digits_test_set_is_fixed_and_validation_follows_the_seed(digits):
    other = open_data("digits", seed=1)
    assert other.test.names == digits.test.names
    assert other.val.names != digits.val.names
    assert open_data("digits").val.names == digits.val.names
    digest = hashlib.sha256("\n".join(digits.test.names).encode()).hexdigest()
    assert digest[:16] == DIGITS_TEST_NAMES  # golden: published figures are of these 540 images
    assert digits.fingerprint[:16] == DIGITS_FINGERPRINT


def test_digits_look_like_mnist(digits):
    images = digits.train.images
    assert (images.shape[1:], images.dtype) == ((1, 28, 28), torch.uint8)
    values = images[:, 0].double()
    at = torch.arange(28).double() - 13.5
    total = values.sum((1, 2))
    assert ((values.sum(1) @ at) / total).abs().max() <= 0.51  # centre of mass, to half a pixel
    assert ((values.sum(2) @ at) / total).abs().max() <= 0.51
    rows, columns = (values > 0).any(2).sum(1), (values > 0).any(1).sum(1)
    assert rows.max() == 20
    assert columns.max() <= 20
    assert values.max() == 255


def test_digits_that_are_not_where_they_were_are_a_sentence(monkeypatch, tmp_path):
    elsewhere = SimpleNamespace(origin=str(tmp_path / "sklearn" / "__init__.py"))
    monkeypatch.setattr(digits_file, "find_spec", lambda name: elsewhere)
    with pytest.raises(
        DataError, match=r"come with scikit-learn, and .*digits\.csv\.gz is not there"
    ):
        digits_file.load_digits()


def test_a_digit_keeps_its_image_and_label(digits):
    """Shrunk again to 8x8, image digits/i is nearest to sklearn's own number i, for nearly all."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    numbers = [int(name.split("/")[1]) for name in digits.val.names]
    assert torch.equal(digits.val.labels, torch.from_numpy(bunch.target[numbers]).long())
    small = torch.from_numpy(bunch.images[numbers])
    ink, original = digits.val.images.double().sum((1, 2, 3)), small.sum((1, 2))
    assert np.corrcoef(ink, original)[0, 1] > 0.99


def test_digits_are_padded_for_lenet5(digits):
    prep = fit_preprocess(digits, 32)
    assert (prep.fit, prep.content) == ("pad", 28)


def arrays(shape: tuple[int, ...], classes: int, n: int, seed: int):
    images = np.random.default_rng(seed).integers(0, 256, (n, *shape), dtype=np.uint8)
    return images, np.arange(n) % classes


def write_idx(root: Path, folder: str) -> list[np.ndarray]:
    """MNIST's format (yann.lecun.com): big-endian magic and sizes, then bytes."""
    raw = root / folder / "raw"
    raw.mkdir(parents=True)
    written = []
    for prefix, n, seed in (("train", TRAIN, 0), ("t10k", TEST, 1)):
        images, labels = arrays((28, 28), 10, n, seed)
        (raw / f"{prefix}-images-idx3-ubyte").write_bytes(
            struct.pack(">iiii", 2051, n, 28, 28) + images.tobytes()
        )
        (raw / f"{prefix}-labels-idx1-ubyte").write_bytes(
            struct.pack(">ii", 2049, n) + bytes(labels.tolist())
        )
        written.append(images)
    return written


def test_tensors_that_old_versions_left_beside_the_files_of_mnist_are_not_taken(tmp_path):
    write_idx(tmp_path, "MNIST")
    before = open_data("mnist", root=tmp_path)
    processed = tmp_path / "MNIST" / "processed"
    processed.mkdir()
    for name in ("training.pt", "test.pt"):
        images = torch.zeros(40, 28, 28, dtype=torch.uint8)
        torch.save((images, torch.arange(40) % 10), processed / name)
    data = open_data("mnist", root=tmp_path)
    assert data.fingerprint == before.fingerprint
    assert len(data.train) + len(data.val) == TRAIN
    assert torch.equal(data.train.images, before.train.images)


def write_cifar(
    root: Path, monkeypatch, reader, batches: dict[str, int], label_key: str, names: list[str]
) -> dict:
    """CIFAR's format: pickled dictionaries with rows of 3072 bytes, red first. The checksums
    torchvision demands are those of the real files, so it is told those of ours.
    """
    folder = root / reader.base_folder
    folder.mkdir(parents=True)
    written, sums = {}, {}
    for seed, (name, n) in enumerate(batches.items()):
        images, labels = arrays((3, 32, 32), len(names), n, seed)
        content = pickle.dumps({"data": images.reshape(n, 3072), label_key: labels.tolist()})
        (folder / name).write_bytes(content)
        written[name], sums[name] = images, hashlib.md5(content).hexdigest()
    meta = pickle.dumps({reader.meta["key"]: names})
    (folder / reader.meta["filename"]).write_bytes(meta)
    monkeypatch.setattr(reader, "meta", reader.meta | {"md5": hashlib.md5(meta).hexdigest()})
    for files in ("train_list", "test_list"):
        monkeypatch.setattr(
            reader, files, [[name, sums[name]] for name, _ in getattr(reader, files)]
        )
    return written


def check_published(data, classes: int, channels: int, side: int) -> None:
    assert len(data.classes) == classes
    assert data.channels == channels
    assert data.train.images.shape[1:] == (channels, side, side)
    assert data.test.names == [f"test/{i}" for i in range(len(data.test))]
    assert len(data.train) + len(data.val) == TRAIN
    for part in (data.train, data.val):
        numbers = torch.tensor([int(name.removeprefix("train/")) for name in part.names])
        assert torch.equal(part.labels, numbers % classes)


@pytest.mark.parametrize(
    ("source", "folder", "first"),
    [
        ("mnist", "MNIST", "0"),
        ("fashion-mnist", "FashionMNIST", "T-shirt/top"),
        ("kmnist", "KMNIST", "o"),
    ],
)
def test_idx_sets(tmp_path, source, folder, first):
    train, test = write_idx(tmp_path, folder)
    data = open_data(source, root=tmp_path)
    check_published(data, 10, 1, 28)
    assert torch.equal(data.test.images[:, 0], torch.from_numpy(test))
    assert torch.equal(
        data.train.read(0)[0],
        torch.from_numpy(train[int(data.train.names[0].removeprefix("train/"))]),
    )
    assert data.classes[0] == first
    assert data.val.labels.bincount().tolist() == [1] * 10
    assert open_data(source, root=tmp_path, seed=2).val.names != data.val.names


def test_cifar10(tmp_path, monkeypatch):
    batches = {f"data_batch_{i}": TRAIN // 5 for i in range(1, 6)} | {"test_batch": TEST}
    names = ["airplane", "automobile", "bird", "cat"]
    written = write_cifar(tmp_path, monkeypatch, datasets.CIFAR10, batches, "labels", names)
    data = open_data("cifar10", root=tmp_path)
    check_published(data, 4, 3, 32)
    assert data.classes == tuple(names)
    assert torch.equal(data.test.images, torch.from_numpy(written["test_batch"]))
    train = np.concatenate([written[f"data_batch_{i}"] for i in range(1, 6)])
    assert torch.equal(
        data.train.read(3), torch.from_numpy(train[int(data.train.names[3].removeprefix("train/"))])
    )


def test_cifar100(tmp_path, monkeypatch):
    names = ["apple", "aquarium_fish", "baby"]
    batches = {"train": TRAIN, "test": TEST}
    written = write_cifar(tmp_path, monkeypatch, datasets.CIFAR100, batches, "fine_labels", names)
    data = open_data("cifar100", root=tmp_path)
    check_published(data, 3, 3, 32)
    assert torch.equal(data.test.images, torch.from_numpy(written["test"]))


def test_svhn(tmp_path, monkeypatch):
    """SVHN's format: MATLAB arrays, X (32, 32, 3, N), y (N, 1), with 10 written for the digit 0."""
    from scipy.io import savemat

    split_list, written = {}, {}
    for part, n, seed in (("train", TRAIN, 0), ("test", TEST, 1)):
        images, labels = arrays((3, 32, 32), 10, n, seed)
        path = tmp_path / f"{part}_32x32.mat"
        tens = np.where(labels == 0, 10, labels).astype(np.uint8)
        savemat(path, {"X": images.transpose(2, 3, 1, 0), "y": tens[:, None]})
        split_list[part] = ["", path.name, hashlib.md5(path.read_bytes()).hexdigest()]
        written[part] = images
    monkeypatch.setattr(datasets.SVHN, "split_list", split_list)
    data = open_data("svhn", root=tmp_path)
    check_published(data, 10, 3, 32)
    assert torch.equal(data.test.images, torch.from_numpy(written["test"]))


def test_the_fingerprint_is_of_images_and_labels(tmp_path):
    write_idx(tmp_path, "MNIST")
    raw = tmp_path / "MNIST" / "raw"
    first = open_data("mnist", root=tmp_path).fingerprint
    assert open_data("mnist", root=tmp_path, seed=3).fingerprint == first
    for name in ("t10k-images-idx3-ubyte", "train-labels-idx1-ubyte"):
        content = bytearray((raw / name).read_bytes())
        content[-1] ^= 1
        (raw / name).write_bytes(content)
    assert open_data("mnist", root=tmp_path).fingerprint != first


@pytest.mark.parametrize("source", [name for name in SOURCES if name != "digits"])
def test_a_set_that_is_not_there(tmp_path, source):
    message = refusal(source, root=tmp_path)
    assert source in message
    assert str(tmp_path) in message
    assert "--download fetches it" in message
    assert "\n" not in message


def test_one_missing_file_is_named(tmp_path):
    write_idx(tmp_path, "MNIST")
    (tmp_path / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    message = refusal("mnist", root=tmp_path)
    assert "t10k-labels-idx1-ubyte expected in" in message
    assert "train-images" not in message


@pytest.mark.parametrize("file", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
@pytest.mark.parametrize("damage", ["empty", "half", "html", "more"])
def test_damaged_files(tmp_path, file, damage):
    write_idx(tmp_path, "MNIST")
    path = tmp_path / "MNIST" / "raw" / file
    content = path.read_bytes()
    path.write_bytes(
        {
            "empty": b"",
            "half": content[: len(content) // 2],
            "html": b"<html>not found</html>",
            "more": content + b"\0",
        }[damage]
    )
    message = refusal("mnist", root=tmp_path)
    assert "damaged" in message
    assert "fetch them with --download" in message
    assert "\n" not in message


@pytest.mark.parametrize("label", [10, 255])
def test_labels_beyond_the_classes_are_damage(tmp_path, label):
    write_idx(tmp_path, "MNIST")
    path = tmp_path / "MNIST" / "raw" / "train-labels-idx1-ubyte"
    path.write_bytes(path.read_bytes()[:-1] + bytes([label]))
    assert f"labels from 0 to {label} for 10 classes" in refusal("mnist", root=tmp_path)


def test_cifar_with_a_wrong_checksum(tmp_path, monkeypatch):
    batches = {f"data_batch_{i}": 10 for i in range(1, 6)} | {"test_batch": TEST}
    write_cifar(tmp_path, monkeypatch, datasets.CIFAR10, batches, "labels", ["a", "b"])
    path = tmp_path / "cifar-10-batches-py" / "data_batch_3"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    message = refusal("cifar10", root=tmp_path)
    assert "damaged" in message
    assert "\n" not in message


NOWHERE = "http://127.0.0.1:9/"  # the discard port: refused at once


@pytest.mark.parametrize(
    ("source", "reader", "where"),
    [
        ("mnist", datasets.MNIST, {"mirrors": [NOWHERE, NOWHERE]}),
        ("cifar10", datasets.CIFAR10, {"url": NOWHERE + "cifar.tar.gz"}),
        (
            "svhn",
            datasets.SVHN,
            {"split_list": {p: [NOWHERE, f"{p}_32x32.mat", "0"] for p in ("train", "test")}},
        ),
    ],
)
def test_download_without_a_connection(tmp_path, monkeypatch, capsys, source, reader, where):
    for name, value in where.items():
        monkeypatch.setattr(reader, name, value)
    message = refusal(source, root=tmp_path, download=True)
    assert f"{source} could not be downloaded" in message
    assert "check the connection" in message
    assert "\n" not in message
    assert capsys.readouterr().out == ""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


@contextlib.contextmanager
def served(folder: Path):
    """The address of a server of this folder, which stops at the end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def test_download_fetches_what_is_missing(tmp_path, monkeypatch):
    """From a server on this machine, gzipped as at the real one."""
    write_idx(tmp_path / "origin", "MNIST")
    mirror, resources = tmp_path / "mirror", []
    mirror.mkdir()
    for path in sorted((tmp_path / "origin" / "MNIST" / "raw").iterdir()):
        packed = gzip.compress(path.read_bytes())
        (mirror / f"{path.name}.gz").write_bytes(packed)
        resources.append((f"{path.name}.gz", hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    with served(mirror) as address:
        monkeypatch.setattr(datasets.MNIST, "mirrors", [NOWHERE, address])
        fetched = open_data("mnist", root=tmp_path / "data", download=True)
    assert fetched.fingerprint == open_data("mnist", root=tmp_path / "origin").fingerprint


@pytest.mark.parametrize(
    ("source", "offer"),
    [
        ("minst", "did you mean mnist"),
        ("CIFAR-10", "cifar10"),
        ("fashion_mnist", "fashion-mnist"),
        ("zzzz", "the names are digits, mnist"),
        ("x" * 300, "the names are digits"),
        ("a\0b", "the names are digits"),
    ],
)
def test_an_unknown_name_is_offered_the_nearest(tmp_path, monkeypatch, source, offer):
    monkeypatch.chdir(tmp_path)
    message = refusal(source)
    assert offer in message
    assert "A folder of class folders would do" in message


def test_a_path_that_does_not_exist_is_no_unknown_name(tmp_path):
    assert "does not exist" in refusal(str(tmp_path / "mnist"))


@pytest.mark.parametrize("fraction", [-0.1, 1, 2, float("nan")])
def test_an_impossible_fraction(fraction):
    assert "give a share from 0 to below 1" in refusal("digits", val_fraction=fraction)
