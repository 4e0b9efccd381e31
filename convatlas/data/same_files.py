"""One file under several names: links and hard links, which put images that are learnt into the set
that measures.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

from convatlas.data.split import Split
from convatlas.data.walk import file_identity


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


def same_files(splits: dict[str, Split]) -> Iterator[SameFile]:
    """Each image whose file, followed through links, is that of an earlier one."""
    first: dict[tuple[int, int], tuple[str, str, int]] = {}
    for part, split in splits.items():
        for name, label in zip(split.names, split.labels.tolist(), strict=True):
            identity = file_identity(os.path.join(split.root, name))
            if identity is None:
                continue
            other_part, other, other_label = first.setdefault(identity, (part, name, label))
            if other != name:
                yield SameFile(name, other, (other_part, part), label == other_label)
