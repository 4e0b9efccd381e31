"""Recipes that somebody edited, cut short or made up: a legal recipe comes out, or one sentence."""

import random

import pytest

from convatlas.errors import RecipeError
from convatlas.training import builtin
from convatlas.training.recipe import Recipe

VALUES = (
    "nan",
    "-inf",
    "1e999",
    "-0.0",
    "9" * 5000,
    "0x" + "f" * 400,
    "true",
    "1979-05-27",
    "07:32:00",
    "{}",
    "{ lr = 1 }",
    "[]",
    "[[[[]]]]",
    "[" * 3000 + "]" * 3000,
    '""',
    '"' + "x" * 100_000 + '"',
    "'''\\u0000'''",
    '"\\u202E\\u001b"',
    "''",
    "=",
    "",
)


def texts() -> list[str]:
    """The built-in recipes, each with all its fields."""
    return [builtin.read(name).to_toml() for name in builtin.names()]


def mutated(text: str, dice: random.Random) -> bytes:
    lines = text.splitlines()
    at = dice.randrange(len(lines))
    name, _, value = lines[at].partition(" = ")
    kind = dice.randrange(8)
    if kind == 0:
        lines[at] = f"{name} = {dice.choice(VALUES)}"
    elif kind == 1:
        lines[at] = f"{name[: dice.randrange(len(name) + 1)]} = {value}"
    elif kind == 2:
        lines.insert(at, lines[dice.randrange(len(lines))])
    elif kind == 3:
        lines[at] = f"{name} = {lines[dice.randrange(len(lines))].partition(' = ')[2]}"
    elif kind == 4:
        lines.insert(at, f"{dice.choice(('x' * 3_000_000, 'ключ', '[lr]', '[[lr]]', 'a.b'))} = 1")
    whole = "\n".join(lines).encode()
    if kind == 5:
        return whole[: dice.randrange(len(whole))]
    if kind == 6:
        flipped = bytearray(whole)
        for _ in range(dice.randint(1, 4)):
            flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
        return bytes(flipped)
    if kind == 7:
        return dice.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\0")) + whole.replace(b"\n", b"\r\n")
    return whole


@pytest.mark.parametrize("seed", range(10))
def test_a_mutated_recipe_is_legal_or_refused_in_one_sentence(tmp_path, seed):
    dice, sound = random.Random(seed), texts()
    refused = 0
    for number in range(60):
        path = tmp_path / f"{number}.toml"
        path.write_bytes(mutated(dice.choice(sound), dice))
        try:
            recipe = Recipe.read(path)
        except RecipeError as error:
            refused += 1
            assert str(path) in str(error)
            assert len(str(error)) < 3000, "a sentence, not the file again"
            assert "\n" not in str(error)
        else:
            assert Recipe.from_toml(recipe.to_toml()) == recipe
    assert 10 < refused < 60
