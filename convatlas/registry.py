"""Name -> network, by reading the files of nets/ and claims/. A network file registers nothing; it
only exposes its VARIANTS.

`list_models` and `describe` answer from the generated index, without importing torch;
`create_model` imports it, and of the files the one that holds the network.
"""

import difflib
import hashlib
import importlib
import json
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Literal, overload

import convatlas
from convatlas import claims, nets
from convatlas.claim import Claim
from convatlas.errors import InputError, UnknownNetwork
from convatlas.paper import Paper

HOUSE = Path(__file__).parent
MANY = 5  # files that are named one by one


@dataclass(frozen=True)
class Entry:
    name: str
    family: str  # the file in nets/
    make: Callable[..., "convatlas.Network"]
    paper: Paper
    claims: tuple[Claim, ...]


@cache
def entries() -> dict[str, Entry]:
    """Every network, from the files themselves. Imports torch."""
    found: dict[str, Entry] = {}
    for info in pkgutil.iter_modules(nets.__path__):
        for name, entry in _entries_of(info.name).items():
            if name in found:
                raise ValueError(
                    f"{name} is declared twice, in {found[name].family}.py and in {info.name}.py"
                )
            found[name] = entry
    return found


def _declared(module, family: str, printed: dict[str, tuple[Claim, ...]]) -> list[Entry]:
    """The networks of one file.  ValueError, naming the file, where a part of it is missing."""
    for part in ("PAPER", "VARIANTS"):
        if not hasattr(module, part):
            raise ValueError(
                f"convatlas/nets/{family}.py has no {part}; CONTRIBUTING.md shows what such a file "
                "holds"
            )
    shared = isinstance(module.PAPER, Paper)
    papers = dict.fromkeys(module.VARIANTS, module.PAPER) if shared else module.PAPER
    if names := module.VARIANTS.keys() - papers.keys():
        raise ValueError(f"convatlas/nets/{family}.py: PAPER has no {', '.join(sorted(names))}")
    if names := printed.keys() - module.VARIANTS.keys():
        raise ValueError(
            f"convatlas/claims/{family}.py: nets/{family}.py has no {', '.join(sorted(names))}"
        )
    return [
        Entry(name, family, make, papers[name], printed.get(name, ()))
        for name, make in module.VARIANTS.items()
    ]


def _printed(family: str) -> dict[str, tuple[Claim, ...]]:
    """The claims of the networks of one file; none where nothing is printed of them."""
    if family not in {info.name for info in pkgutil.iter_modules(claims.__path__)}:
        return {}
    module = importlib.import_module(f"{claims.__name__}.{family}")
    if not hasattr(module, "CLAIMS"):
        raise ValueError(f"convatlas/claims/{family}.py has no CLAIMS")
    return module.CLAIMS


@cache
def _entries_of(family: str) -> dict[str, Entry]:
    """The networks of one file in nets/; none where there is no such file."""
    if family not in {info.name for info in pkgutil.iter_modules(nets.__path__)}:
        return {}
    module = importlib.import_module(f"{nets.__name__}.{family}")
    return {entry.name: entry for entry in _declared(module, family, _printed(family))}


def _entry(name: str) -> Entry:
    """One network, from the file where the index saw it; every file is read for a name that is not
    there.
    """
    family = stored_facts().get(name, {}).get("family", "")
    found = _entries_of(family)
    if name not in found:
        found = entries()
        require(name, found)
    return found[name]


@cache
def stored_facts() -> dict[str, dict]:
    """The generated catalogue: name -> facts, as `make index` wrote them. Without torch."""
    return json.loads((resources.files("convatlas") / "index" / "catalogue.json").read_bytes())


def require(name: str, names) -> None:
    """Raises UnknownNetwork unless `name` is one of `names`: it says what another library's name is
    here, and offers near ones where the name is nobody's.
    """
    if name not in names:
        from convatlas.elsewhere.networks import answer

        unread = f" ({outdated})" if (outdated := stale()) else ""
        raise UnknownNetwork(
            f"there is no network called {name!r}; "
            f"{answer(name, names) or _near(name, names)}{unread}"
        )


def _near(name: str, names) -> str:
    begun = sorted((known for known in names if known.startswith(name)), key=len)
    near = begun[:3] or difflib.get_close_matches(name, names, n=3, cutoff=0.7)
    return f"did you mean {' or '.join(near)}?" if near else "`convatlas list` shows them all"


@cache
def fingerprint(family: str, page: str, house: Path = HOUSE) -> str:
    """Of what the index holds of a network's files in nets/ and claims/, and of its paper's in
    papers/.
    """
    files = (
        house / "nets" / f"{family}.py",
        house / "claims" / f"{family}.py",
        house / "papers" / f"{page}.toml",
    )
    told = [file.read_text(encoding="utf-8") if file.is_file() else "" for file in files]
    return hashlib.sha256("\0".join(told).encode()).hexdigest()[:16]


def stale(house: Path = HOUSE) -> str:
    """Which files of nets/ the index does not know as they are, and what renews it: a sentence
    without its full stop; "" where nothing is to be done, as in an installed copy.

    Compares text, and runs none: a network's own file and what is told of its paper. What it builds
    on is for tests/test_golden.py to see.
    """
    if not (house.parent / "pyproject.toml").is_file():
        return ""
    kept = json.loads((house / "index" / "sources.json").read_text(encoding="utf-8"))
    known = {
        (facts["family"], facts["paper"]["page"], name) for name, facts in stored_facts().items()
    }
    changed = {
        family for family, page, name in known if kept.get(name) != fingerprint(family, page, house)
    }
    new = {file.stem for file in (house / "nets").glob("[!_]*.py")} - {
        family for family, *_ in known
    }
    files = sorted(changed | new)
    if not files:
        return ""
    few = len(files) <= MANY
    named = ", ".join(f"convatlas/nets/{family}.py" for family in files[:MANY])
    return (
        f"the index does not know {named}{'' if few else f' and {len(files) - MANY} more'} as "
        f"{'it is' if len(files) == 1 else 'they are'}; run "
        f"{' '.join(['python -m convatlas.index', *(files if few else [])])}"
    )


@overload
def create_model(
    name: str,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: str | Path | None = None,
    source: str | None = None,
    ema: bool = False,
    *,
    features_only: Literal[False] = False,
    out_indices: None = None,
) -> "convatlas.Network":
    """The network of that name, freshly initialised, or filled from `weights`; classes and channels
    are the paper's unless given, and with `num_classes=0` it gives out an embedding.
    `help(convatlas.create_model)` tells the rest.
    """


@overload
def create_model(
    name: str,
    *,
    features_only: Literal[True],
    out_indices: Sequence[int] | None = None,
    in_channels: int | None = None,
    weights: str | Path | None = None,
    source: str | None = None,
    ema: bool = False,
) -> "convatlas.FeatureMaps":
    """The network's stages alone: a module that gives out a list of their maps, of those at
    `out_indices` or of all. `help(convatlas.create_model)` tells the rest.
    """


def create_model(
    name: str,
    num_classes: int | None = None,
    in_channels: int | None = None,
    weights: str | Path | None = None,
    source: str | None = None,
    ema: bool = False,
    *,
    features_only: bool = False,
    out_indices: Sequence[int] | None = None,
) -> "convatlas.Network | convatlas.FeatureMaps":
    """The network of that name, freshly initialised; classes and channels are the paper's unless
    given.

    With `num_classes=0` it has no classifier, and gives out what that would read: an embedding,
    (N, net.num_features). With `features_only` it gives out a list of the maps of its stages
    instead, of those at `out_indices` or of all; `net.feature_info` tells their channels and
    reductions.

    With `weights` (a file, "torchvision" or "hub:owner/name") it is filled from there; `source`
    says whose file it is where its names fit several ("timm:resnet50"; see weights.load_weights),
    and `ema` reads the running average of a file that holds one beside the raw weights.
    A `num_classes` that is not the file's, or given for a file without a classifier, leaves the
    classifier fresh, an `in_channels` that is not the file's adapts the first convolution;
    `net.certificate` says what was read, adapted and left fresh, and is None without weights. How
    pictures are prepared for the weights is `net.preprocess`, what the outputs are called
    `net.classes`.

    Raises UnknownNetwork for a name that is not in the atlas, InputError for counts below one
    (num_classes below 0), for stages that it does not have and for `out_indices` without
    features_only, WeightsError for a checkpoint that is refused; all are ValueErrors.
    """
    entry = _entry(name)
    without = num_classes == 0 or features_only
    _require_counts(name, num_classes, in_channels, features_only, out_indices)
    counts = {"num_classes": num_classes or None, "in_channels": in_channels}
    given = {what: count for what, count in counts.items() if count is not None}
    net = entry.make(**given)
    net.name = name
    if weights is not None:
        from convatlas.weights import load_weights

        load_weights(
            net,
            weights,
            source,
            adapt_classes=without or "num_classes" in given,
            adapt_channels="in_channels" in given,
            ema=ema,
        )
    if features_only:
        from convatlas.layers.feature_maps import FeatureMaps

        return FeatureMaps(net, out_indices)
    if without:
        net.reset_classifier(0)
    return net


def _require_counts(
    name: str,
    num_classes: int | None,
    in_channels: int | None,
    features_only: bool,
    out_indices: Sequence[int] | None,
) -> None:
    """InputError for counts and indices that no network has."""
    if num_classes is not None and num_classes < 0:
        raise InputError(
            f"{name}: num_classes must be 1 or more, or 0 for no classifier, not {num_classes}"
        )
    if in_channels is not None and in_channels < 1:
        raise InputError(f"{name}: in_channels must be 1 or more, not {in_channels}")
    if num_classes and features_only:
        raise InputError(
            f"{name}: with features_only there is no classifier; leave num_classes out"
        )
    if out_indices is not None and not features_only:
        raise InputError(f"{name}: out_indices choose among maps; give features_only=True too")


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
    return stored_facts()[name] | {"layers": json.loads(layers.read_bytes())}
