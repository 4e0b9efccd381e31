"""Other systems than the one it is made on, as far as this one can play them: see docs/systems.md.

`systems/NAME/sitecustomize.py` takes away what that system has not, in every process of a program.
"""

import ast
import errno
import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import convatlas
from convatlas import Recipe
from convatlas.cli import run
from convatlas.data import check_data, open_data
from convatlas.errors import DataError, WeightsError
from convatlas.registry import create_model
from convatlas.training import builtin, plain_files, train

HOUSE = Path(convatlas.__file__).parent
SYSTEMS = Path(__file__).parent / "systems"
FILES = sorted(HOUSE.rglob("*.py"))


@pytest.fixture(scope="module")
def images(tmp_path_factory) -> Path:
    """Two classes whose names are not ASCII, one of them not in a Western Windows' letters."""
    root = tmp_path_factory.mktemp("images") / "set"
    for number in range(40):
        folder = root / ("café", "猫")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(number).integers(0, 256, (12, 12), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return root


def on(system: str, cache: Path, *words: str | Path) -> subprocess.CompletedProcess:
    """A Python program of tests/systems on a system like that one, printing as Windows does."""
    path = os.pathsep.join([str(SYSTEMS / system), str(HOUSE.parent)])
    return subprocess.run(
        [sys.executable, *map(str, words)],
        env=os.environ
        | {"PYTHONPATH": path, "PYTHONIOENCODING": "cp1252", "XDG_CACHE_HOME": str(cache)},
        capture_output=True,
        encoding="cp1252",
        timeout=300,
    )


@pytest.mark.slow
@pytest.mark.parametrize("system", ["windows", "macos", "forkserver"])
def test_a_script_without_a_main_guard_trains_resumes_measures_and_predicts(
    system, images, tmp_path
):
    runs = tmp_path / "runs"
    runs.mkdir()
    done = on(system, tmp_path, SYSTEMS / "without_guard.py", images, runs)
    said = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    told = [line for line in said if line.startswith(("another process", "stopped by"))]
    assert re.match(r"another process \(pid \d+\) is training in .*stopped; wait for it", told[0])
    assert told[1].startswith("stopped by SIGINT at step 3, saved; continue with")
    assert {"the same bits", "40 images"} <= {*said}
    assert "eval ends with 0" in said
    assert said[-1] == "predict ends with 0"
    assert any(line.split()[:1] == [r"\u732b"] for line in said)
    train(
        Recipe(network="lenet1989", data=str(images), epochs=2, batch_size=8, shift=1),
        runs / "here",
    )
    weights = [(runs / name / "model.safetensors").read_bytes() for name in ("whole", "here")]
    assert weights[0] == weights[1]
    names = [part for file in runs.rglob("*") for part in file.relative_to(runs).parts]
    assert not [name for name in names if re.search(r'[<>:"|?*\\]|[. ]$', name)]


@pytest.mark.slow
@pytest.mark.parametrize("system", ["windows", "forkserver"])
def test_processes_that_read_images_give_the_same_bits(system, images, tmp_path):
    done = on(system, tmp_path, SYSTEMS / "with_readers.py", images, tmp_path / "there")
    assert done.returncode == 0, done.stderr
    assert ("memory cannot be told" in done.stdout) == (system == "windows")
    recipe = Recipe(network="lenet1989", data=str(images), epochs=1, batch_size=8, shift=1)
    train(recipe, tmp_path / "here")
    there, here = (
        (tmp_path / name / "model.safetensors").read_bytes() for name in ("there", "here")
    )
    assert there == here


def test_a_script_without_a_main_guard_is_told_why_it_cannot_have_workers(images, tmp_path):
    script = tmp_path / "script.py"
    settings = "network='lenet1989', epochs=1, workers=1"
    script.write_text(
        "import sys\nfrom convatlas import Recipe, train\n"
        f"train(Recipe(data=sys.argv[1], {settings}), sys.argv[2])\n",
        encoding="utf-8",
    )
    done = on("windows", tmp_path, script, images, tmp_path / "run")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        "convatlas.errors.DataError: a process that reads images could not begin: it ended with "
        "exit code 1; a script that uses workers must have its calls under "
        "`if __name__ == '__main__':`, or use 0 workers, which read in the main process"
    )
    assert not (tmp_path / "run").exists()


def opens_text_blindly(call: ast.Call) -> bool:
    """Whether a file is opened as text without saying which; Windows would read it as cp1252."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    given = {word.arg: word.value for word in call.keywords}
    values = [*call.args, *([given["mode"]] if "mode" in given else [])]
    modes = [
        value.value
        for value in values
        if isinstance(value, ast.Constant) and re.fullmatch("[rwxabt+]+", str(value.value))
    ]
    if "encoding" in given or any("b" in mode for mode in modes):
        return False
    if ast.unparse(call.func) == "tarfile.open":  # an archive is no text
        return False
    plain = isinstance(call.func, ast.Name) or not values  # open(path), path.open()
    return (
        name in ("read_text", "write_text")
        or "text" in given
        or (name == "open" and (plain or bool(modes)))
        or (name.endswith("TemporaryFile") and bool(modes))
    )


def calls(source: str) -> list[ast.Call]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]


def test_text_is_never_read_or_written_in_the_systems_own_letters():
    found = [(file, call) for file in FILES for call in calls(file.read_text(encoding="utf-8"))]
    assert len(found) > 1000
    assert [(file, ast.unparse(call)) for file, call in found if opens_text_blindly(call)] == []


@pytest.mark.parametrize(
    "source",
    [
        "open(path)",
        "open(path, 'w')",
        "open(path, mode='a')",
        "path.open()",
        "path.open('a+')",
        "path.read_text()",
        "path.write_text(text, newline='')",
        "tempfile.NamedTemporaryFile('w')",
        "subprocess.run(words, text=True)",
    ],
)
def test_text_opened_blindly_is_seen(source):
    assert opens_text_blindly(calls(source)[0])


@pytest.mark.parametrize(
    "source",
    [
        *("open(path, 'rb')", "path.open('xb')", "path.open('w', encoding='utf-8')"),
        *("os.open(path, 0)", "tarfile.open(path, 'w')"),
    ],
)
def test_files_opened_well_are_let_pass(source):
    assert not opens_text_blindly(calls(source)[0])


MORE = {  # a module -> the packages that it is of, where its name does not tell
    "botocore": {"boto3"},  # which brings it
    "mlflow": {"mlflow-skinny", "sqlalchemy", "alembic"},  # its database
    "torch.utils.tensorboard": {"tensorboard"},
}
BY_NAME = {"find_spec": 0, "needed": 0, "Kind": 2}  # function -> argument that names a package


def imported_by(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add(node.module if node.module in MORE else node.module.partition(".")[0])
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in BY_NAME:
            place = BY_NAME[ast.unparse(node.func)]
            for name in node.args[place : place + 1]:
                if isinstance(name, ast.Constant):
                    found.add(name.value.partition(".")[0])
    return found


def test_what_is_imported_is_declared_and_what_is_declared_is_imported():
    declared = tomllib.loads((HOUSE.parent / "pyproject.toml").read_text(encoding="utf-8"))[
        "project"
    ]
    extras = declared["optional-dependencies"]
    ours = [want for name, wants in extras.items() if not name.startswith("dev") for want in wants]
    wanted = [*declared["dependencies"], *ours]
    imported = set.union(*map(imported_by, FILES)) - {"convatlas", *sys.stdlib_module_names}
    assert "timm" in imported  # by `make index` alone, a tool of ours as ruff is
    imported.discard("timm")
    homes = packages_distributions()
    assert {
        name.lower().replace("_", "-")
        for module in imported
        for name in MORE.get(module) or homes.get(module, [module])
    } == {re.match("[a-z0-9_-]+", want)[0].replace("_", "-") for want in wanted}


@pytest.fixture
def home(images, tmp_path, monkeypatch) -> Path:
    """A home with a set of images and a recipe, while we work in another folder."""
    folder = tmp_path / "home"
    shutil.copytree(images, folder / "set")
    (folder / "work").mkdir()
    monkeypatch.chdir(folder / "work")
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(folder))
    (folder / "r.toml").write_text(
        'network = "lenet1989"\ndata = "~/set"\nepochs = 1\nbatch_size = 8\n', encoding="utf-8"
    )
    return folder


def test_every_word_of_the_command_line_may_begin_at_home(home, capsys):
    (image,) = (home / "set" / "café").glob("0.png")
    for words in (
        "check-data ~/set --csv=~/problems.csv --workers 1",
        "train --recipe=~/r.toml --output=~/run",
        "train --resume=~/run",
        "eval ~/run --data=~/set",
        f"predict ~/run ~/{image.relative_to(home).as_posix()}",
        "convert ~/run/model.safetensors --network lenet1989 --output=~/ours.safetensors",
        "train --recipe=~/r.toml --weights=~/ours.safetensors --output ~/second",
    ):
        assert run(words.split()) == 0, capsys.readouterr().err
    assert list((home / "work").iterdir()) == []
    assert {"problems.csv", "run", "ours.safetensors", "second"} <= {p.name for p in home.iterdir()}


def test_every_path_in_python_may_begin_at_home(home):
    recipe = builtin.read("~/r.toml")
    shutil.copy(home / "r.toml", home / "named without an ending")
    assert Recipe.read("~/r.toml") == recipe == builtin.read("~/named without an ending")
    assert Recipe.from_toml(recipe.to_toml()) == recipe == recipe.change(data=str(home / "set"))
    assert Recipe(data="mnist", data_root="~").data_root == str(home)
    assert Recipe(weights="~").weights == str(home)
    assert Recipe(weights="hub:a/b", data="digits").data == "digits"
    train(recipe, "~/run")
    net = convatlas.load_model("~/run").net
    convatlas.save_weights(net, Path("~/ours.safetensors"))
    assert convatlas.load_weights(net, "~/ours.safetensors").path == home / "ours.safetensors"
    convatlas.convert("~/ours.safetensors", "lenet1989", "~/again.safetensors")
    assert len(convatlas.predict("~/run", "~/set")) == 40
    assert len(check_data("~/set").data.train) == len(open_data("~/set").train) == 32 - 3
    with pytest.raises(DataError, match=re.escape(str(home / "data"))):
        open_data("mnist", root="~/data")
    assert list((home / "work").iterdir()) == []


def test_a_folder_that_no_system_call_can_flush_is_no_error(tmp_path, monkeypatch):
    real = os.fsync

    def fsync(number):
        if stat.S_ISDIR(os.fstat(number).st_mode):
            raise OSError(refusal, os.strerror(refusal))
        real(number)

    monkeypatch.setattr(os, "fsync", fsync)
    refusal = errno.EINVAL
    plain_files.replace_durably(tmp_path / "a", b"1")
    refusal = errno.EIO
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        plain_files.replace_durably(tmp_path / "a", b"2")


@pytest.mark.parametrize("refusals", [0, 3, 4])
def test_a_file_that_somebody_looks_at_is_renamed_a_little_later(refusals, tmp_path, monkeypatch):
    real, tries = os.replace, []

    def replace(source, target):
        tries.append(source)
        if len(tries) <= refusals:
            raise PermissionError(errno.EACCES, "a virus scanner has it open")
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    monkeypatch.setattr(plain_files.time, "sleep", lambda seconds: None)
    if refusals < len(plain_files.PATIENCE):
        plain_files.replace_durably(tmp_path / "a", b"1")
        assert (tmp_path / "a").read_bytes() == b"1"
    else:
        with pytest.raises(PermissionError):
            plain_files.replace_durably(tmp_path / "a", b"1")


def test_weights_are_written_where_no_file_can_have_two_names(tmp_path, monkeypatch):
    def link(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    net, path = create_model("lenet1989"), tmp_path / "w.safetensors"
    convatlas.save_weights(net, path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    convatlas.load_weights(create_model("lenet1989"), path)
    monkeypatch.setattr(Path, "exists", lambda path: False)  # another one comes in between
    with pytest.raises(WeightsError, match="exists; give another name"):
        convatlas.save_weights(net, path)
