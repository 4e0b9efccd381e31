"""The rooms of the house, and which doors exist. A new door is a change to this table, seen in
review.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

import convatlas

DOORS = {
    "errors": set(),
    "notebook": set(),
    "answer": {"notebook"},
    "interruption": set(),
    "machine": set(),
    "magnitude": set(),
    "object_store": set(),
    "printable": set(),
    "regular_file": set(),
    "strict_json": set(),
    "settings": set(),
    "shapes_only": set(),
    "augmentation": {"settings"},
    "paper": set(),
    "scaling": set(),
    "costing": {"registry", "anatomy", "shapes_only"},
    "narrowing": set(),
    "claim": set(),
    "claim_sources": set(),
    "claims": {"claim"},  # nothing of nets: no claim may copy the constant that builds the network
    "measures": {"anatomy", "claim"},
    "layers": {"notebook"},
    "calling": set(),
    "wiring": {"calling"},
    "anatomy": {"calling", "wiring", "notebook"},
    "data": {"augmentation", "machine", "magnitude", "object_store", "printable", "strict_json"},
    "plotting": {"printable"},
    "device": {"settings"},
    "serving": {"deploy", "data", "strict_json"},
    "study": {
        *("interruption", "machine", "magnitude", "printable", "settings", "strict_json"),
        *("shapes_only", "registry", "data", "evaluation", "training", "reporting"),
    },
    "weights": {"regular_file", "data"},
    "recipes": set(),
    "papers": set(),
    "nets": {"paper", "layers"},  # and one other file of nets: see _ancestors
    "elsewhere": {"weights"},
    "registry": {"nets", "paper", "claim", "claims", "layers", "weights", "elsewhere"},
    "entry_points": {"registry"},
    "verification": {"registry", "shapes_only", "anatomy", "claim", "claim_sources", "measures"},
    "index": {"registry", "shapes_only", "anatomy", "wiring", "verification", "papers", "weights"},
    "identification": {
        *("printable", "regular_file", "registry", "verification", "index", "stored_walks"),
        *("anatomy", "wiring", "weights"),
    },
    "stored_walks": {"registry", "anatomy"},
    "held": {"registry", "anatomy", "verification", "index"},
    "conversion": {"registry", "shapes_only", "weights"},
    "explorer": {
        *("registry", "anatomy", "claim", "claim_sources", "drawing", "pages", "stored_walks"),
        *("model_description", "model_file", "regular_file", "strict_json"),  # of a run
    },
    "drawing": {"anatomy", "magnitude", "registry", "stored_walks"},
    "pages": {
        *("registry", "anatomy", "drawing", "costing"),
        *("claim", "claim_sources", "weights", "elsewhere"),
    },
    "model_description": {"data", "regular_file", "strict_json"},
    "model_file": {
        *("data", "device", "registry", "shapes_only", "regular_file", "model_description"),
        "narrowing",
        "prediction",  # when a network is called on pictures
        "compression",  # when a compressed file is given
        "speed",  # when it is to answer through another engine
    },
    "published_model": {"device", "model_file", "registry"},
    "publishing": {
        *("printable", "strict_json", "registry", "model_file", "training", "weights"),
        "pages",  # the ledger
    },
    "evaluation": {"data", "registry"},
    "prediction": {"answer", "data", "registry", "model_file"},
    "run_images": {"data", "model_file", "regular_file", "training", "weights"},
    "finished_run": {"data", "evaluation", "model_file", "run_images", "training"},
    "timing": set(),
    "deploy": {
        *("timing", "machine", "regular_file", "strict_json", "data", "model_file", "evaluation"),
        *("run_images", "finished_run", "training"),
    },
    "speed": {
        *("timing", "machine", "settings", "strict_json", "regular_file", "data", "weights"),
        *("elsewhere", "anatomy", "registry", "model_file", "deploy"),
    },
    "compression": {
        *("timing", "strict_json", "regular_file", "shapes_only", "data", "weights", "registry"),
        *("model_description", "model_file", "evaluation", "run_images", "finished_run"),
        *("training", "narrowing"),
    },
    "training": {
        *("settings", "augmentation", "printable", "regular_file", "strict_json", "shapes_only"),
        *("machine", "magnitude", "data", "plotting", "registry", "evaluation", "model_file"),
        *("object_store", "weights"),
    },
    "estimator": {"data", "training", "model_file"},
    "reporting": {
        *("printable", "magnitude", "strict_json", "registry", "anatomy", "shapes_only"),
        *("training", "model_description"),
        "run_images",  # for the pictures beside their names
        *("model_file", "timing"),  # where latency is asked for
    },
    "explanation": {
        *("anatomy", "data", "plotting", "printable"),
        *("model_file", "prediction", "registry", "run_images", "finished_run"),
    },
}
ALL_DOORS = {"cli", "__main__"}  # the front of the house
HOUSE = Path(convatlas.__file__).parent
FILES = {
    file.relative_to(HOUSE).as_posix(): file.read_text() for file in sorted(HOUSE.rglob("*.py"))
}


@cache  # every test asks for all the files
def imports(source: str, path: str) -> frozenset[str]:
    """Our modules that a file imports, dotted and without "convatlas.":
    "registry", "nets.resnet".
    """
    package = ["convatlas", *path.split("/")[:-1]]
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= (
                {module}
                if module != "convatlas"
                else {f"convatlas.{_home(name.name)}" for name in node.names}
            )
            if module == "convatlas.nets":
                found |= {f"{module}.{name.name}" for name in node.names}
    ours = {name.removeprefix("convatlas.") for name in found if name.startswith("convatlas.")}
    return frozenset(ours)


def _home(name: str) -> str:
    """Where a name that the package itself offers really lives, so that it is no
    way round a door.
    """
    return convatlas._HOMES.get(name, name)


def trespasses(files: dict[str, str]) -> list[str]:
    """Every import of files (path in the house -> source) that goes through no door."""
    found = []
    for path, source in files.items():
        room = path.split("/")[0].removesuffix(".py")
        if room in {"__init__", *ALL_DOORS}:
            continue
        if room not in DOORS:
            found.append(f"{path}: the room {room!r} is not in the table")
            continue
        seen = imports(source, path)
        rooms = {name.split(".")[0] for name in seen} & {*DOORS, *ALL_DOORS}
        found += [
            f"{path}: {room} may not import {other}"
            for other in sorted(rooms - DOORS[room] - {room, "errors"})
        ]
        if room == "nets":
            found += _ancestors(path, seen, files)
    return found


def _ancestors(path: str, seen: frozenset[str], files: dict[str, str]) -> list[str]:
    """A file of nets may build on one other, and then names what that one builds on, too."""
    nets = sorted(_nets(seen))
    older = {name: f"nets/{name}.py" for name in nets}
    parents = {name: _nets(imports(files.get(older[name], ""), older[name])) for name in nets}
    if not nets or any(set(nets) == {name, *parents[name]} for name in nets):
        return []
    deeper = [
        f"{path}: builds on {name}, which itself builds on {' and '.join(sorted(parents[name]))}"
        for name in nets
        if parents[name]
    ]
    return deeper or [f"{path}: builds on {' and '.join(nets)}; one is the limit"]


def _nets(seen: frozenset[str]) -> set[str]:
    return {name.split(".")[1] for name in seen if name.startswith("nets.")}


def test_every_import_goes_through_a_door():
    assert trespasses(FILES) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("nets/new.py", "from convatlas.registry import create_model"),
        ("nets/new.py", "import convatlas.registry as r"),
        ("nets/new.py", "from convatlas import registry"),
        ("nets/new.py", "from convatlas import create_model"),
        ("nets/new.py", "from ..registry import create_model"),
        ("nets/new.py", "from .. import registry"),
        ("nets/new.py", "def f():\n    from convatlas.training import run"),
        ("anatomy/new.py", "from convatlas.layers import seq"),
        ("paper.py", "import convatlas.layers"),
        ("registry.py", "from convatlas.cli import atlas"),
        ("data/deep/new.py", "from ...nets.resnet import ResNet"),
        ("attic/new.py", "import torch"),
        (
            "nets/new.py",
            "from convatlas.nets.resnet import Residual\nfrom convatlas.nets.vgg import VGG",
        ),
        ("nets/new.py", "from . import resnet, vgg"),
        ("nets/new.py", "from convatlas.nets.resnet_cifar import ResNetCIFAR"),
        (
            "nets/new.py",
            "from convatlas.nets.vgg import VGG\nfrom convatlas.nets import resnet_cifar",
        ),
    ],
)
def test_a_trespass_is_seen(path, source):
    assert [found for found in trespasses({**FILES, path: source}) if found.startswith(path)]


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "nets/new.py",
            (
                "from convatlas.layers import seq\nfrom convatlas.paper import Paper\nimport "
                "torch.nn as nn"
            ),
        ),
        ("nets/new.py", "from convatlas.nets.resnet import Residual, ResNet"),
        (
            "nets/new.py",
            "from convatlas.nets.resnet import ResNet\nfrom convatlas.nets import resnet_cifar",
        ),
        ("nets/new.py", "from . import resnet"),
        ("verification.py", "from convatlas import registry, summary"),
        ("training/new.py", "import convatlas\nfrom . import loss"),
        ("cli/new.py", "from convatlas.training.run import train"),
    ],
)
def test_a_door_may_be_used(path, source):
    assert [found for found in trespasses({**FILES, path: source}) if found.startswith(path)] == []


@pytest.mark.parametrize("path", FILES)
def test_a_file_is_small_and_named_for_what_it_holds(path):
    assert Path(path).stem not in {"utils", "util", "common", "helpers", "core", "misc"}
    assert FILES[path].count("\n") <= 400, f"{path} is past 400 lines: two things live in it"


@pytest.mark.parametrize("path", [path for path in FILES if path.endswith("__init__.py")])
def test_a_room_says_what_belongs_there(path):
    assert ast.get_docstring(ast.parse(FILES[path]))
