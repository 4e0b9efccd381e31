"""Whatever is given as a recipe is read, or refused in one short sentence that names it."""

import os

import pytest

from convatlas.cli import run
from convatlas.errors import RecipeError
from convatlas.training import Recipe, recipe_file
from convatlas.training.recipe import DEFAULTS


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"lr = " + b"9" * 5000, "holds a number that cannot be read: Exceeds the limit"),
        (b"seed = " + b"[" * 2000 + b"]" * 2000, "nested too deeply"),
        ("epochs = 3".encode("utf-16"), "UTF-16; save it as UTF-8"),
        ("epochs = 3".encode("utf-16-be"), "TOML"),
        (b"data = '\xe9'", "not a text file in UTF-8"),
        (b"lr = 1e400", "lr = inf must be a finite number"),
        (b"lr = nan", "lr = nan must be a finite number"),
        (b"lr = -inf", "must be a finite number"),
        (b"lr = 1979-05-27", "must be a finite number"),
        (b"lr = 1979-99-27", "is not TOML"),
        (b"epochs = 3\nepochs = 4", "is not TOML: Cannot overwrite a value"),
        (b"[data]\nname = 'x'", "data = {'name': 'x'} must be a text"),
        (b"data = '" + b"x" * 900_000 + b"'\nepochs = 0", "epochs = 0 is not allowed"),
        (b"network = " + b"[" * 300 + b"]" * 300, "must be a text"),
        (b"n" * 200_000 + b" = 3", "there is no field 'nnnn"),
        (b"opt = '" + b"x" * 900_000 + b"'", "letters) is not allowed"),
        (b"#" + b"x" * 1_000_000, "bytes, more than 1,000,000"),
        (b'data = "a\\u0000b"', "holds a NUL"),
        (b"timeout = 1e300", "1 to 1000000"),
        (b"epochs = 1000000000", "1 to 1000000"),
        (b"batch_size = 1000000000000", "1 to 16777216"),
        (b"size = 1000000", "0 to 8192"),
        (b"sizes = [32, 1000000]", "8192 or less"),
        (b"pad = 1000000000", "0 to 512"),
        (b"seed = 2147483648", "0 to 2147483647"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_strange_file_is_refused_by_its_name(tmp_path, content, says, capsys):
    path = tmp_path / "strange.toml"
    path.write_bytes(content)
    assert run(["train", "--recipe", str(path)]) == 2
    said = capsys.readouterr().err
    assert says in said and str(path) in said
    assert said.count("\n") == 1 and len(said) < 3000


def test_a_byte_order_mark_is_read_past(tmp_path):
    path = tmp_path / "notepad.toml"
    path.write_bytes(b"\xef\xbb\xbfepochs = 3\r\nwarmup_epochs = 1\r\n")
    assert Recipe.read(path) == Recipe(epochs=3)


def test_what_is_no_file_is_refused_at_once(tmp_path, capsys):
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "folder.toml").mkdir()
    (tmp_path / "loop.toml").symlink_to(tmp_path / "loop.toml")
    cases = {"pipe.toml": "a pipe", "folder.toml": "a folder", "loop.toml": "symbolic links"}
    for name, says in cases.items():
        assert run(["train", "--recipe", str(tmp_path / name)]) == 2
        said = capsys.readouterr().err
        assert name in said and says in said
    for device in filter(os.path.exists, ("/dev/zero", "/dev/null")):
        with pytest.raises(RecipeError, match="a pipe or a device"):
            Recipe.read(device)


def test_a_sparse_file_is_not_read_whole(tmp_path):
    with (tmp_path / "huge.toml").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(RecipeError, match="bytes, more than 1,000,000"):
        Recipe.read(tmp_path / "huge.toml")


def test_a_path_that_cannot_be_one_is_refused(capsys):
    for path in ("x\0.toml", "y" * 100_000 + ".toml", "~nobody-of-this-name/x.toml"):
        with pytest.raises(RecipeError, match="cannot read the recipe"):
            Recipe.read(path)
    assert run(["train", "--recipe", "z" * 3_000_000]) == 2
    assert len(capsys.readouterr().err) < 3000


def test_the_largest_recipe_of_ours_is_far_below_the_limit():
    assert len(Recipe().to_toml()) * 100 < recipe_file.LARGEST
    assert len(DEFAULTS) > 60
