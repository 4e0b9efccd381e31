"""What is known of each image of a packed set beside its bytes: one file of arrays in safetensors'
format, which runs nothing when it is read.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np

from convatlas import strict_json
from convatlas.data.names import Names
from convatlas.data.packed.place import Place
from convatlas.errors import DataError

DIGEST = 16  # bytes, of an image's
FORMAT = 1  # of the arrays, the shards, and what is said of the whole
PARTS = ("train", "val", "test")
TESTED = ("auto", "val")  # which images can be asked for as the test set: test_from
# By each of these the fingerprints of today's rule and of the one before; beside them, where a set
# was packed since there were three rules, those of still older ones.
OLDER = "older_fingerprints"
WIDEST = 2**30  # pixels of a side
SHARD_NAME = re.compile(r"[\w.-]+\.tar")
AGAIN = "copy it again, or pack the set again"


def digest_of(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=DIGEST).digest()


@dataclass(frozen=True, eq=False)
class Index:
    """Arrays of length n, in the order of the rows."""

    part: np.ndarray  # int8, the number in PARTS
    number: np.ndarray  # int64: images of a part are in the order of these
    label: np.ndarray  # int32
    shard: np.ndarray  # int32, the file that it is in: these only grow
    offset: np.ndarray  # int64, its first byte there
    length: np.ndarray  # int64, its bytes
    sides: np.ndarray  # int32 (n, 2)
    deep: np.ndarray  # int8, whether it has more than 8 bits a channel
    digest: np.ndarray  # uint8 (n, DIGEST)
    name_ends: np.ndarray  # int64
    names: np.ndarray  # uint8, one after the other

    def fingerprint(self) -> str:
        """sha256, in hex, of all of it but where each image lies."""
        whole = hashlib.sha256()
        for name in (one.name for one in fields(self) if one.name not in ("shard", "offset")):
            whole.update(np.ascontiguousarray(getattr(self, name)).tobytes())
        return whole.hexdigest()

    def called(self) -> Names:
        return Names(self.names.tobytes(), self.name_ends)


KINDS = {
    **dict.fromkeys(("part", "deep"), np.int8),
    **dict.fromkeys(("label", "shard", "sides"), np.int32),
    **dict.fromkeys(("number", "offset", "length", "name_ends"), np.int64),
    **dict.fromkeys(("digest", "names"), np.uint8),
}


def packed(index: Index, said: Mapping) -> bytes:
    """The file. `said` is of the set as a whole."""
    from safetensors.numpy import save

    text = np.frombuffer(strict_json.dumps(dict(said)).encode(), np.uint8)
    arrays = {
        name: np.ascontiguousarray(getattr(index, name), kind) for name, kind in KINDS.items()
    }
    return save(arrays | {"about": text})


def read(place: Place) -> tuple[Index, dict]:
    """(the index, what is said of the set as a whole). Raises DataError for a set that is not
    there, of another version, or damaged.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    content = place.index()
    try:
        arrays = load(content)
        said = strict_json.loads(arrays.pop("about").tobytes())
        made_by = said["format"]
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged(place, "its index cannot be read") from None
    if made_by != FORMAT:
        raise DataError(
            f"the packed set {place.name!r} is of format {made_by!r}, and this version of "
            f"convatlas reads {FORMAT}; pack it again, or use the version that packed it"
        )
    if {name: array.dtype for name, array in arrays.items()} != KINDS or not _are_alike(arrays):
        raise damaged(place, "its index holds other arrays")
    index = Index(**arrays)
    if not _makes_sense(said) or not _is_sound(index, said):
        raise damaged(place, "its index makes no sense")
    if index.fingerprint() != said["index"]:
        raise damaged(place, "its index is not what was packed")
    return index, said


def damaged(place: Place, why: str) -> DataError:
    return DataError(f"the packed set {place.name!r} is damaged ({why}); {AGAIN}")


def _are_alike(arrays: Mapping[str, np.ndarray]) -> bool:
    n = len(arrays["part"]) if arrays["part"].ndim else 0
    widths = {"sides": (2,), "digest": (DIGEST,)}
    of_images = (name for name in arrays if name != "names")
    right = all(arrays[name].shape == (n, *widths.get(name, ())) for name in of_images)
    return right and n > 0 and arrays["names"].ndim == 1


def _makes_sense(said: dict) -> bool:
    kinds = {
        **dict.fromkeys(("name", "index"), str),
        **{"channels": int, "classes": list, "shards": list, "fingerprints": dict},
    }
    if not all(type(said.get(name)) is kind for name, kind in kinds.items()):
        return False
    texts = all(type(name) is str and name for name in (*said["classes"], *said["shards"]))
    pairs = [said["fingerprints"].get(tested) for tested in TESTED]
    older = said.get(OLDER, {})
    return (
        texts
        and all(type(pair) is list and [*map(type, pair)] == [str, str] for pair in pairs)
        and type(older) is dict
        and all(type(more) is list and {*map(type, more)} <= {str} for more in older.values())
        and said["channels"] in (1, 3)
        and 0 < len(said["classes"]) == len(set(said["classes"]))
        and all(map(SHARD_NAME.fullmatch, said["shards"]))  # none leads out of the folder
    )


def _is_sound(index: Index, said: dict) -> bool:
    within = (
        (index.part, 0, len(PARTS) - 1),
        (index.label, 0, len(said["classes"]) - 1),
        (index.shard, 0, len(said["shards"]) - 1),
        (index.sides, 1, WIDEST),
        (index.offset, 0, 2**62),
        (index.length, 1, 2**40),
        (np.diff(index.shard), 0, 1),
        (np.diff(index.name_ends, prepend=0), 1, 2**16),
    )
    sound = all(((low <= array) & (array <= high)).all() for array, low, high in within)
    following = np.diff(index.shard) == 0
    apart = (np.diff(index.offset) >= index.length[:-1])[following]
    return bool(
        sound
        and apart.all()
        and (index.part == 0).any()
        and index.name_ends[-1] == len(index.names)
    )
