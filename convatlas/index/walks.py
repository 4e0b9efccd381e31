"""The walk of each network as the index holds it, walks/NAME.json: the graph of its operations and
the habits of its modules, from which any two networks are told apart.
"""

import json
import time
from collections.abc import Callable, Collection
from pathlib import Path

from convatlas import registry
from convatlas.anatomy.function import fixed_buffers
from convatlas.anatomy.steps import Walk
from convatlas.anatomy.walk_record import lean, to_record
from convatlas.verification import blueprint

FOLDER = Path(__file__).parent / "walks"


def measured(name: str) -> Walk:
    """The walk of a network, measured now; with numbers where it computes with some of its own."""
    net = blueprint(name)
    if fixed_buffers(net):
        net = registry.create_model(name)
    return lean(Walk.of(net, net.input_size))


def text(walk: Walk) -> str:
    """walks/NAME.json: a node a line."""
    record = to_record(walk)
    nodes = ",\n".join(map(_compact, record.pop("nodes")))
    head = ",\n".join(f"{_compact(key)}:{_compact(value)}" for key, value in record.items())
    return f'{{{head},\n"nodes":[\n{nodes}]}}\n'


def write(
    names: Collection[str] | None = None,
    folder: Path = FOLDER,
    tell: Callable[[str], None] = lambda line: None,
) -> list[str]:
    """Renew walks/NAME.json of `names`, by default of all networks, and drop what is gone. Returns
    the names of all networks.
    """
    entries = registry.entries()
    folder.mkdir(exist_ok=True)
    for name in entries if names is None else names:
        began = time.perf_counter()
        (folder / f"{name}.json").write_bytes(text(measured(name)).encode())
        tell(f"{name:<36} {time.perf_counter() - began:5.1f} s")
    for gone in {path.stem for path in folder.glob("*.json")} - {*entries}:
        (folder / f"{gone}.json").unlink()
    return list(entries)


def _compact(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
