"""Whether a folder still holds the images that a run was begun with."""

import hashlib
import json
import os
from collections.abc import Callable

import numpy as np

from convatlas.data import content_digests, remembered
from convatlas.data.content_digests import content
from convatlas.data.file_status import are_settled
from convatlas.data.split import FileSplit
from convatlas.data.telling import Tally

KEPT_FROM = 1000  # images; the fingerprint of fewer is made again each time
RULE = 3  # counted up whenever a fingerprint is made otherwise
KEPT_AT_MOST = 8  # of one folder

Splits = dict[str, FileSplit]


def fingerprint_of(splits: Splits, looked_at: int = 0) -> str:
    """sha256, in hex, over parts, names, sizes and labels, enough to notice another set without
    reading all of this one; and over a digest of each file of equal size with another, for these
    could have changed places.

    Of a large set it is kept, and given again while each of the files is what it was by its size,
    times and number; after a change only files that changed are read. What changed just before
    `looked_at` (nanoseconds) is not relied upon.
    """
    splits = _used(splits)
    return _kept(splits, f"{RULE}", looked_at, lambda: _computed(splits, looked_at))[0]


def older_fingerprints(splits: Splits, looked_at: int = 0) -> tuple[str, str]:
    """The same by the two rules of earlier versions, which reads every file of equal size with
    another: for what recorded one. All three are one where no two files have one size.
    """
    splits = _used(splits)
    return tuple(_kept(splits, "2, 1", looked_at, lambda: _by_older_rules(splits)))


def _used(splits: Splits) -> Splits:
    return {part: split for part, split in splits.items() if len(split)}


def _kept(
    splits: Splits, rules: str, looked_at: int, compute: Callable[[], tuple[list[str], bool]]
) -> list[str]:
    """What compute() gives first, or gave for these very files before. It is kept where compute()
    says that it may be and no file changed lately.
    """
    if sum(map(len, splits.values())) < KEPT_FROM:
        return compute()[0]
    root, key = next(iter(splits.values())).root, _key(splits, rules)
    known = _known(root)
    if key in known:
        return known[key]
    found, whole = compute()
    if whole and all(
        are_settled(split.files["changed"], looked_at).all() for split in splits.values()
    ):
        newest = dict([*known.items(), (key, found)][-KEPT_AT_MOST:])
        remembered.keep(root, "fingerprints", json.dumps(newest).encode())
    return found


def _key(splits: Splits, rules: str) -> str:
    digest = hashlib.sha256(f"{rules}\0".encode())
    for part, split in splits.items():
        digest.update(_encoded(f"{part}\0{len(split)}\0"))
        digest.update(split.labels.numpy().tobytes())
        digest.update(np.ascontiguousarray(split.files["stamp"]).tobytes())
    return digest.hexdigest()


def _known(root) -> dict[str, list[str]]:
    try:
        found = json.loads(remembered.kept(root, "fingerprints") or b"{}")
        return found if isinstance(found, dict) else {}
    except (ValueError, RecursionError):
        return {}


def _computed(splits: Splits, looked_at: int) -> tuple[list[str], bool]:
    """In blocks of all files, which takes a tenth of the time that a line for each does."""
    shared = _shared(splits)
    if not shared.any():
        return [_by_names(splits).hexdigest()], True
    digest = hashlib.sha256()
    for part, split in splits.items():
        digest.update(_encoded(f"{part}\0{len(split)}\0{len(split.names.block)}\0"))
        digest.update(split.names.block)
        for numbers in (split.names.ends, split.files["length"], split.labels.numpy()):
            digest.update(np.ascontiguousarray(numbers, "<i8").tobytes())
    everything = FileSplit.joined(list(splits.values()))
    keeping = len(everything) >= KEPT_FROM
    found, whole = content_digests.of(everything, shared, keeping, looked_at)
    digest.update(found)
    return [digest.hexdigest()], whole


def _by_older_rules(splits: Splits) -> tuple[list[str], bool]:
    """By contents one after the other, and by none."""
    digest, shared, whole = _by_names(splits), _shared(splits), True
    by_names = digest.hexdigest()
    counter, at = Tally("reading fingerprints of an older rule", int(shared.sum())), 0
    for part, split in splits.items():
        start, root = _encoded(f"{part}\0"), os.path.join(split.root, "")
        chosen = np.flatnonzero(shared[at : at + len(split)])
        for name, size in zip(
            split.names.take(chosen), split.files["size"][chosen].tolist(), strict=True
        ):
            digest.update(start + _encoded(name) + b"\0")
            try:
                digest.update(content(root + name, size))
            except OSError:  # which decoding reports; another time it may be read
                whole = False
            counter.add()
        at += len(split)
    return [digest.hexdigest(), by_names], whole


def _by_names(splits: Splits):
    """The sha256 over a line for each file: all but contents."""
    digest = hashlib.sha256()
    for part, split in splits.items():
        start, rows = (
            _encoded(f"{part}\0"),
            zip(
                split.names.encoded(),
                split.files["length"].tolist(),
                split.labels.tolist(),
                strict=True,
            ),
        )
        for name, length, label in rows:
            digest.update(b"%s%s\0%d\0%d\0" % (start, name, length, label))
    return digest


def _shared(splits: Splits) -> np.ndarray:
    """bool (n,), of all parts: the files of equal size with another."""
    sizes = np.concatenate([split.files["size"] for split in splits.values()] or [np.zeros(0)])
    _, which, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    return (counts > 1)[which] & (sizes >= 0)  # no pipe is opened, which would wait for ever


def _encoded(text: str) -> bytes:
    return text.encode(errors="surrogateescape")
