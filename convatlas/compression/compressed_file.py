"""A compressed network in one file, NAME.dc: what model.json and model.safetensors say, in a tenth
of the room, and given back bit for bit.

    8 bytes    ATLAS-DC
    8 bytes    the size of the whole file; this and all numbers below are little-endian
    4 bytes    the size of the manifest
    32 bytes   sha256 of all the rest
    manifest   JSON under zlib: "model", which is model.json; "tensors", a list in the network's
               order; "plain", the size of what follows
    plain      under zlib, tensor by tensor: its bytes; of a shared one the codebook (float32), and
               the lengths of the Huffman words of its codes and of its gaps (a byte each)
    words      of each shared tensor the codes and the gaps, in Huffman words

The file may come from a stranger: nothing is made before its sizes are proved to be those of the
network.
"""

import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from convatlas import strict_json
from convatlas.compression import huffman
from convatlas.compression.sharing import Shared, gaps_of, places_of
from convatlas.errors import ModelFileError
from convatlas.model_description import LARGEST as LARGEST_MODEL
from convatlas.model_description import Description, description_of
from convatlas.model_file import Saved, described_network, weights_file
from convatlas.regular_file import read_regular

MAGIC = b"ATLAS-DC"
HEAD = 52  # bytes
LARGEST = 1 << 31  # bytes of a file that is read at all
LARGEST_MANIFEST = LARGEST_MODEL + 4_000_000  # bytes, once unpacked
MOST_TIMES = 2000  # as large as its file may a network become
SIZES = ("values", "gap_symbols", "kept", "gaps", "code_bytes", "gap_bytes")


@dataclass(frozen=True)
class Unpacked:
    """What a compressed file holds."""

    description: Description
    model: dict  # model.json, parsed
    tensors: dict[str, Tensor]  # those of the network's state_dict


def pack(model: str, state: Mapping[str, Tensor], shared: Mapping[str, Shared]) -> bytes:
    """The file's bytes. `model` is the text of describe_model for these weights; a tensor that is
    not in `shared` is kept as it is.
    """
    packed = {name: _packed(one) for name, one in shared.items()}
    tables = (packed[n][1] if n in packed else _bytes_of(state[n]) for n in state)
    plain = zlib.compress(b"".join(tables), 9)
    about = {
        "model": json.loads(model),
        "tensors": [{"name": name} | (packed[name][0] if name in packed else {}) for name in state],
        "plain": len(plain),
    }
    manifest = zlib.compress(json.dumps(about, separators=(",", ":")).encode(), 9)
    rest = b"".join([manifest, plain, *(packed[name][2] for name in state if name in packed)])
    sizes = (HEAD + len(rest)).to_bytes(8, "little") + len(manifest).to_bytes(4, "little")
    return MAGIC + sizes + hashlib.sha256(rest).digest() + rest


def _packed(one: Shared) -> tuple[dict[str, int], bytes, bytes]:
    """What the manifest says of it, its tables and its words."""
    gaps = gaps_of(one.places)
    code_lengths = huffman.lengths_for(np.bincount(one.codes, minlength=len(one.codebook)))
    gap_lengths = huffman.lengths_for(np.bincount(gaps))
    codes = huffman.encode(one.codes, code_lengths)
    words = huffman.encode(gaps, gap_lengths)
    sizes = (
        *(len(one.codebook), len(gap_lengths), len(one.codes), len(gaps)),
        *(len(codes), len(words)),
    )
    tables = (one.codebook.astype("<f4"), code_lengths, gap_lengths)
    return (
        dict(zip(SIZES, sizes, strict=True)),
        b"".join(table.tobytes() for table in tables),
        codes + words,
    )


def _bytes_of(tensor: Tensor) -> bytes:
    flat = tensor.detach().cpu().contiguous().reshape(-1)
    return flat.view(torch.uint8).numpy().tobytes()


def load_compressed(path: str | Path) -> Saved:
    """The network of a compressed file, ready for use. Raises ModelFileError as unpack does."""
    found = unpack(path)
    about = found.description
    net = described_network(Path(path), about)
    net.load_state_dict(found.tensors, assign=True)
    return Saved(
        *(net.eval(), about.network, about.classes, about.preprocess),
        *(about.provenance, about.widths),
    )


def unpack(path: str | Path) -> Unpacked:
    """What the file holds, its tensors bit for bit those that were packed.

    Raises ModelFileError where it cannot be read, is cut off, altered, or of another network.
    """
    path = Path(path).expanduser()
    try:
        content = read_regular(path, LARGEST)
    except OSError as error:
        raise ModelFileError(
            f"cannot read {path} ({error.strerror}); give a file that `convatlas compress` wrote"
        ) from None
    manifest, payload = _opened(path, content)
    model, records, size = _manifest(path, manifest)
    about = description_of(model, path)
    outline = dict(described_network(path, about).state_dict())
    _require_fit(path, records, outline, len(content))
    try:
        tensors = _tensors(records, outline, payload[:size], payload[size:])
    except (ValueError, zlib.error) as error:
        raise _damaged(path, str(error)) from None
    if hashlib.sha256(weights_file(tensors)).hexdigest() != about.sha256:
        raise _damaged(path, "its tensors are not those that were packed (their sha256 differs)")
    return Unpacked(about, model, tensors)


def _opened(path: Path, content: bytes) -> tuple[bytes, bytes]:
    """The manifest and the tensors, once size and checksum are right."""
    if content[: len(MAGIC)] != MAGIC:
        raise ModelFileError(
            f"{path} is no compressed network; give a file that `convatlas compress` wrote"
        )
    size = int.from_bytes(content[8:16], "little")
    if len(content) < HEAD or size != len(content):
        whole = f"{size:,}" if len(content) >= 16 else f"at least {HEAD}"
        raise _damaged(path, f"it has {len(content):,} bytes instead of {whole}")
    rest = content[HEAD:]
    if hashlib.sha256(rest).digest() != content[20:HEAD]:
        raise _damaged(path, "it was changed since it was written (its sha256 differs)")
    length = int.from_bytes(content[16:20], "little")
    if length > len(rest):
        raise _damaged(path, "its manifest is longer than the file")
    return rest[:length], rest[length:]


def _manifest(path: Path, packed: bytes) -> tuple[object, list[dict], int]:
    """model.json, the records of tensors, each with a name and sizes that are counts, and the size
    of the plain ones.
    """
    try:
        about = strict_json.loads(_inflated(packed, LARGEST_MANIFEST))
        model, records, size = about["model"], about["tensors"], about["plain"]
        if not isinstance(records, list) or not all(map(_is_record, records)) or not _is_size(size):
            raise ValueError
    except (ValueError, TypeError, KeyError, zlib.error):
        raise _damaged(path, "its manifest is not the JSON that was written") from None
    return model, records, size


def _inflated(packed: bytes, limit: int) -> bytes:
    """What stands under zlib, all of it. ValueError for more than `limit` bytes."""
    reader = zlib.decompressobj()
    found = reader.decompress(packed, limit + 1)
    if len(found) > limit or not reader.eof or reader.unused_data:
        raise ValueError("what is under zlib does not end where it must")
    return found


def _is_size(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_record(one: object) -> bool:
    if not isinstance(one, dict) or not isinstance(one.get("name"), str):
        return False
    sizes = one.keys() - {"name"}
    return not sizes or (sizes == {*SIZES} and all(_is_size(one[name]) for name in SIZES))


def _require_fit(path: Path, records: list[dict], outline: dict[str, Tensor], size: int) -> None:
    """ModelFileError unless the records are the network's tensors, and could be in such a file."""
    names = [record["name"] for record in records]
    if names != list(outline):
        odd = next(
            (name for name in [*outline, *names] if (name in names) != (name in outline)), ""
        )
        raise _damaged(path, f"its tensors are not the network's{odd and f', as {odd} shows'}")
    whole = sum(tensor.nbytes for tensor in outline.values())
    if whole > MOST_TIMES * size:
        raise _damaged(path, f"{size:,} bytes cannot hold a network of {whole:,}")
    for record in records:
        like = outline[record["name"]]
        fits = len(record) == 1 or (
            like.dtype == torch.float32
            and 1 <= record["values"] <= huffman.SYMBOLS
            and 1 <= record["gap_symbols"] <= huffman.SYMBOLS
            and 1 <= record["kept"] <= like.numel()
            and record["kept"] <= record["gaps"] <= like.numel()
        )
        if not fits:
            raise _damaged(path, f"{record['name']} cannot be as its manifest says")


def _tensors(
    records: list[dict], outline: dict[str, Tensor], plain: bytes, packed: bytes
) -> dict[str, Tensor]:
    """ValueError, with what is wrong, unless both parts are used up to their last byte."""
    needed = sum(_in_plain(record, outline[record["name"]]) for record in records)
    flat = Part(_inflated(plain, needed))
    rest = Part(packed)
    tensors = {}
    for record in records:
        name = record["name"]
        like = outline[name]
        try:
            found = _plain(flat, like) if len(record) == 1 else _shared(flat, rest, record, like)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None
        if not found.isfinite().all():
            raise ValueError(f"{name} is not finite")
        tensors[name] = found
    if flat.left or rest.left:
        raise ValueError(f"{flat.left + rest.left:,} bytes follow its last tensor")
    return tensors


def _in_plain(record: dict, like: Tensor) -> int:
    """Bytes of what is under zlib."""
    return like.nbytes if len(record) == 1 else 5 * record["values"] + record["gap_symbols"]


class Part:
    """Bytes that are taken piece by piece."""

    def __init__(self, content: bytes):
        self.content, self.begin = content, 0

    @property
    def left(self) -> int:
        return len(self.content) - self.begin

    def take(self, size: int) -> bytes:
        """ValueError where fewer are left."""
        if size > self.left:
            raise ValueError("the file ends before it does")
        self.begin += size
        return self.content[self.begin - size : self.begin]


def _plain(part: Part, like: Tensor) -> Tensor:
    return torch.frombuffer(bytearray(part.take(like.nbytes)), dtype=like.dtype).reshape(like.shape)


def _shared(tables: Part, part: Part, record: dict, like: Tensor) -> Tensor:
    codebook = np.frombuffer(tables.take(4 * record["values"]), dtype="<f4").astype(np.float32)
    code_lengths = np.frombuffer(tables.take(record["values"]), dtype=np.uint8)
    gap_lengths = np.frombuffer(tables.take(record["gap_symbols"]), dtype=np.uint8)
    codes = huffman.decode(part.take(record["code_bytes"]), code_lengths, record["kept"])
    gaps = huffman.decode(part.take(record["gap_bytes"]), gap_lengths, record["gaps"])
    places = places_of(gaps, like.numel())
    if len(places) != len(codes):
        raise ValueError("it has more codes than places, or fewer")
    return torch.from_numpy(Shared(tuple(like.shape), places, codes, codebook).tensor())


def _damaged(path: Path, why: str) -> ModelFileError:
    return ModelFileError(f"{path} is damaged: {why}; copy it again, or compress the network again")
