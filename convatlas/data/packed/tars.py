"""WebDataset's shards: uncompressed tars in which the files of one sample have one name and several
extensions.
"""

import os
import tarfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import torch

from convatlas import strict_json
from convatlas.data.image_file import EXTENSIONS, unreadable
from convatlas.data.names import Names
from convatlas.data.packed.contents import Contents, ToPack
from convatlas.data.packed.index import PARTS
from convatlas.data.packed.place import piece_of
from convatlas.data.split_names import role_of, role_within
from convatlas.data.telling import Tally
from convatlas.data.walk import is_junk, natural
from convatlas.errors import DataError

LABELS = ("cls", "label", "json")  # extensions that say the class of a sample
LARGEST_LABEL = 2**16  # bytes


class TarContents(Contents):
    """Images in tars: which of them, where in it, how many bytes."""

    def __init__(self, labels, names: Names, tars: Sequence[str], spans: np.ndarray):
        """`spans` int64 (n, 3): the number of the tar, the offset in it, the length."""
        super().__init__(labels, names)
        self.tars, self.spans = tars, spans

    def content(self, i: int) -> bytes:
        tar, start, length = self.spans[i].tolist()
        try:
            content = piece_of(self.tars[tar], start, length)
        except OSError as fault:
            raise unreadable(
                self.names[i],
                f"cannot be read in {self.tars[tar]!r} ({fault.strerror}); copy this file again",
            ) from None
        if len(content) < length:
            raise unreadable(
                self.names[i], f"is cut short in {self.tars[tar]!r}; copy this file again"
            )
        return content


@dataclass
class _Sample:
    """One image and what is known of its class."""

    name: str
    span: tuple[int, int, int]
    label: str


def of_tars(paths: Sequence[str]) -> ToPack:
    """Classes are what .cls or .json say, else the names of the folders in the tars; parts are what
    the names of the tars say, train where they say nothing. Raises DataError.
    """
    samples, parts, tally = [], [], Tally("reading tars", len(paths))
    for number, path in enumerate(sorted(paths, key=natural)):
        found = list(_samples(number, path))
        samples += found
        parts += [part_of(path)] * len(found)
        tally.add()
    if not samples:
        raise DataError(f"{paths[0]!r} holds no images; give WebDataset's tars")
    classes = tuple(sorted({one.label for one in samples}, key=natural))
    numbers = {name: number for number, name in enumerate(classes)}
    order = np.argsort(parts, kind="stable")
    samples = [samples[i] for i in order.tolist()]
    if 0 not in parts:
        raise DataError("no tar is one for training, by its name; name one of them train-….tar")
    return ToPack(
        common_name(paths),
        classes,
        TarContents(
            torch.tensor([numbers[one.label] for one in samples]),
            Names.of(one.name for one in samples),
            sorted(paths, key=natural),
            np.array([one.span for one in samples], np.int64),
        ),
        np.asarray(parts)[order],
        size=sum(one.span[2] for one in samples),
    )


def part_of(path: str) -> int:
    """The number in PARTS of what a file's name says, that of train where it says nothing."""
    stem = os.path.basename(path).partition(".")[0]
    role = role_of(stem) or role_within(stem)[0]
    return PARTS.index(role) if role in PARTS else 0


def common_name(paths: Sequence[str]) -> str:
    """What a set of files is called: as the folder that they are in."""
    return os.path.basename(os.path.dirname(os.path.abspath(paths[0]))) or "files"


def _samples(number: int, path: str) -> Iterator[_Sample]:
    """The images of one tar, in its order."""
    images: list[tuple[str, PurePosixPath, tuple[int, int, int]]] = []
    labels: dict[str, str] = {}
    try:
        with tarfile.open(path, "r:") as tar:
            for entry in tar:
                if entry.size < 0 or tar.offset <= entry.offset:
                    raise tarfile.ReadError("an entry's size is below 0")  # a circle
                name = PurePosixPath(entry.name)
                if not entry.isfile() or is_junk(name.name):
                    continue
                key, _, extension = name.name.partition(".")
                sample = str(name.with_name(key))
                if name.suffix.lower() in EXTENSIONS:
                    images.append((sample, name, (number, entry.offset_data, entry.size)))
                elif extension.lower() in LABELS and entry.size <= LARGEST_LABEL:
                    text = tar.extractfile(entry).read()
                    labels[sample] = _label_in(text, extension.lower()) or labels.get(sample, "")
            end = tar.offset  # of what was read: a file that is cut short is no error of tarfile's
            if os.path.getsize(path) < end + tarfile.BLOCKSIZE or not tar.getmembers():
                raise tarfile.ReadError("it is cut short")
    except Exception as fault:  # tarfile may raise anything on hostile bytes
        why = " ".join(str(fault).split())[:200] or type(fault).__name__
        raise DataError(
            f"{path!r} cannot be read as an uncompressed tar ({why}); copy it again, or unpack it "
            "with gunzip first"
        ) from None
    stem = os.path.basename(path).removesuffix(".tar")
    for sample, name, span in images:
        label = labels.get(sample) or name.parent.name
        if not label:
            raise DataError(
                f"the image {str(name)!r} in {path!r} has no class: neither a .cls or .json beside "
                "it nor a folder around it; add one"
            )
        yield _Sample(f"{stem}/{name}", span, label)


def _label_in(text: bytes, extension: str) -> str:
    """The class that a file beside an image says; "" where it says none."""
    if extension != "json":
        return text.decode(errors="replace").strip()
    try:
        said = strict_json.loads(text)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(said, dict):
        return ""
    found = next((said[key] for key in ("label", "cls", "class", "target") if key in said), "")
    return str(found).strip() if isinstance(found, int | str) else ""
