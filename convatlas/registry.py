"""Name -> network, by reading the files of nets/. A network file registers nothing; it only exposes
its VARIANTS.

`list_models` and `describe` answer from the generated index, without importing torch;
`create_model` imports it.
"""

import difflib
import importlib
import json
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path

from convatlas.errors import UnknownNetwork
from convatlas.paper import Claim, Paper


@dataclass(frozen=True)
class Entry:
    name: str
    family: str  # the file in nets/
    make: Callable
    paper: Paper
    claims: tuple[Claim, ...]


@cache
def entries() -> dict[str, Entry]:
    """Every network, from the files themselves. Imports torch."""
    nets = importlib.import_module("convatlas.nets")
    found: dict[str, Entry] = {}
    for info in pkgutil.iter_modules(nets.__path__):
        module = importlib.import_module(f"{nets.__name__}.{info.name}")
        for name, make in module.VARIANTS.items():
            if name in found:
                raise ValueError(
                    f"{name} is declared twice, in {found[name].family}.py and in {info.name}.py"
                )
            paper = module.PAPER if isinstance(module.PAPER, Paper) else module.PAPER[name]
            found[name] = Entry(name, info.name, make, paper, module.CLAIMS.get(name, ()))
    return found


@cache
def stored_facts() -> dict[str, dict]:
    """The generated catalogue: name -> facts, as `make index` wrote them. Without torch."""
    return json.loads((resources.files("convatlas") / "index" / "catalogue.json").read_text())


def require(name: str, names) -> None:
    """Raises UnknownNetwork unless `name` is one of `names`: it says what another library's name is
    here, and offers near ones where the name is nobody's.
    """
    if name not in names:
        from convatlas.elsewhere.networks import answer

        raise UnknownNetwork(
            f"there is no network called {name!r}; {answer(name, names) or _near(name, names)}"
        )


def _near(name: str, names) -> str:
    begun = sorted((known for known in names if known.startswith(name)), key=len)
    near = begun[:3] or difflib.get_close_matches(name, names, n=3, cutoff=0.7)
    return f"did you mean {' or '.join(near)}?" if near else "`convatlas list` shows them all"


def create_model(
    name: str,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: str | Path | None = None,
):
    """The network of that name, freshly initialised; classes and channels are the paper's unless
    given.

    With `weights` (a checkpoint, "torchvision" or "hub:owner/name": see weights.load_weights) it is
    filled from there. Raises UnknownNetwork (a ValueError) for a name that is not in the atlas,
    ValueError for counts below one, WeightsError for a checkpoint that is refused.
    """
    require(name, entries())
    given = {"num_classes": num_classes, "in_channels": in_channels}
    for what, count in given.items():
        if count is not None and count < 1:
            raise ValueError(f"{name}: {what} must be 1 or more, not {count}")
    net = entries()[name].make(
        **{what: count for what, count in given.items() if count is not None}
    )
    net.name = name
    if weights is not None:
        from convatlas.weights import load_weights

        load_weights(net, weights)
    return net


def list_models(
    pattern: str = "*",
    family: str | None = None,
    year: int | None = None,
    max_params: float | None = None,
) -> list[str]:
    """Names that match all that is given: a wildcard, the file in nets/, the paper's year, a bound
    on parameters.
    """
    return [
        name
        for name, facts in stored_facts().items()
        if fnmatchcase(name, pattern)
        and family in (None, facts["family"])
        and year in (None, facts["paper"]["year"])
        and (max_params is None or facts["params"] <= max_params)
    ]


def describe(name: str) -> dict:
    """What the index holds of a network: paper, claims beside measured values, counts, input size,
    layer table.
    """
    require(name, stored_facts())
    layers = resources.files("convatlas") / "index" / "layers" / f"{name}.json"
    return stored_facts()[name] | {"layers": json.loads(layers.read_text())}
