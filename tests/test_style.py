"""How network files look: they are set by hand, so that no formatter holds them to it."""

import ast
from collections import defaultdict
from pathlib import Path
from statistics import median

import pytest

import convatlas

HOUSE = Path(convatlas.__file__).parent
FILES = {
    file.relative_to(HOUSE).as_posix(): file.read_text(encoding="utf-8")
    for file in sorted((HOUSE / "nets").glob("[a-z]*.py"))
}
COLUMNS = 100
DEFINITION = ast.FunctionDef | ast.ClassDef


def long_lines(source: str) -> list[int]:
    """Numbers of the lines over COLUMNS; a table, an indented line of the module's docstring, may
    be as wide as the paper's.
    """
    first = ast.parse(source).body[0]
    end_of_docstring = first.end_lineno if isinstance(first, ast.Expr) else 0
    return [
        number
        for number, line in enumerate(source.splitlines(), start=1)
        if len(line) > COLUMNS and not (line.startswith("    ") and number <= end_of_docstring)
    ]


def crowded_lines(source: str) -> list[int]:
    """Numbers of the lines that assign more than one thing.

    Allowed is to unpack what is one thing already, a shape, a row or a result, into local names:
    `n, c = x.shape[:2]`; not into attributes, and not a pair that was written down to be unpacked.
    """
    statements = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.stmt)]
    begins = [node.lineno for node in statements]
    assignments = [node for node in statements if isinstance(node, ast.Assign)]
    return sorted(
        {node.lineno for node in assignments if _crowded(node)}
        | {node.lineno for node in assignments if begins.count(node.lineno) > 1}
    )


def _crowded(node: ast.Assign) -> bool:
    if len(node.targets) > 1:
        return True
    if not isinstance(node.targets[0], ast.Tuple):
        return False
    into_names = all(isinstance(part, ast.Name | ast.Starred) for part in node.targets[0].elts)
    return not into_names or isinstance(node.value, ast.Tuple)


def twins(files: dict[str, str]) -> list[list[str]]:
    """Classes and functions at the top of the files that are the same but for name, docstring and
    annotations.
    """
    alike = defaultdict(list)
    for path, source in files.items():
        for node in ast.parse(source).body:
            if isinstance(node, DEFINITION):
                name = node.name
                alike[_bare(node)].append(f"{path}: {name}")
    return [places for places in alike.values() if len(places) > 1]


def _bare(node: DEFINITION) -> str:
    node.name = ""
    for part in ast.walk(node):
        if isinstance(part, DEFINITION) and ast.get_docstring(part) is not None:
            part.body = part.body[1:]
        if isinstance(part, ast.arg):
            part.annotation = None
        if isinstance(part, ast.FunctionDef):
            part.returns = None
    return ast.dump(node)


def graph(source: str) -> int:
    """Characters, comments before them included, of the statements that VARIANTS is made of."""
    body = ast.parse(source).body
    lines = source.splitlines(keepends=True)
    begins = [0, *(node.end_lineno for node in body)]
    written = [
        sum(map(len, lines[begin : node.end_lineno]))
        for begin, node in zip(begins, body, strict=False)
    ]
    made_by = defaultdict(set)
    for i, node in enumerate(body):
        for name in _made(node):
            made_by[name].add(i)
    needed, waiting = set(), set(made_by["VARIANTS"])
    while waiting:
        needed.add(i := waiting.pop())
        used = {part.id for part in ast.walk(body[i]) if isinstance(part, ast.Name)}
        waiting |= set().union(*(made_by[name] for name in used)) - needed
    return sum(written[i] for i in needed)


def _made(node: ast.stmt) -> set[str]:
    """The names that a statement gives a meaning."""
    if isinstance(node, DEFINITION):
        return {node.name}
    targets = getattr(node, "targets", None) or [getattr(node, "target", node)]
    found = [part for target in targets for part in ast.walk(target)]
    return {part.id for part in found if isinstance(part, ast.Name)}


@pytest.mark.parametrize("path", FILES)
def test_a_line_is_short(path):
    assert long_lines(FILES[path]) == []


@pytest.mark.parametrize("path", FILES)
def test_a_line_assigns_one_thing(path):
    assert crowded_lines(FILES[path]) == []


def test_nothing_stands_in_two_network_files():
    """What two papers share letter for letter is a word of convatlas/layers."""
    words = HOUSE / "layers" / "modules.py"
    assert twins(FILES | {"layers/modules.py": words.read_text(encoding="utf-8")}) == []


def test_half_of_what_is_written_is_graph():
    assert sum(map(graph, FILES.values())) >= sum(map(len, FILES.values())) / 2


def test_a_file_fits_on_a_few_screens():
    assert median(source.count("\n") for source in FILES.values()) <= 130


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (f'"""Text.\n\n{"x" * 101}\n"""\n', [3]),
        (f'"""Text.\n\n    {"x" * 101}\n"""\n', []),
        (f"def f():\n    return {'x' * 101}\n", [2]),
        (f"{'x' * 100}\n", []),
    ],
)
def test_a_long_line_is_seen(source, lines):
    assert long_lines(source) == lines


@pytest.mark.parametrize(
    "source",
    [
        "a = b = 1",
        "self.a, self.b = f(x)",
        "a, b = 1, 2",
        "a = 1; b = 2",
        "class Net:\n    side, smallest = 32, 4",
    ],
)
def test_a_crowded_line_is_seen(source):
    assert crowded_lines(source) == [source.count("\n") + 1]


@pytest.mark.parametrize(
    "source",
    [
        "n, c = x.shape[:2]",
        "first, *others = rows",
        "for a, b in rows:\n    c = a",
        "a = (1, 2)",
        "lengths[a, b] = 1",
    ],
)
def test_a_line_may_unpack(source):
    assert crowded_lines(source) == []


def test_a_twin_is_seen():
    mine = 'class A:\n    """Mine."""\n    def f(self, x: int) -> int:\n        return x + 1\n'
    theirs = "class B:\n    def f(self, x):\n        return x + 1\n"
    another = "class B:\n    def f(self, x):\n        return x + 2\n"
    assert twins({"a.py": mine, "b.py": theirs}) == [["a.py: A", "b.py: B"]]
    assert twins({"a.py": mine, "b.py": another}) == []


def test_what_is_graph():
    source = (
        '"""Text."""\n'
        "PAPER = Paper(title='x')\n"
        "# of Table 1\n"
        "TABLE = {'a': 1}\n"
        "class Net:\n    width = TABLE\n"
        "VARIANTS = {'a': Net}\n"
        "WHY = 'long'\n"
        "CLAIMS = {'a': (Claim(WHY), TABLE)}\n"
    )
    kept = source.partition("'x')\n")[2].partition("WHY")[0]
    assert graph(source) == len(kept)
