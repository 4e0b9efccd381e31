"""Networks compiled by torch's AOTInductor for the processor that compiles them.

Such a package is machine code: the processor stands in it, and is compared before any of the code
is loaded.
"""

import json
import platform
import re
import zipfile
from importlib import import_module
from pathlib import Path

import numpy as np

from convatlas.deploy.engines import Kind, Opened, needed
from convatlas.deploy.record import KEY, Record
from convatlas.errors import ExportError

PROCESSOR = "convatlas processor"  # in the package's metadata, beside the record
METADATA = re.compile(r".*/data/aotinductor/model/[^/]*_metadata\.json")
LARGEST_METADATA = 8_000_000  # bytes
# what compilers make use of unasked, of all that x86 processors say of themselves
USED = re.compile(r"s?sse|avx|amx|fma|f16c|bmi|abm|popcnt|movbe|adx|vaes|vpclmul|gfni")


def is_package(path: Path) -> bool:
    """Whether a .pt2 file is compiled, not a program for torch.export."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(METADATA.fullmatch(name) for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def write_aoti(saved, path: Path) -> None:
    """Raises ExportError where there is no C++ compiler."""
    import torch
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler
    from torch._inductor.utils import fresh_cache

    from convatlas.deploy.network_graph import Answers
    from convatlas.deploy.picture_module import Pictures
    from convatlas.deploy.writers import record_of

    metadata = {KEY: record_of(saved).to_json(), PROCESSOR: json.dumps(processor())}
    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        raise ExportError(
            "--to aoti compiles the network, and there is no C++ compiler here; install g++ or "
            "name another with CXX=..., or choose another engine with --to"
        ) from None
    with fresh_cache(), torch.no_grad():
        torch._inductor.aoti_compile_and_package(
            Pictures(saved.preprocess, Answers(saved.net)).exported(),
            package_path=str(path),
            inductor_configs={"aot_inductor.metadata": metadata},
        )


def open_aoti(path: Path, kind: Kind, precision: str | None, threads: int | None) -> Opened:
    """Raises ExportError where the package is of another kind of processor."""
    torch = needed(kind.package, kind.extra, f"{path.name}")
    metadata = read_metadata(path)
    refuse_another_processor(path, metadata.get(PROCESSOR, ""))
    program = import_module("torch._inductor").aoti_load_package(str(path))
    if threads is not None:
        torch.set_num_threads(threads)  # torch has one setting for the whole process

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        with torch.inference_mode():
            logits, probabilities = program(torch.from_numpy(pictures))
        return logits.numpy(), probabilities.numpy()

    record = Record.from_json(metadata.get(KEY, ""), str(path))
    return Opened(record, f"AOTInductor of torch {torch.__version__}", "f32", run)


def read_metadata(path: Path) -> dict[str, str]:
    """Without loading the package's code."""
    try:
        with zipfile.ZipFile(path) as archive:
            first = next(i for i in archive.infolist() if METADATA.fullmatch(i.filename))
            if first.file_size > LARGEST_METADATA:
                raise ValueError
            found = json.loads(archive.read(first))
    except (OSError, zipfile.BadZipFile, StopIteration, ValueError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise ExportError(f"{path} is no compiled package, or a damaged one; export it again")
    return found


def processor() -> dict:
    """This machine's: system, machine, name, and the instruction sets that compilers make use of,
    where the system lists them.
    """
    name, flags = platform.processor() or platform.machine(), []
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    for line in lines:
        title, _, value = (part.strip() for part in line.partition(":"))
        if title == "model name":
            name = value
        elif title == "flags":
            flags = [flag for flag in value.split() if USED.match(flag)]
        elif title == "Features":
            flags = value.split()
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "name": name,
        "flags": sorted({*flags}),
    }


def refuse_another_processor(path: Path, said: str) -> None:
    here = processor()
    try:
        theirs = json.loads(said)
        missing = {*theirs["flags"]} - {*here["flags"]}
        same = all(theirs[key] == here[key] for key in ("system", "machine"))
        name = str(theirs["name"])
    except (ValueError, KeyError, TypeError):
        raise ExportError(f"{path} does not name its processor; export the network again") from None
    if missing or not same:
        lacks = f", which has no {', '.join(sorted(map(str, missing)))}" if missing else ""
        raise ExportError(
            f"{path} was compiled for {theirs['system']} on {name}, not for this processor "
            f"({here['name']}{lacks}); export the network here"
        )
