"""One file under several names: links and hard links, which put images that are learnt into the set
that measures.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from convatlas.data.finding import Finding
from convatlas.data.split import FileSplit

NAMED = 10_000  # of each kind; very many sentences would fill the memory


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
    repeated = _repeated([split.files for split in splits.values()])
    start = 0
    for part, split in splits.items():
        for i in np.flatnonzero(repeated[start : start + len(split)]).tolist():
            name, label = split.names[i], int(split.labels[i])
            identity = tuple(split.files[["device", "inode"]][i])
            other_part, other, other_label = first.setdefault(identity, (part, name, label))
            if other != name:
                yield SameFile(name, other, (other_part, part), label == other_label)
        start += len(split)


def told(same: Iterable[SameFile]) -> tuple[list[Finding], list[Finding]]:
    """(problems, notes) of these, of each the first NAMED, and how many others there are."""
    found: tuple[list[Finding], list[Finding]] = ([], [])
    counts, last = [0, 0], ["", ""]
    for one in same:
        kind = int(one.same_class and not one.leaks)
        counts[kind], last[kind] = counts[kind] + 1, one.name
        if counts[kind] <= NAMED:
            found[kind].append(Finding.of(one.name, _sentence(one)))
    for findings, count, name in zip(found, counts, last, strict=True):
        if count > NAMED:
            findings.append(
                Finding.of(
                    name,
                    f"and {count - NAMED - 1:,} more before it are the same files as others, too; "
                    "mend those above, and look again",
                )
            )
    return found


def _sentence(same: SameFile) -> str:
    also = f"is the same file as {same.first!r}, by a link or a hard link"
    if not same.same_class:
        return f"{also}, which is of another class; keep the right one"
    if same.leaks:
        parts = f"one fell to {same.parts[0]}, the other to {same.parts[1]}"
        return f"{also}: {parts}; remove one of the two"
    return f"{also}; it counts twice"


def _repeated(parts: Sequence[np.ndarray]) -> np.ndarray:
    """bool (n,): files of STATUS, of several parts, that are there under another name as well."""
    device, inode, size = (
        np.concatenate([files[name] for files in parts]) for name in ("device", "inode", "size")
    )
    order = np.lexsort((device, inode))
    same = np.diff(inode[order]) == 0
    same &= np.diff(device[order]) == 0
    there = size[order] >= 0
    same &= there[1:] & there[:-1]
    repeated = np.zeros(len(size), bool)
    repeated[order[1:][same]] = repeated[order[:-1][same]] = True
    return repeated
