"""Does a network's own check see a fault in the files that build it? Twelve kinds, planted in the
source of every network.

    python -m benchmarks.planted_faults              # what is not judged yet: `make faults`
    python -m benchmarks.planted_faults resnet vgg16 # networks, or files of nets/, again
    python -m benchmarks.planted_faults --write      # and docs/mutants.md

A fault counts where it is in code that the network runs, or changes what is built; else the next
place is tried. The judge is what tests/test_golden.py compares: the layer table and the function.
Leaves with 1 where a fault survives that benchmarks/planted_faults.toml does not explain.
"""

import argparse
import ast
import contextlib
import importlib
import importlib.abc
import importlib.util
import json
import random
import resource
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Self
from unittest import mock

import torch
import torch.nn as nn

import convatlas.layers
import convatlas.nets
from benchmarks import planted_page
from benchmarks.fault_kinds import RULES, TORCH, Fault, Roles, faults, parsed, planted, roles_in
from convatlas import index, registry
from convatlas.anatomy import function as measuring
from convatlas.anatomy import summary
from convatlas.anatomy.function import difference, fingerprint, fixed_buffers
from convatlas.held import first_change, unread_change
from convatlas.index import function

HOUSE = Path(convatlas.__file__).parent
TESTS = HOUSE.parent / "tests"
sys.path[:0] = [str(TESTS), str(TESTS / "constants")]
import test_nets  # noqa: E402
from recording import Recorder, record  # noqa: E402
from tables import settled  # noqa: E402
from test_constants import faults as unlike_its_row  # noqa: E402

KEPT = Path(__file__).parent / "planted"  # FAMILY.json: what became of the faults of its networks
EXPLAINED = Path(__file__).with_suffix(".toml")
EACH = 1  # faults of a kind that are planted for one network, unless --each says otherwise
TRIES = 20  # places that are looked at for them
MEMORY = 12 * 2**30  # bytes that a process may take
LOUD = ("building", "running")  # what stops at once; silent faults are planted before those
OURS = ("convatlas.nets.", "convatlas.layers")


@cache
def sources() -> dict[str, str]:
    files = [*(HOUSE / "nets").glob("[a-z]*.py"), *(HOUSE / "layers").glob("[a-z]*.py")]
    return {file.relative_to(HOUSE).as_posix(): file.read_text("utf-8") for file in sorted(files)}


@cache
def roles() -> Roles:
    found = dict(TORCH)
    for source in sources().values():
        found |= roles_in(parsed(source))
    return found | TORCH


@cache
def faults_of(file: str) -> list[Fault]:
    return faults(sources()[file], file, roles())


class Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module from a changed source, or its tree, in place of its file."""

    def __init__(self, file: str, source: str | ast.Module):
        self.name = "convatlas." + file.removesuffix(".py").replace("/", ".")
        self.path = str(HOUSE / file)
        self.source = source

    @classmethod
    def of(cls, fault: Fault) -> Self:
        return cls(fault.file, planted(sources()[fault.file], fault, roles()))

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module) -> None:
        exec(compile(self.source, self.path, "exec"), module.__dict__)


@contextlib.contextmanager
def fresh(change: Planted | None) -> Iterator[None]:
    """Inside, the networks' files are imported anew, one of them changed."""
    before = {name: module for name, module in sys.modules.items() if name.startswith(OURS)}
    layers = convatlas.layers
    finders = [change] if change else []
    for name in before:
        del sys.modules[name]
        vars(convatlas.nets).pop(name.removeprefix("convatlas.nets."), None)
    sys.meta_path[:0] = finders
    try:
        yield
    finally:
        for finder in finders:
            sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if name.startswith(OURS)]:
            del sys.modules[name]
        sys.modules.update(before)
        convatlas.layers = layers
        for name, module in before.items():
            if name.startswith("convatlas.nets."):
                setattr(convatlas.nets, name.rpartition(".")[2], module)


def build(name: str, change: Planted | None = None, device: str = "meta") -> nn.Module:
    family = registry.entries()[name].family
    with fresh(change):
        module = importlib.import_module(f"convatlas.nets.{family}")
        with torch.device(device):
            net = module.VARIANTS[name]()
    net.name = name
    return net


@torch.no_grad()
def lines_run(name: str) -> tuple[set, set]:
    """(file, line) of what runs when the network is built, and of what runs in evaluation."""
    found: tuple[set, set] = (set(), set())
    now = found[0]

    def local(frame, event, argument):
        now.add((frame.f_code.co_filename, frame.f_lineno))
        return local

    def trace(frame, event, argument):
        return local if frame.f_code.co_filename.startswith(str(HOUSE)) else None

    sys.settrace(trace)
    try:
        net = build(name).eval()
        now = found[1]
        image = torch.empty(1, *net.input_size, device="meta")
        net(image)
        if hasattr(net, "training_outputs"):
            net.training_outputs(image)
    finally:
        sys.settrace(None)
    return found


@contextlib.contextmanager
def undrawn() -> Iterator[None]:
    """Inside, nothing is drawn for a weight: half the time of building a network."""
    drawing = [name for name in vars(nn.init) if name.endswith("_") and name[0] != "_"]
    with contextlib.ExitStack() as stack:
        for name in drawing:
            stack.enter_context(mock.patch.object(nn.init, name, lambda weight, *_, **__: weight))
        yield


def recorded(name: str, change: Planted | None = None) -> tuple[nn.Module, Recorder]:
    """A network, perhaps changed, and what was drawn for its weights."""
    return record(lambda: build(name, change))


def drawn(name: str, change: Planted | None = None) -> list[str]:
    net, recorder = recorded(name, change)
    return [str([*map(str, recorder.drawn(weights))]) for weights in net.parameters()]


def described(net: nn.Module) -> list:
    """All that sets two built networks apart, but for the numbers in their weights."""
    return [
        (
            path,
            type(module).__name__,
            [(key, _plain(value)) for key, value in vars(module).items() if key[0] != "_"],
            [(key, tuple(p.shape)) for key, p in module.named_parameters(recurse=False)],
        )
        for path, module in net.named_modules()
    ]


def _plain(value) -> str:
    """A value in words, without the address of what it is."""
    if isinstance(value, nn.Module | torch.Tensor):
        return type(value).__name__
    return getattr(value, "__qualname__", "") or repr(value).partition(" at 0x")[0]


def candidates(name: str) -> tuple[dict[str, list[Fault]], set]:
    """Faults by kind in what builds or runs the network, in a shuffled order of its own, and the
    lines that run.
    """
    built, ran = lines_run(name)
    by_kind: dict[str, list[Fault]] = {kind: [] for kind in RULES}
    for file in sources():
        path = str(HOUSE / file)
        lines = {line for where, line in built | ran if where == path}
        for fault in faults_of(file) if lines else ():
            used = lines & set(range(fault.lines[0], fault.lines[1] + 1))
            if used and (fault.kind != "edge" or _runs(fault, ran)):
                by_kind[fault.kind].append(fault)
    for kind, found in by_kind.items():  # one place in its own file, then any
        random.Random(f"{name} {kind}").shuffle(found)
        family = f"nets/{registry.entries()[name].family}.py"
        own = next((fault for fault in found if fault.file == family), None)
        found.sort(key=lambda fault, own=own: fault is not own)
    return by_kind, ran


def _runs(fault: Fault, ran: set) -> bool:
    path = str(HOUSE / fault.file)
    return any((path, line) in ran for line in range(fault.lines[0], fault.lines[1] + 1))


def judged(name: str, fault: Fault, ran: set, sound: list) -> str | None:
    """What sees the fault: "building", "running", or one of the CHECKS; "" where nothing does, None
    where the fault is not one in this network.
    """
    change = Planted.of(fault)
    try:
        if fault.kind == "init":
            return "settings" if settings_differ(name, change) else _idle(name, change)
        with undrawn():
            net = build(name, change)
    except Exception:
        return "building"
    if not _runs(fault, ran) and described(net) == sound:
        return None
    for what, differs in CHECKS.items():
        try:
            if differs(name, change, net):
                return what
        except Exception:
            return "running"
    return ""


def _idle(name: str, change: Planted) -> str | None:
    return None if drawn(name, change) == drawn(name) else ""


def layers_differ(name: str, change: Planted, net: nn.Module) -> bool:
    stored = json.loads((index.HERE / "layers" / f"{name}.json").read_text(encoding="utf-8"))
    measured = summary(net)
    return bool(first_change(stored, index.rows_of(measured)) or unread_change(name, measured))


def function_differs(name: str, change: Planted, net: nn.Module) -> bool:
    """Image by image, the cheaper first."""
    if fixed_buffers(net):
        net = build(name, change, "cpu")
    stored = function.stored(name)
    for image in function.images(net)[::-1]:
        held = stored.get(function.key(image))
        if held is None or difference(held, fingerprint(net, *image)):
            return True
    return False


def settings_differ(name: str, change: Planted, net: nn.Module | None = None) -> bool:
    """What tests/constants holds: initial weights, epsilons, momenta, rates of dropout."""
    net, recorder = recorded(name, change)
    rows = settled(registry.entries()[name].family, name, net)
    try:
        return any(unlike_its_row(row, recorder) for row in rows)
    except AssertionError:
        return True


def contract_broken(name: str, change: Planted, net: nn.Module) -> bool:
    """What tests/test_nets.py asks of every network: of its logits, stages and last map."""
    try:
        shapes = {path: part.output for path, part in summary(net).parts.items()}
        with (
            mock.patch.object(test_nets, "blueprint", return_value=net),
            mock.patch.object(test_nets, "shapes_in_order", return_value=shapes),
        ):
            for asked in CONTRACT:
                asked(name)
    except Exception:
        return True
    return False


CONTRACT = (
    test_nets.test_logits,
    test_nets.test_stages_are_maps_in_the_order_of_execution,
    test_nets.test_the_cam_layer_gives_the_last_map_before_the_classifier,
)
CHECKS = {
    "function": function_differs,
    "layers": layers_differ,
    "settings": settings_differ,
    "contract": contract_broken,
}


def _hashes_of(net: nn.Module) -> Callable[..., torch.Tensor]:
    """measuring._parameter that makes the sound network's hashes once for all of its faults."""
    shapes = {name: tuple(weights.shape) for name, weights in net.named_parameters()}
    make = measuring._parameter
    once = cache(make)

    def hashes(name: str, shape: tuple[int, ...], of_norm: bool) -> torch.Tensor:
        return (once if shapes.get(name) == shape else make)(name, shape, of_norm)

    return hashes


def judge_all(name: str, each: int = EACH) -> list[dict]:
    """So many faults of every kind that finds something to change."""
    by_kind, ran = candidates(name)
    net = build(name)
    sound, found = described(net), []
    with mock.patch.object(measuring, "_parameter", _hashes_of(net)):
        for places in by_kind.values():
            loud, silent = [], []
            for fault in places[:TRIES]:
                seen = judged(name, fault, ran, sound)
                if seen is not None:
                    (loud if seen in LOUD else silent).append(_record(name, fault, seen))
                if len(silent) == each:
                    break
            found += [*silent, *loud][:each]
    return found


def _record(name: str, fault: Fault, seen: str) -> dict:
    place = {"network": name, "kind": fault.kind, "file": fault.file, "line": fault.lines[0]}
    return place | {"was": fault.was[:150], "becomes": fault.becomes[:150], "seen": seen}


def kept() -> dict[str, list[dict]]:
    return {file.stem: json.loads(file.read_text("utf-8")) for file in KEPT.glob("*.json")}


def keep(family: str, results: list[dict]) -> None:
    KEPT.mkdir(exist_ok=True)
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in results)
    (KEPT / f"{family}.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


def run(words: list[str], share: int, of: int, each: int = EACH) -> None:
    """Judges what is asked for, or all that has no result; kept after each network."""
    entries = registry.entries()
    for number, family in enumerate(sorted({entry.family for entry in entries.values()})):
        if number % of != share:
            continue
        results = [old for old in kept().get(family, []) if old["network"] in entries]
        names = [name for name, entry in entries.items() if entry.family == family]
        done = {old["network"] for old in results}
        for name in names:
            if (name in words or family in words) if words else name not in done:
                results = [old for old in results if old["network"] != name]
                new = judge_all(name, each)
                results += new
                keep(family, results)
                alive = [fault for fault in new if not fault["seen"]]
                print(f"{name}: {len(alive)} not seen", *map(_line, alive), sep="\n  ", flush=True)


def _line(each: dict) -> str:
    return f"{each['kind']}: {each['file']}:{each['line']} {each['was']} -> {each['becomes']}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="networks or files of nets/, judged again")
    parser.add_argument("--write", action="store_true", help="renew the section of docs/mutants.md")
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("I", "OF"))
    parser.add_argument("--each", type=int, default=EACH, help="faults of a kind for a network")
    given = parser.parse_args()
    torch.set_num_threads(1)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))  # a width may become a thousand times
    run(given.names, *given.share, given.each)
    reasons = tomllib.loads(EXPLAINED.read_text("utf-8"))["survivor"]
    results = [each for family in kept().values() for each in family]
    if given.write:
        planted_page.write(results, reasons)
    return int(bool(planted_page.unexplained(results, reasons)))


if __name__ == "__main__":
    sys.exit(main())
