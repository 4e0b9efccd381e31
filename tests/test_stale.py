"""What is said when the index does not know a file as it is, and that it costs no torch."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from convatlas import registry
from convatlas.errors import UnknownNetwork

ROOT = Path(__file__).parents[1]
RUN = "python -m convatlas.index"


@pytest.fixture
def house(tmp_path):
    """A copy of what the index is made of, in a checkout, with an index that knows it."""
    (tmp_path / "pyproject.toml").touch()
    for room in ("nets", "papers", "index"):
        leave = shutil.ignore_patterns("__pycache__", "layers")
        shutil.copytree(ROOT / "convatlas" / room, tmp_path / "convatlas" / room, ignore=leave)
    house = tmp_path / "convatlas"
    sources = {
        name: registry.fingerprint(facts["family"], facts["paper"]["page"], house)
        for name, facts in registry.stored_facts().items()
    }
    (house / "index" / "sources.json").write_text(json.dumps(sources))
    registry.fingerprint.cache_clear()
    return house


def append(file: Path, text: str = "\n# another word\n") -> None:
    with file.open("a", encoding="utf-8") as end:
        end.write(text)


def test_nothing_is_said_of_files_that_the_index_knows(house):
    assert registry.stale(house) == ""
    (house / "nets" / "__init__.py").write_text("# no network\n")
    assert registry.stale(house) == ""


@pytest.mark.parametrize(
    "edit",
    [
        lambda house: append(house / "nets" / "sknet.py"),
        lambda house: append(house / "papers" / "sknet.toml"),
        lambda house: (house / "papers" / "sknet.toml").unlink(),
        lambda house: (house / "nets" / "sknet.py").unlink(),
    ],
    ids=["network edited", "paper edited", "paper gone", "network gone"],
)
def test_an_edited_file_is_named_with_what_renews_it(house, edit):
    edit(house)
    assert registry.stale(house) == (
        f"the index does not know convatlas/nets/sknet.py as it is; run {RUN} sknet"
    )


def test_a_new_file_is_named_and_so_are_all_that_share_an_edited_page(house):
    append(house / "papers" / "preresnet.toml")
    (house / "nets" / "toynet.py").touch()
    names = (
        *("preresnet", "preresnet_cifar"),
        *("resnet_cifar_activations", "resnet_cifar_shortcuts", "toynet"),
    )
    files = ", ".join(f"convatlas/nets/{name}.py" for name in names)
    assert registry.stale(house) == (
        f"the index does not know {files} as they are; run {RUN} {' '.join(names)}"
    )


def test_many_files_are_renewed_by_one_word(house):
    for file in (house / "nets").glob("[a-r]*.py"):
        append(file)
    said = registry.stale(house)
    assert said.endswith(f" more as they are; run {RUN}")
    assert said.count("convatlas/nets/") == registry.MANY


def test_line_ends_are_no_change(house):
    file = house / "nets" / "vgg.py"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert registry.stale(house) == ""


def test_a_network_that_only_a_part_of_was_renewed_stays_stale(house):
    stored = json.loads((house / "index" / "sources.json").read_text())
    (house / "index" / "sources.json").write_text(json.dumps(stored | {"vgg11": "another"}))
    assert "convatlas/nets/vgg.py as it is" in registry.stale(house)
    del stored["vgg11"]
    (house / "index" / "sources.json").write_text(json.dumps(stored))
    assert "convatlas/nets/vgg.py as it is" in registry.stale(house)


def test_an_installed_copy_says_nothing(house):
    append(house / "nets" / "sknet.py")
    (house.parent / "pyproject.toml").unlink()
    assert registry.stale(house) == ""


def test_an_unknown_name_is_told_of_it_too(monkeypatch):
    monkeypatch.setattr(registry, "stale", lambda: "the index is old")
    with pytest.raises(
        UnknownNetwork, match=r"called 'resnet5O'; did you .*\? \(the index is old\)$"
    ):
        registry.require("resnet5O", ["resnet50"])


def test_it_loads_no_torch():
    code = (
        "import sys; from convatlas import registry; registry.stale(); "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0


def index(*words: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "convatlas.index", *words],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )


def test_a_wrong_name_is_one_sentence_and_writes_nothing():
    before = (ROOT / "convatlas" / "index" / "sources.json").stat().st_mtime_ns
    done = index("lenet5", "resnett")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "the index is as it was: there is no network called 'resnett'; did you mean resnet or "
        "resnext or resnest?"
    )
    assert done.stderr.count("\n") == 1
    assert (ROOT / "convatlas" / "index" / "sources.json").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("VARIANTS = {}", "nets/toynet.py has no PAPER; CONTRIBUTING.md shows"),
        ("VARIANTS, PAPER = {}, {}", "claims/toynet.py: nets/toynet.py has no toy"),
        ("VARIANTS, PAPER = {'toynet': None}, {}", "nets/toynet.py: PAPER has no toynet"),
    ],
)
def test_a_file_that_lacks_a_part_is_named(source, words):
    module = type(sys)("toynet")
    exec(source, vars(module))
    with pytest.raises(ValueError, match=re.escape(words)):
        registry._declared(module, "toynet", {"toy": ()})
