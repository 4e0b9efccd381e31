"""A study before its first run: whatever is wrong with any part of it, found and told at once."""

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from convatlas.data import Data, open_data
from convatlas.errors import Error, RecipeError
from convatlas.evaluation import require_multi_crop
from convatlas.registry import create_model, require, stored_facts
from convatlas.shapes_only import shapes_only
from convatlas.study import asking
from convatlas.study.plan import Asked, Images, Line, line_of
from convatlas.training import effect
from convatlas.training.batch_norm import require_several_values
from convatlas.training.fine_tune import freeze, start_from
from convatlas.training.location import located
from convatlas.training.prepare import Gathered, device_type, multi_crop_of, side_of
from convatlas.training.recipe import DEFAULTS, Recipe
from convatlas.training.unused import require_use

OF_DATA = (
    *("data_root", "download", "val_fraction", "test_from", "missing_classes"),
    "max_megapixels",
)
NAMED = 3  # networks that one sentence names


@dataclass
class _Wrong:
    """Sentences, each with whom it concerns."""

    sentences: dict[str, list[str]] = field(default_factory=dict)

    @contextmanager
    def noting(self, whom: str = "") -> Iterator[None]:
        """What is wrong in here, of `whom`."""
        try:
            yield
        except Error as error:
            self.sentences.setdefault(str(error), []).append(whom)

    def refuse(self) -> None:
        """RecipeError with all of it, if there is anything."""
        said = [_of_all(whom, sentence) for sentence, whom in self.sentences.items()]
        if len(said) == 1:
            raise RecipeError(said[0])
        if said:
            many = f"{len(said)} things are wrong, and no run was begun:"
            raise RecipeError("\n  ".join([many, *said]))


def _of_all(whom: list[str], sentence: str) -> str:
    names = [name for name in dict.fromkeys(whom) if name and name not in sentence]
    if not names:
        return sentence
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}: {sentence}"


@dataclass(frozen=True)
class _Run:
    """What the seeds of one network, data set and setting share."""

    recipe: Recipe
    setting: Mapping[str, Any]
    images: Images
    data: Data
    weights: str  # sha256 of what it begins with, or ""

    def seeded(self, seed: int) -> tuple[Line, Recipe]:
        """The run's line and recipe. Where many stand side by side no core is free for readers that
        nobody asked for.
        """
        recipe = self.recipe.change(seed=seed, workers=max(0, self.recipe.workers))
        return line_of(recipe, self.images, self.setting, self.weights), recipe


def planned(asked: Asked, places: Sequence[str], is_here: bool = True) -> "Planned":
    """The study that is asked for, on the data sets at `places`, with a line and a recipe for each
    run: the first seeds of all before the second ones, so that what is done at any time compares.

    RecipeError, with everything that is wrong, where there is anything: networks that are not
    there, data that cannot be opened, recipes that do not fit, images that a network cannot read.
    `is_here`: the runs will be on this machine.
    """
    wrong = _Wrong()
    networks = []
    for network in dict.fromkeys(asked.networks):
        with wrong.noting():
            require(network, stored_facts())
            networks.append(network)
    asked = replace(asked, networks=tuple(networks))
    runs: list[_Run] = []
    for place, name in _names(places).items():
        given = _effective(asked.given, place, places)
        runs += _Place(replace(asked, given=given), place, name, is_here, wrong).runs()
    wrong.refuse()
    images = {run.images.place: run.images for run in runs}
    return Planned(
        replace(asked, data=tuple(images.values())),
        [run.seeded(seed) for seed in range(asked.seeds) for run in runs],
        {run.images.place: run.data for run in runs},
    )


@dataclass(frozen=True)
class Planned:
    asked: Asked
    runs: list[tuple[Line, Recipe]]
    data: Mapping[str, Data]  # by its place

    def known_as(self, before: Asked) -> Asked:
        """What is asked, of the same images by the fingerprints that a study recorded, which may be
        of an older rule.
        """
        recorded = {images.place: images.fingerprint for images in before.data}

        def known(images: Images) -> Images:
            then = recorded.get(images.place)
            same = then is not None and self.data[images.place].are_of(then)
            return replace(images, fingerprint=then) if same else images

        return replace(self.asked, data=tuple(map(known, self.asked.data)))


def _names(places: Iterable[str]) -> dict[str, str]:
    """A name for each data set, no two the same: digits; photos and photos-2."""
    found: dict[str, str] = {}
    for place in dict.fromkeys(places):
        base = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(place).absolute().name).strip("-.")[:60]
        base, number = base or "data", 1
        name = base
        while name in found.values():
            number += 1
            name = f"{base}-{number}"
        found[place] = name
    return found


def _effective(given: Mapping[str, Any], place: str, places: Sequence[str]) -> dict[str, Any]:
    """The flags that are for this data set: without those, such as --data-root, that have an effect
    on others of the study and none on this one.
    """

    def idle(at: str) -> set[str]:
        found = effect.inert(SimpleNamespace(**DEFAULTS | {"data": at}), given)
        return {name for name, use in found.items() if use.decider == "data"}

    elsewhere = [name for name in idle(place) if any(name not in idle(at) for at in places)]
    return {name: value for name, value in given.items() if name not in elsewhere}


class _Place:
    """All that runs on one data set."""

    def __init__(self, asked: Asked, place: str, name: str, is_here: bool, wrong: _Wrong):
        self.asked, self.place, self.name = asked, place, name
        self.is_here, self.wrong = is_here, wrong
        self.opened: dict[tuple, Data | None] = {}
        self.starts: dict[tuple, str] = {}

    def runs(self) -> list[_Run]:
        """Those that could begin; what is wrong with the others is noted."""
        found = []
        settings = list(asking.settings_of(self.asked))
        for network, setting in itertools.product(self.asked.networks, settings):
            words = asking.said(setting)
            with self.wrong.noting(f"{network} with {words}" if words else network):
                if run := self._run(network, setting):
                    found.append(run)
        if not self.opened:  # no recipe was sound, and the images may be wrong as well
            given = {name: self.asked.given[name] for name in OF_DATA if name in self.asked.given}
            with self.wrong.noting():
                self._data(Recipe().change(data=self.place, **given))
        return found

    def _run(self, network: str, setting: Mapping[str, Any]) -> _Run | None:
        recipe = asking.recipe_of(self.asked, network, self.place, setting)
        if (data := self._data(recipe)) is None:
            return None
        if self.is_here:
            device_type(recipe)
        weights = self._require_fit(recipe, data)
        recipe = located(recipe)
        images = Images(self.name, recipe.data, data.fingerprint)
        return _Run(recipe, setting, images, data, weights)

    def _data(self, recipe: Recipe) -> Data | None:
        """The images of a recipe, opened once; None, and noted, where they cannot be."""
        key = tuple(getattr(recipe, name) for name in OF_DATA)
        if key not in self.opened:
            self.opened[key] = None
            with self.wrong.noting():
                self.opened[key] = open_data(
                    recipe.data,
                    root=recipe.data_root,
                    download=recipe.download,
                    seed=recipe.seed,
                    val_fraction=recipe.val_fraction,
                    missing_classes=recipe.missing_classes,
                    test_from=recipe.test_from,
                    max_megapixels=recipe.max_megapixels,
                )
        return self.opened[key]

    def _require_fit(self, recipe: Recipe, data: Data) -> str:
        """An Error where the run could not take its first step; else the sha256 of the weights that
        it begins with, or "".
        """
        side = side_of(recipe)
        counts = {"num_classes": len(data.classes), "in_channels": data.channels}
        with shapes_only():
            net = create_model(recipe.network, **counts)
        require_multi_crop(net, side, multi_crop_of(recipe))
        require_use(recipe, Gathered(data, net, side, []))
        freeze(net, recipe.freeze, recipe.freeze_bn)
        images = min(recipe.batch_size, len(data.train))
        require_several_values(recipe, images, 1, side, data.channels)
        if not recipe.weights:
            return ""
        start = (recipe.network, recipe.weights, recipe.source, recipe.weights_ema)
        if start not in self.starts:
            net = create_model(recipe.network, **counts)
            self.starts[start] = start_from(net, *start[1:])["sha256"]
        return self.starts[start]
