"""The names in each folder of a large set, kept beside the survey: a folder is read again only
where its own entry has changed.

What a folder's times can prove is which names are in it: adding, removing and renaming set them,
and its time of change can be set by no program. They prove nothing of the files, each of which is
looked at on every start. Nor is a folder relied upon that holds links, whose other ends change
unseen, that changed within the last tick of the clock, or that lies on a file system not known to
keep such times, as a bucket that looks like a disk may not.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path

from convatlas.data import remembered
from convatlas.data.file_status import is_settled, now
from convatlas.data.image_file import EXTENSIONS

KEPT_FROM = 1000  # images; listing fewer takes no time
FORMAT = 1  # counted up whenever a walk sorts names otherwise than by EXTENSIONS
KEEP_TIMES = frozenset(
    [
        *("ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "zfs", "f2fs", "overlay"),
        *("nfs", "nfs4", "lustre", "ceph", "gpfs"),
    ]
)
Entries = tuple[list[str], list[str], list[str]]  # images in natural order, other files, folders


class Listing:
    """What is known of the folders under `root`, and what is found out about them now."""

    def __init__(self, root: Path):
        self.root, self.begun = root, now()
        self.known = _read(root)
        self.images = sum(record[3].count("\0") + 1 for record in self.known.values() if record[3])
        self.records: dict[str, list] = {}
        self.types = _file_systems()

    def of(self, folder: Path, status: os.stat_result) -> Entries | None:
        """The entries of a folder, where they must be those of the last time."""
        name = self._name(folder)
        record = self.known.get(name)
        if record is None or record[:3] != _times(status) or not self._keeps_times(status):
            return None
        self.records[name] = record
        images, others, folders = (text.split("\0") if text else [] for text in record[3:])
        return images, others, folders

    def note(self, folder: Path, status: os.stat_result, entries: Entries) -> None:
        """What a folder without links was found to hold; `status` was taken before it was read."""
        lately = max(status.st_mtime_ns, status.st_ctime_ns)
        if is_settled(lately, self.begun) and self._keeps_times(status):
            texts = ["\0".join(names) for names in entries]
            self.records[self._name(folder)] = [*_times(status), *texts]

    def keep(self, images: int) -> None:
        """Writes it down for the next time, where anything is new and it is worth it."""
        if images >= KEPT_FROM and self.records != self.known:
            content = json.dumps({"rules": _rules(), "folders": self.records})
            remembered.keep(self.root, "listing", content.encode())

    def _name(self, folder: Path) -> str:
        return os.fspath(folder)[len(os.fspath(self.root)) :]

    def _keeps_times(self, status: os.stat_result) -> bool:
        return self.types.get(status.st_dev) in KEEP_TIMES


def _times(status: os.stat_result) -> list[int]:
    return [status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def _rules() -> str:
    """By which a name was found to be an image's."""
    return f"{FORMAT} {' '.join(sorted(EXTENSIONS))}"


def _read(root: Path) -> dict[str, Sequence]:
    try:
        found = json.loads(remembered.kept(root, "listing") or b"{}")
        ours = isinstance(found, dict) and found.get("rules") == _rules()
        return found["folders"] if ours else {}
    except (ValueError, KeyError, RecursionError):
        return {}


def _file_systems() -> dict[int, str]:
    """The kind of each file system by its device number, where the system says so (Linux)."""
    found = {}
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                before, _, after = line.partition(" - ")
                major, minor = before.split()[2].split(":")
                found[os.makedev(int(major), int(minor))] = after.split()[0]
    except (OSError, ValueError, IndexError):
        return {}
    return found
