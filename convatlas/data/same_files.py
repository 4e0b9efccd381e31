"""One file under several names: links and hard links, which put images that are learnt into the set
that measures.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from convatlas.data.split import FileSplit


@dataclass(frozen=True)
class SameFile:
    """An image that is the same file as an earlier one."""

    name: str
    first: str
    parts: tuple[str, str]  # of the first, of this
    same_class: bool

    @property
    def leaks(self) -> bool:
        return self.parts[0] != self.parts[1]


def same_files(splits: dict[str, FileSplit]) -> Iterator[SameFile]:
    """Each image whose file, followed through links, is that of an earlier one."""
    first: dict[tuple[int, int], tuple[str, str, int]] = {}
    repeated = _repeated(np.concatenate([split.files for split in splits.values()]))
    start = 0
    for part, split in splits.items():
        for i in np.flatnonzero(repeated[start : start + len(split)]).tolist():
            name, label = split.names[i], int(split.labels[i])
            identity = tuple(split.files[["device", "inode"]][i])
            other_part, other, other_label = first.setdefault(identity, (part, name, label))
            if other != name:
                yield SameFile(name, other, (other_part, part), label == other_label)
        start += len(split)


def _repeated(files: np.ndarray) -> np.ndarray:
    """bool (n,): files of STATUS that are there under another name as well."""
    order = np.lexsort((files["device"], files["inode"]))
    ordered = files[order]
    same = ordered["inode"][1:] == ordered["inode"][:-1]
    same &= ordered["device"][1:] == ordered["device"][:-1]
    same &= (ordered["size"][1:] >= 0) & (ordered["size"][:-1] >= 0)
    repeated = np.zeros(len(files), bool)
    repeated[order[1:][same]] = repeated[order[:-1][same]] = True
    return repeated
