"""Images that are byte for byte another one: in another class they contradict it, in another part
of the set they are learnt by heart and then measured.
"""

from collections.abc import Iterable, Iterator

from convatlas.data.finding import Finding
from convatlas.data.split import Data

Groups = list[list[str]]  # names of images with the same bytes, two or more each


def groups_of(digests: Iterable[tuple[str, str]]) -> Groups:
    """From (name, digest of the file, "" where it is not known)."""
    alike: dict[str, list[str]] = {}
    for name, digest in digests:
        if digest:
            alike.setdefault(digest, []).append(name)
    return [names for names in alike.values() if len(names) > 1]


def twins(data: Data, groups: Groups) -> Iterator[Finding]:
    """The images of a group that are of another class or another part than its first."""
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
