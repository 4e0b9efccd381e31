"""Networks compiled by torch's AOTInductor, for the processor and the torch that compiled them.

Such a package is machine code, which runs once it is opened. So only those are opened that this
user compiled, here: what was compiled stands in the user's cache, by its digest.
"""

import contextlib
import json
import re
import zipfile
from importlib import import_module
from pathlib import Path

from convatlas import strict_json
from convatlas.deploy.engines import Kind, Opened, answering, needed
from convatlas.deploy.record import KEY, Record, installed, sha256
from convatlas.errors import ExportError
from convatlas.machine import processor, user_cache
from convatlas.regular_file import read_regular

CODE = re.compile(r"(^|/)data/aotinductor/")  # torch compiles sources that it finds there, too
LARGEST = 100_000  # bytes of what is remembered of a package


def is_package(path: Path) -> bool:
    """Whether a .pt2 file holds machine code, and no program for torch.export. False for what is no
    archive, or a damaged one; such a file is not given to torch, which might read it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return any(map(CODE.search, archive.namelist()))
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        return False


def write_aoti(saved, path: Path) -> None:
    """Raises ExportError where there is no C++ compiler, or no place to remember the package."""
    import torch
    from torch._inductor.cpp_builder import get_cpp_compiler
    from torch._inductor.exc import InvalidCxxCompiler
    from torch._inductor.utils import fresh_cache

    from convatlas.deploy.measured_pictures import MeasuredPictures
    from convatlas.deploy.network_graph import Answers, quiet
    from convatlas.deploy.writers import record_of

    try:
        get_cpp_compiler()
    except InvalidCxxCompiler:
        raise ExportError(
            "--to aoti compiles the network, and there is no C++ compiler here; install g++ or "
            "name another with CXX=..., or choose another engine with --to"
        ) from None
    metadata = {KEY: record_of(saved).to_json()}
    program = MeasuredPictures(saved.preprocess, Answers(saved.net)).exported()
    write_numbers_as_tensors(program)
    with fresh_cache(), torch.no_grad(), quiet():
        torch._inductor.aoti_compile_and_package(
            program,
            package_path=str(path),
            inductor_configs={"freezing": True, "aot_inductor.metadata": metadata},
        )
    _remember(path)


def write_numbers_as_tensors(program) -> None:
    """In place, each number that a layer's output is scaled or shifted by as a tensor.

    The compiler takes such numbers into the weights of the convolution before, and torch 2.14 keeps
    all of them under one name ("other_tensor" in torch/_inductor/fx_passes/binary_folding.py): the
    last is taken for every one. Inception-ResNets, whose branches are scaled by 0.17, 0.1 and 0.2,
    answered with an error of the largest logit's own size.
    """
    import torch

    aten = torch.ops.aten
    graph = program.graph_module.graph
    for operator in (aten.mul.Tensor, aten.div.Tensor, aten.add.Tensor, aten.sub.Tensor):
        for node in graph.find_nodes(op="call_function", target=operator):
            _number_as_tensor(node)
    program.graph_module.recompile()


def _number_as_tensor(node) -> None:
    import torch

    value, number = node.args
    if not isinstance(number, int | float) or not node.meta["val"].is_floating_point():
        return
    about = {"dtype": node.meta["val"].dtype, "device": node.meta["val"].device}
    with node.graph.inserting_before(node):
        tensor = node.graph.call_function(torch.ops.aten.full.default, ([], number), about)
    with node.meta["val"].fake_mode:
        tensor.meta["val"] = torch.full([], number, **about)
    node.args = (value, tensor)


def open_aoti(path: Path, kind: Kind, precision: str | None, threads: int | None) -> Opened:
    """Raises ExportError for a package that was not compiled by this user, on this processor, with
    this torch; none of its code is loaded then.
    """
    torch = needed(kind.package, kind.extra, f"{path.name}")
    _require_own(path)
    program = import_module("torch._inductor").aoti_load_package(str(path))
    record = Record.from_json(program.get_metadata().get(KEY, ""), str(path))
    return Opened(
        record, f"AOTInductor of torch {torch.__version__}", "f32", answering(program, threads)
    )


def _here() -> dict:
    return {"processor": processor(), **installed("torch")}


def _place(path: Path) -> Path | None:
    """Where it stands that this file was compiled here; None for a user without a home."""
    cache = user_cache()
    return cache and cache / "compiled" / f"{sha256(path.read_bytes())}.json"


def _remember(path: Path) -> None:
    place = _place(path)
    if place is None:
        raise ExportError(
            "--to aoti remembers what was compiled here, and there is no home; name a folder with "
            "XDG_CACHE_HOME=..."
        )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(json.dumps(_here()), encoding="utf-8")
    except OSError as error:
        raise ExportError(
            f"--to aoti cannot remember in {place.parent} what was compiled here "
            f"({error.strerror or error}); name another folder with XDG_CACHE_HOME=..."
        ) from None


def _require_own(path: Path) -> None:
    place, about = _place(path), None
    with contextlib.suppress(OSError, ValueError):
        about = place and strict_json.loads(read_regular(place, LARGEST))
    if about is None:
        raise ExportError(
            f"{path} is machine code that was not compiled here by you, and is not opened; export "
            "the network again, or load the file as docs/ship/aoti.md shows if you trust its maker"
        )
    if about != _here():
        raise ExportError(
            f"{path} was compiled for another processor or another torch than this machine has; "
            "export the network again"
        )
