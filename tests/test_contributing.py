"""CONTRIBUTING.md keeps its word: its network, added to a copy of the tree by its commands, is part
of the atlas.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
FOLDERS = ("convatlas", "tests", "docs", "examples", "benchmarks", "results")
# what holds the whole atlas together and bears no network's name, without what trains
CONCERNED = [
    *("test_golden", "test_claims", "test_counts", "test_stage_names", "test_pages"),
    *("test_rooms", "test_readme", "weights/test_known"),
    *("training/test_guide", "training/test_builtin", "training/test_modern"),
]
NAMELESS = "not [ and not test_a_run"

WRITTEN = dict(
    re.findall(r"`([\w/]+/\w+\.\w+)`[^`]*\n\n```(?:python|toml)\n(.*?)```", PAGE, re.DOTALL)
)
FILE, *_ = WRITTEN
[BLOCK] = re.findall(r"\n\n```\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [line.partition("#")[0].split() for line in BLOCK.splitlines()]
NAME = Path(FILE).stem


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the tree with the file of CONTRIBUTING.md, and no more."""
    copy = tmp_path_factory.mktemp("copy") / "convatlas"
    for folder in filter(lambda folder: (ROOT / folder).is_dir(), FOLDERS):
        leave = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(ROOT / folder, copy / folder, ignore=leave)
    for file in ROOT.iterdir():
        if file.is_file() and not file.name.startswith("."):
            shutil.copy2(file, copy)
    for path, source in WRITTEN.items():
        (copy / path).write_text(source, encoding="utf-8")
    return copy


def run(tree: Path, *words: str, expected: int = 0) -> subprocess.CompletedProcess:
    """`python WORDS` in the copy, with the copy's convatlas and one test process."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env |= {"PYTHONPATH": str(tree), "PYTEST_ADDOPTS": "-p no:cacheprovider -n 0"}
    done = subprocess.run(
        [sys.executable, *words], cwd=tree, env=env, capture_output=True, text=True
    )
    assert done.returncode == expected, done.stdout + done.stderr
    return done


def test_the_page_is_short():
    assert PAGE.count("\n") <= 90
    assert COMMANDS[-1] == ["make", "test"]
    assert [words[:2] for words in COMMANDS[:-1]] == [["python", "-m"]] * (len(COMMANDS) - 1)


@pytest.fixture(scope="module")
def said(tree) -> list[str]:
    """What the commands of the page print, but for `make test`; before, `list` and `show` say what
    is missing.
    """
    remedy = f"run python -m convatlas.index {NAME}"
    before = run(tree, "-m", "convatlas", "list")
    assert NAME not in before.stdout and f"{FILE} as it is; {remedy}" in before.stderr
    assert remedy in run(tree, "-m", "convatlas", "show", NAME, expected=2).stderr
    return [run(tree, *words[1:]).stdout for words in COMMANDS[:-1]]


def test_a_network_is_added_by_the_steps_of_the_page(tree, said):
    verified, indexed, written, _, tested = said
    assert NAME in verified and "0 fail" in verified
    assert [line.split()[0] for line in indexed.splitlines()] == [NAME, "1"]
    assert f"docs/papers/{NAME}.md" in written.split()
    passed = re.search(r"(\d+) passed, \d+ deselected", tested)
    assert int(passed[1]) >= 20 and not re.search("failed|skipped|error", tested)
    for command in ("list", "show"):
        after = run(tree, "-m", "convatlas", command, NAME)
        assert NAME in after.stdout and after.stderr == ""
    assert run(tree, "-m", "convatlas.pages").stdout == "all documents are fresh\n"


@pytest.mark.full
def test_all_that_holds_the_atlas_together_is_green_with_it(tree, said):
    files = [f"tests/{name}.py" for name in CONCERNED]
    run(tree, "-m", "pytest", "-k", NAMELESS, *files)
