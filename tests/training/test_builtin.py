"""The recipes that come with convatlas: found, listed, and each one trains for two steps."""

import fnmatch
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from convatlas.cli import run
from convatlas.errors import Error, RecipeError
from convatlas.registry import create_model, entries, stored_facts
from convatlas.shapes_only import shapes_only
from convatlas.training import Recipe, builtin, train
from convatlas.training.callbacks import Callback

HEAVY = 2e7  # parameters, from which a network takes too long for `make test`


class Enough(Error):
    """Two steps are done."""


class TwoSteps(Callback):
    def __init__(self):
        self.losses = []

    def step(self, progress, loss, rate):
        self.losses.append(loss)
        if len(self.losses) == 2:
            raise Enough


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """Twelve colour images of noise in each of three classes, 40 x 48 pixels."""
    root, dice = tmp_path_factory.mktemp("recipes"), np.random.default_rng(0)
    for name in ("a", "b", "c"):
        (root / name).mkdir()
        for i in range(12):
            pixels = dice.integers(0, 256, (40, 48, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{i}.png")
    return root


def cases() -> list:
    """(recipe, network), the recipe for any network with a small one."""
    found = []
    for name in builtin.names():
        network = builtin.about(name)["network"] or "resnet20_cifar"
        heavy = stored_facts()[network]["params"] > HEAVY
        found.append(
            pytest.param(name, network, id=name, marks=[pytest.mark.full] if heavy else [])
        )
    return found


@pytest.mark.parametrize(("name", "network"), cases())
def test_every_recipe_builds_and_takes_two_steps(name, network, images, tmp_path):
    """The recipe as it is, but for its images, four a step, at the smallest side that the network
    can read.
    """
    with shapes_only():
        net = create_model(network)
    recipe = builtin.read(name)
    side = max(net.smallest, 16) if net.largest is None else net.smallest
    small = recipe.change(network=network, data=str(images), batch_size=4, size=side, device="cpu")
    seen = TwoSteps()
    with pytest.raises(Enough):
        train(small, tmp_path / "run", callback=seen)
    assert len(seen.losses) == 2
    assert all(map(math.isfinite, seen.losses))


@pytest.mark.parametrize("name", builtin.names())
def test_a_recipe_says_where_it_comes_from_and_is_found_by_its_task(name):
    about = builtin.about(name)
    kinds = {"Paper", "Paper, in part", "Authors' files", "Authors' solver", "Modern"}
    assert about["line"].partition(": ")[0] in kinds
    assert len(about["line"]) <= 118
    if about["network"]:
        assert about["network"] in entries()
        assert builtin.matching(about["network"], about["data"]) == name
        recipe = Recipe.from_toml(builtin.source(name), name)
        assert (recipe.network, recipe.data) == (about["network"], about["data"])
    else:
        assert name in ("finetune", "modern")


def rows_of_the_page() -> list[tuple[list[str], set[str]]]:
    """The rows of docs/recipes.md: (patterns of the networks, the recipes that train them).

    Two networks with "to" between them are all whose first number is another; "the same names" are
    recipes called like the networks. A network that fits no row is trained by `modern`.
    """
    page = (Path(__file__).parents[2] / "docs/recipes.md").read_text(encoding="utf-8")
    table = page.partition("## Which recipe")[2].partition("\n## ")[0]
    assert "A network that fits no row trains by `modern`." in " ".join(table.split())
    found = []
    for row in table.splitlines():
        if row.startswith("| `"):
            networks, recipes = row.split("|")[1:3]
            names = re.findall("`(.+?)`", networks)
            patterns = [
                re.sub(r"\d+", r"\\d+", shape, count=1) if " to " in networks else shape
                for shape in map(fnmatch.translate, names)
            ]
            same = {name.rstrip("*") for name in names} if "the same names" in recipes else set()
            found.append((patterns, same | set(re.findall("`(.+?)`", recipes))))
    return found


def test_the_page_of_recipes_names_every_recipe_and_no_network_that_is_gone():
    rows = rows_of_the_page()
    assert set().union(*(recipes for _, recipes in rows)) == set(builtin.names())
    for shape in [shape for shapes, _ in rows for shape in shapes]:
        assert any(re.match(shape, name) for name in entries()), shape


@pytest.mark.parametrize("name", [name for name in builtin.names() if name != "modern"])
def test_a_recipe_stands_in_the_row_of_its_network(name):
    network = builtin.about(name)["network"]
    assert any(
        name in recipes and any(re.match(shape, network) for shape in shapes)
        for shapes, recipes in rows_of_the_page()
    )


def test_the_papers_ways_to_test_are_in_their_recipes():
    assert (builtin.read("alexnet").test_crops, builtin.read("alexnet").test_sizes) == (
        "10",
        (256,),
    )
    assert builtin.read("googlenet").test_crops == "144"
    assert builtin.read("vgg").test_crops == "dense"


def test_recipes_lists_them_and_prints_one_that_can_be_used(capsys, tmp_path):
    assert run(["recipes"]) == 0
    *lines, hint = capsys.readouterr().out.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert [line.split()[0] for line in heads] == builtin.names()
    assert "resnet20_cifar10 resnet20_cifar on cifar10" in [
        " ".join(head.split()) for head in heads
    ]
    told = " ".join(lines[lines.index(heads[0]) + 1].split())
    assert told and builtin.about(heads[0].split()[0])["line"].startswith(told)
    assert "convatlas recipes NAME prints one" in hint
    assert run(["recipes", "lenet5_digits"]) == 0
    printed = capsys.readouterr().out
    assert printed == builtin.source("lenet5_digits")
    (tmp_path / "mine.toml").write_text(printed)
    assert builtin.read(str(tmp_path / "mine.toml")) == builtin.read("lenet5_digits")


def test_recipes_as_json_and_for_one_network(capsys):
    assert run(["recipes", "--json", "--network", "alexnet"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(about["name"], about["network"]) for about in found] == [
        ("alexnet", "alexnet"),
        ("finetune", ""),
        ("modern", ""),
    ]
    assert run(["recipes", "modern", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["toml"] == builtin.source("modern")


def test_an_unknown_recipe_is_refused_with_the_nearest(capsys):
    assert run(["recipes", "alexnit"]) == 2
    assert "there is no recipe called 'alexnit'; did you mean alexnet?" in capsys.readouterr().err
    with pytest.raises(RecipeError, match="no recipe called '/etc/passwd'"):
        builtin.source("/etc/passwd")
