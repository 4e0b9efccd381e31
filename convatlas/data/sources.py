"""Where images come from: sets known by name, or a folder."""

import difflib
import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convatlas.data.arrays import data_of_arrays, fingerprint_of
from convatlas.data.digits import load_digits
from convatlas.data.folder import open_folder
from convatlas.data.image_file import MAX_MEGAPIXELS, require_limit
from convatlas.data.packed.opening import open_packed
from convatlas.data.packed.place import is_packed
from convatlas.data.split import ArraySplit, Data, hold_out
from convatlas.errors import DataError

DIGITS_TEST = 540
TEN_DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class _Published:
    """A set that torchvision reads: its class there, the files it looks for, and what the labels
    are called.
    """

    reader: str
    folder: str
    files: tuple[str, ...]
    classes: tuple[str, ...] = ()  # (): as the files themselves say
    parts: tuple[dict, dict] = ({"train": True}, {"train": False})


_IDX = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)
_PUBLISHED = {
    "mnist": _Published("MNIST", "MNIST/raw", _IDX, TEN_DIGITS),
    "fashion-mnist": _Published("FashionMNIST", "FashionMNIST/raw", _IDX),
    "kmnist": _Published("KMNIST", "KMNIST/raw", _IDX),
    "cifar10": _Published(
        "CIFAR10",
        "cifar-10-batches-py",
        (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch", "batches.meta"),
    ),
    "cifar100": _Published("CIFAR100", "cifar-100-python", ("train", "test", "meta")),
    "svhn": _Published(
        "SVHN",
        ".",
        ("train_32x32.mat", "test_32x32.mat"),
        TEN_DIGITS,
        ({"split": "train"}, {"split": "test"}),
    ),
}
SOURCES = {
    "digits": "1,797 handwritten digits, 28x28 grey, inside scikit-learn: no download",
    "mnist": "70,000 handwritten digits, 28x28 grey",
    "fashion-mnist": "70,000 pieces of clothing, 28x28 grey",
    "kmnist": "70,000 cursive Japanese characters, 28x28 grey",
    "cifar10": "60,000 photographs of 10 things, 32x32 colour",
    "cifar100": "60,000 photographs of 100 things, 32x32 colour",
    "svhn": "99,289 house-number digits, 32x32 colour",
}


def open_data(
    source: str | Path,
    root: str | Path | None = None,
    download: bool = False,
    seed: int = 0,
    val_fraction: float = 0.1,
    missing_classes: str = "error",
    max_megapixels: float = MAX_MEGAPIXELS,
    test_from: str = "auto",
) -> Data:
    """A set by name (see SOURCES; its files lie under `root`, default "data"), or a folder of class
    folders.

    The test set never depends on `seed`: a published set's own, 540 of the digits, and of a folder
    without test/ a fifth of its train. Validation is that folder's val/ (or valid/, validation/);
    without one, `val_fraction` of what is left for training is drawn by lot with `seed`, every
    class giving its share, one image at least. A folder with train/ and val/ but no test/ keeps
    val/ for validation, and its test set is held out of train/: a figure to report needs images
    that chose nothing. With `test_from` "val" its val/ is the test set instead, and validation
    images are drawn from train/; a folder with a test/, or without a val/, is then refused.
    Other spellings of these names (training_set, dev, test2017) are understood, a test/ without
    class folders is not used, which `notes` says, and a layout that is in doubt is refused.
    A val/ or test/ without some of train's classes is refused, unless `missing_classes` is
    "allow". `max_megapixels` is the most that an image of a folder may have. Raises DataError.
    """
    if not 0 <= val_fraction < 1:
        raise DataError(
            f"val_fraction = {val_fraction} leaves nothing to learn from; give a share from 0 "
            "to below 1"
        )
    require_limit(max_megapixels)
    if missing_classes not in ("error", "allow"):
        raise DataError(f"missing_classes = {missing_classes!r} is not allowed: error | allow")
    if test_from not in ("auto", "val"):
        raise DataError(f"test_from = {test_from!r} is not allowed: auto | val")
    source = os.path.expanduser(source)
    if source in SOURCES and test_from != "auto":
        raise DataError(
            f"{source} has a test set of its own, and test_from = {test_from!r} is for folders; "
            "leave it out"
        )
    if source == "digits":
        return _open_digits(seed, val_fraction)
    if source in _PUBLISHED:
        return _open_published(
            str(source), Path(root or "data").expanduser(), download, seed, val_fraction
        )
    if is_packed(source):
        return open_packed(str(source), seed, val_fraction, max_megapixels, test_from)
    if os.path.basename(source) == source and not os.path.exists(source):
        raise DataError(_unknown(str(source)))
    return open_folder(Path(source), seed, val_fraction, missing_classes, max_megapixels, test_from)


def _unknown(source: str) -> str:
    near = difflib.get_close_matches(source.lower(), SOURCES, n=3, cutoff=0.5)
    offer = f"did you mean {' or '.join(near)}?" if near else f"the names are {', '.join(SOURCES)}."
    return (
        f"there is no data set and no folder called {source!r}; {offer} A folder of class "
        "folders would do as well"
    )


def _open_digits(seed: int, val_fraction: float) -> Data:
    images, labels = load_digits()
    everything = ArraySplit(images, labels, [f"digits/{i}" for i in range(len(labels))])
    rest, test = hold_out(everything, TEN_DIGITS, DIGITS_TEST, seed=0)
    train, val = hold_out(rest, TEN_DIGITS, val_fraction * len(rest), seed)
    splits = {
        "val": f"{val_fraction:g} of the others, by lot",
        "test": f"{DIGITS_TEST} images, the same for every seed",
    }
    fingerprint = fingerprint_of(images, labels)
    return Data("digits", TEN_DIGITS, 1, train, val, test, fingerprint, splits=splits)


def _open_published(name: str, root: Path, download: bool, seed: int, val_fraction: float) -> Data:
    published = _PUBLISHED[name]
    classes, pairs = _read(name, published, root, download)
    data = data_of_arrays(name, classes, *pairs, seed=seed, val_fraction=val_fraction)
    splits = {"val": f"{val_fraction:g} of its training set, by lot", "test": "its own test set"}
    return replace(data, splits=splits)


def _read(name: str, published: _Published, root: Path, download: bool):
    """(classes, [(images, labels) of train, and of test])."""
    from torchvision import datasets

    folder = root / published.folder
    missing = [file for file in published.files if not (folder / file).is_file()]
    if missing and not download:
        raise DataError(
            f"{name} is not under {str(root)!r}: {', '.join(missing)} expected in {str(folder)!r}; "
            "--download fetches it, --data-root names another folder"
        )
    try:
        reader = _reader(getattr(datasets, published.reader))
        sets = [reader(root, download=download, **part) for part in published.parts]
        classes = published.classes or tuple(sets[0].classes)
        return classes, [_as_tensors(each, len(classes)) for each in sets]
    except Exception as fault:  # readers of damaged files raise anything
        fetching = bool(missing) or (download and isinstance(fault, OSError))
        raise DataError(_trouble(name, root, folder, fetching, fault)) from None


def _reader(reader: type) -> type:
    """torchvision's class, but that of MNIST never takes the tensors that its versions before 0.9
    left beside the raw files: these are what was looked for, and what others read.
    """
    return type(reader.__name__, (reader,), {"_check_legacy_exist": lambda self: False})


def _as_tensors(dataset, classes: int) -> tuple[Tensor, Tensor]:
    """(uint8 (N, C, H, W), int64 (N,)) from the three layouts that torchvision uses. Raises
    ValueError on nonsense.
    """
    images = torch.as_tensor(np.asarray(dataset.data))
    labels = torch.as_tensor(
        np.asarray(dataset.targets if hasattr(dataset, "targets") else dataset.labels)
    ).long()
    if images.ndim == 3:
        images = images[:, None]
    elif images.shape[-1] == 3:
        images = images.permute(0, 3, 1, 2).contiguous()
    if len(images) != len(labels) or images.dtype != torch.uint8 or not len(labels):
        raise ValueError(f"{len(images)} images and {len(labels)} labels")
    wrong = ((labels < 0) | (labels >= classes)).nonzero().flatten().tolist()
    if wrong:
        raise ValueError(
            f"labels from {labels.min()} to {labels.max()} for {classes} classes, the first at "
            f"image {wrong[0]}"
        )
    return images, labels


def _trouble(name: str, root: Path, folder: Path, fetching: bool, fault: Exception) -> str:
    detail = " ".join(str(fault).split())[:200] or type(fault).__name__
    if fetching:
        return (
            f"{name} could not be downloaded to {str(root)!r} ({detail}); check the connection, or "
            f"copy its files to {str(folder)!r}"
        )
    return (
        f"the files of {name} in {str(folder)!r} are damaged ({detail}); delete them and fetch "
        "them with --download"
    )
