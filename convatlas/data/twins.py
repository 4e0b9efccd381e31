"""Images that are byte for byte another one: in another class they contradict it, in another part
of the set they are learnt by heart and then measured.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from convatlas.data.finding import Finding
from convatlas.data.split import Data

Groups = list[list[str]]  # names of images with the same bytes, two or more each


def groups_of(names: Sequence[str], digests: np.ndarray) -> Groups:
    """From the digests of the files' bytes, uint64 (n, 2); zeros where one is not known. In the
    order of the first of each.
    """
    order = np.lexsort((digests[:, 1], digests[:, 0]))  # stable: equal ones stay in their order
    ordered = digests[order]
    same = (ordered[1:] == ordered[:-1]).all(1) & (ordered[1:] != 0).any(1)
    begins = np.flatnonzero(np.concatenate([[True], ~same]))
    sizes = np.diff(np.concatenate([begins, [len(order)]]))
    runs = zip(begins[sizes > 1].tolist(), sizes[sizes > 1].tolist(), strict=True)
    groups = sorted((order[begin : begin + size].tolist() for begin, size in runs), key=min)
    return [[names[i] for i in group] for group in groups]


def twins(data: Data, groups: Groups) -> Iterator[Finding]:
    """The images of a group that are of another class or another part than its first."""
    if not groups:
        return
    home = {
        name: (part, label)
        for part in ("train", "val", "test")
        for name, label in zip(
            getattr(data, part).names, getattr(data, part).labels.tolist(), strict=True
        )
    }
    for names in groups:
        known = [name for name in names if name in home]
        for name in known[1:]:
            yield from _told_apart(name, home[name], known[0], home[known[0]])


def _told_apart(
    name: str, home: tuple[str, int], other: str, other_home: tuple[str, int]
) -> Iterator[Finding]:
    (part, label), (other_part, other_label) = home, other_home
    if label != other_label:
        yield Finding(
            name,
            f"is the same file as {other!r}, which is of another class",
            "keep the right one",
        )
    elif part != other_part:
        yield Finding(
            name,
            f"is the same file as {other!r}: one is in {part}, the other in {other_part}",
            "keep one, or the test measures what was learnt by heart",
        )
