"""Checkpoint files with something changed in them, each drawn from a seed; run as a program, it
reads them and says what became of it.
"""

import io
import json
import pickle
import pickletools
import random
import struct
import sys
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import load_file, save

SHARED = torch.arange(40.0)
STATE = OrderedDict(
    {
        "conv.weight": torch.arange(108.0).reshape(4, 3, 3, 3),
        "conv.bias": torch.nn.Parameter(torch.ones(4)),
        "bn.num_batches_tracked": torch.tensor(3),
        "half": torch.arange(6).half(),
        "a": SHARED[3:9],
        "b": SHARED.reshape(5, 8).t(),
    }
)
HELD = {"epoch": 3, "state_dict": STATE, "optimizer": {"state": {0: {"step": 1.5}}, "lr": [0.1]}}
EXTREMES = (0, 1, -1, 2, 255, 2**16, 2**31 - 1, 2**31, 2**40, 2**62, 2**63, 2**64, -(2**31), 10**30)
NAMES = (
    *("torch FloatStorage", "torch LongStorage", "torch Tensor", "torch._utils _rebuild_tensor"),
    *("torch._utils _rebuild_tensor_v2", "torch._utils _rebuild_parameter", "torch Size"),
    *(
        "collections OrderedDict",
        "builtins bytearray",
        "os system",
        "torch.nn.modules.linear Linear",
    ),
    *("torch._utils _rebuild_tensor_v3", "torch._tensor _rebuild_from_type_v2", "torch float16"),
)
STEPS = tuple(
    opcode.code.encode("latin1")
    for opcode in pickletools.opcodes
    if opcode.arg is None and opcode.name != "STOP"
)


def whole(kind: str) -> bytes:
    """The file that is changed afterwards."""
    if kind == "safetensors":
        return save({name: tensor.detach().contiguous().clone() for name, tensor in STATE.items()})
    buffer = io.BytesIO()
    torch.save(HELD, buffer, _use_new_zipfile_serialization=kind != "legacy")
    return buffer.getvalue()


def flipped(data: bytes, dice: random.Random) -> bytes:
    """The file with bits changed, a piece cut out, doubled or exchanged, or a number made large."""
    data = bytearray(data)
    place = dice.randrange(len(data))
    length = dice.choice((1, 2, 8, 64, 400))
    match dice.randrange(6):
        case 0 | 1:
            for _ in range(dice.choice((1, 1, 3, 20))):
                data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
        case 2:
            del data[place : place + length]
        case 3:
            data[place:place] = data[place : place + length]
        case 4:
            other = dice.randrange(len(data))
            data[place : place + length] = data[other : other + length]
        case 5:
            number = struct.pack("<Q", dice.choice(EXTREMES) % 2**64)
            data[place : place + 8] = number[: dice.choice((2, 4, 8))]
    return bytes(data)


def steps_of(stream: bytes) -> list[bytes]:
    places = [place for _, _, place in pickletools.genops(stream)]
    return [
        stream[begin:end] for begin, end in zip(places, [*places[1:], len(stream)], strict=True)
    ]


def other_steps(stream: bytes, dice: random.Random) -> bytes:
    """The pickle with steps of its machine left out, doubled, exchanged or put in."""
    steps = steps_of(stream)
    for _ in range(dice.choice((1, 1, 2, 5, 30))):
        i = dice.randrange(1, len(steps) - 1)
        match dice.randrange(7):
            case 0:
                del steps[i]
            case 1:
                steps.insert(i, steps[dice.randrange(1, len(steps) - 1)])
            case 2:
                steps[i] = steps[dice.randrange(1, len(steps) - 1)]
            case 3:
                steps.insert(i, dice.choice(STEPS))
            case 4:
                steps.insert(i, dice.choice(STEPS) * dice.choice((2, 50, 3_000)))
            case 5:
                steps[i] = pickle.dumps(dice.choice(EXTREMES), 2)[2:-1]
            case 6:
                steps[i] = b"c" + dice.choice(NAMES).replace(" ", "\n").encode() + b"\n"
        if len(steps) < 4:
            break
    return b"".join(steps)


def rezipped(data: bytes, dice: random.Random) -> bytes:
    """The archive with another pickle in it, or with entries doubled, left out or of another size;
    its checksums are right.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as old:
        entries = [(name, old.read(name)) for name in old.namelist()]
    i = dice.randrange(len(entries))
    match dice.randrange(8):
        case 0:
            entries.append(entries[i])
        case 1:
            del entries[i]
        case 2:
            entries[i] = (entries[i][0], entries[i][1] * 2)
        case 3:
            entries[i] = (entries[i][0], entries[i][1][:-1])
        case 4:
            entries[i] = (dice.choice(("../x", "x/data.pkl", "archive/code/a.py")), entries[i][1])
        case _:
            change = dice.choice((other_steps, other_steps, flipped))
            entries = [
                (name, change(content, dice) if name.endswith("data.pkl") else content)
                for name, content in entries
            ]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as new:
        for name, content in entries:
            new.writestr(name, content)
    return buffer.getvalue()


def legacy_steps(data: bytes, dice: random.Random) -> bytes:
    """A file of the old format with another pickle for its object or its keys."""
    stream = io.BytesIO(data)
    places = [0]
    for _ in range(5):
        for _step in pickletools.genops(stream):
            pass
        places.append(stream.tell())
    i = dice.choice((0, 1, 2, 3, 3, 3, 3, 4))
    changed = other_steps(data[places[i] : places[i + 1]], dice)
    return data[: places[i]] + changed + data[places[i + 1] :]


def other_header(data: bytes, dice: random.Random) -> bytes:
    """A safetensors file of which the header says something else, of the right length."""
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    entry = header[dice.choice(list(header))]
    match dice.randrange(5):
        case 0:
            entry["shape"] = [dice.choice(EXTREMES) for _ in range(dice.randrange(4))]
        case 1:
            entry["data_offsets"] = [dice.choice(EXTREMES), dice.choice(EXTREMES)]
        case 2:
            entry["dtype"] = dice.choice(("F16", "F64", "I8", "BOOL", "BF16", "C64", "?", 3))
        case 3:
            header["more"] = entry
        case 4:
            del entry[dice.choice(list(entry))]
    written = json.dumps(header).encode()
    return struct.pack("<Q", len(written)) + written + data[8 + length :]


CHANGES = {
    "zip": (flipped, rezipped, rezipped),
    "legacy": (flipped, legacy_steps, legacy_steps),
    "safetensors": (flipped, other_header),
}


def equal(ours: dict, theirs: dict, names: dict | None = None) -> bool:
    """Whether ours are among theirs, to the bit and the stride; and have all of the names."""
    return ours.keys() >= (names or {}).keys() and all(
        name in theirs
        and torch.equal(tensor, theirs[name])
        and (tensor.dtype, tensor.stride()) == (theirs[name].dtype, theirs[name].stride())
        for name, tensor in ours.items()
    )


def verdict(path: Path, kind: str, change) -> str:
    """What became of a changed file: "refused", "equal", or what is wrong with how it was read."""
    from convatlas.errors import WeightsError
    from convatlas.weights.reading import read

    try:
        file = read(path)
    except WeightsError as error:
        text = str(error)
        return "refused" if text.startswith(f"{path} ") and text.isprintable() else f"said {text}"
    if sum(tensor.nbytes for tensor in file.tensors.values()) > 4 * path.stat().st_size:
        return "more numbers than the file has"
    if kind == "zip" and change is flipped:  # its checksums see every change of what is read
        return "equal" if equal(file.tensors, STATE, STATE) else "another state"
    try:
        theirs = load_file(path) if kind == "safetensors" else torch.load(path, weights_only=True)
    except Exception:  # whatever the other readers find in such a file
        return "read by us alone"
    for name in file.section.split(".") if file.section else ():
        theirs = theirs[name]
    return "equal" if equal(file.tensors, theirs) else "not as torch reads it"


def main(first: int, count: int, folder: Path) -> None:
    """Prints what became of each seed that went wrong, a count of the rest, and the memory."""
    import resource
    import warnings

    warnings.simplefilter("ignore")
    files = {kind: whole(kind) for kind in CHANGES}
    for kind, data in files.items():
        (folder / kind).write_bytes(data)
        assert verdict(folder / kind, kind, None) == "equal"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    counts: dict[str, int] = {}
    for seed in range(first, first + count):
        dice = random.Random(seed)
        kind = dice.choice(list(files))
        change = dice.choice(CHANGES[kind])
        path = folder / f"{seed}"
        path.write_bytes(change(files[kind], dice))
        try:
            said = verdict(path, kind, change)
        except Exception as error:
            said = f"{type(error).__name__}: {error}"
        path.unlink()
        counts[said] = counts.get(said, 0) + 1
        if said not in ("refused", "equal", "read by us alone"):
            print(f"seed {seed}: {kind}, {change.__name__}: {said}", file=sys.stderr)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(json.dumps({"counts": counts, "grown": grown * 1024}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
