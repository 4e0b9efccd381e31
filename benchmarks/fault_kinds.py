"""Twelve kinds of fault, as changes of the source of a network: for each place in a file, what a
slip of the pen would have written there.

A rule takes a node of the syntax tree and gives the edits that can be made to it, in place.
"""

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from benchmarks.fault_tables import (
    ACTIVATIONS,
    CONV,
    DRAWN,
    INITS,
    NOT_OF_MAXIMUM,
    POOLS,
    ROLE,
    SPLITS,
    TORCH,
    Roles,
)

__all__ = ["RULES", "TORCH", "Fault", "Roles", "faults", "parsed", "planted", "roles_in"]

Edit = Callable[[], None]


@dataclass(frozen=True)
class Fault:
    kind: str
    file: str  # below convatlas/
    node: int  # in the order of ast.walk
    edit: int  # of those that its rule gives
    lines: tuple[int, int]
    was: str
    becomes: str


def name_of(node: ast.AST) -> str:
    """conv2d of F.conv2d(...), ReLU of nn.ReLU"""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    return getattr(node, "attr", "") or getattr(node, "id", "")


def roles_in(tree: ast.Module) -> Roles:
    """The parameters of what a file defines: functions, classes, records."""
    found: Roles = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found[node.name] = [argument.arg for argument in node.args.args]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            inits = [each for each in node.body if getattr(each, "name", "") == "__init__"]
            fields = [each.target.id for each in node.body if isinstance(each, ast.AnnAssign)]
            found[node.name] = (
                [argument.arg for argument in inits[0].args.args[1:]] if inits else fields
            )
    return found


def _arguments(call: ast.Call, roles: Roles) -> Iterator[tuple[str, ast.expr, Callable]]:
    """(parameter, value, a function that puts another value there)"""
    for i, (value, name) in enumerate(zip(call.args, roles.get(name_of(call), []), strict=False)):
        yield name, value, lambda new, i=i: call.args.__setitem__(i, new)
    for keyword in call.keywords:
        if keyword.arg:
            yield keyword.arg, keyword.value, lambda new, k=keyword: setattr(k, "value", new)


def _defaults(node: ast.FunctionDef) -> Iterator[tuple[str, ast.expr, Callable]]:
    given = node.args
    for i, argument in enumerate(given.args[len(given.args) - len(given.defaults) :]):
        put = lambda new, i=i: given.defaults.__setitem__(i, new)  # noqa: E731
        yield argument.arg, given.defaults[i], put


def _changed(kind: str, value: ast.expr) -> ast.expr | None:
    """Another value of the same role."""
    if isinstance(value, ast.Tuple) and value.elts:
        if kind == "kernel":
            return ast.Tuple(value.elts[::-1], ast.Load())
        first = _changed(kind, value.elts[0])
        return first and ast.Tuple([first, *value.elts[1:]], ast.Load())
    if isinstance(value, ast.Constant):
        if not isinstance(value.value, int | float) or isinstance(value.value, bool):
            return None
        n = value.value
        new = {
            "stride": lambda: 2 if n == 1 else n - 1,
            "padding": lambda: n + 1,
            "kernel": lambda: n + 2,
            "groups": lambda: 2 if n == 1 else 1,
            "eps": lambda: n * 100,
        }[kind]()
        return ast.Constant(new)
    text = ast.unparse(value)
    form = {
        "stride": "({}) % 2 + 1",
        "padding": "({}) + 1",
        "kernel": "({}) + 2",
        "groups": "1",
        "eps": "({}) * 100",
    }[kind]
    return ast.parse(form.format(text), mode="eval").body


def _of_role(kind: str) -> Callable[[ast.AST, Roles], list[Edit]]:
    def rule(node: ast.AST, roles: Roles) -> list[Edit]:
        if isinstance(node, ast.Call):
            values = list(_arguments(node, roles))
        elif isinstance(node, ast.FunctionDef):
            values = list(_defaults(node))
        else:
            return _assigned(kind, node)
        edits = []
        for name, value, put in values:
            if name in ROLE[kind] and (new := _changed(kind, value)) is not None:
                edits.append(lambda put=put, new=new: put(new))
        if not edits and isinstance(node, ast.Call):
            edits = _added(kind, node, roles)
        return edits

    return rule


def _assigned(kind: str, node: ast.AST) -> list[Edit]:
    """self.bn.eps = 0.001"""
    if isinstance(node, ast.Assign) and name_of(node.targets[0]) in ROLE[kind]:
        new = _changed(kind, node.value)
        return [lambda: setattr(node, "value", new)] if new is not None else []
    return []


def _added(kind: str, call: ast.Call, roles: Roles) -> list[Edit]:
    """What is left to the default, said otherwise."""
    name = name_of(call)
    new = {"groups": 2, "eps": 1e-3, "padding": 1, "stride": 2}.get(kind)
    layers = {"eps": {"BatchNorm2d"}}.get(kind, {"Conv2d", "ConvBN"})
    given = {argument for argument, *_ in _arguments(call, roles)}
    legal = {"BatchNorm2d": {"eps"}, "Conv2d": set(CONV)}.get(name, set(roles.get(name, [])))
    if new is None or name not in layers or given & ROLE[kind] or not legal & ROLE[kind]:
        return []
    return [lambda: call.keywords.append(ast.keyword(kind, ast.Constant(new)))]


def activation(node: ast.AST, roles: Roles) -> list[Edit]:
    if (
        isinstance(node, ast.Call)
        and name_of(node) == "relu"
        and isinstance(node.func, ast.Attribute)
    ):
        if not node.args:  # x.relu()
            limits = [ast.Constant(0), ast.Constant(6)]
            return [lambda: (setattr(node.func, "attr", "clamp"), node.args.extend(limits))]
        return [lambda: setattr(node.func, "attr", "relu6")]
    return _renamed(node, ACTIVATIONS)


def _renamed(node: ast.AST, table: dict[str, str]) -> list[Edit]:
    if isinstance(node, ast.Attribute) and node.attr in table:
        return [lambda: setattr(node, "attr", table[node.attr])]
    return []


def order(node: ast.AST, roles: Roles) -> list[Edit]:
    """Two layers change places: f(g(x)), two lines of a body, two names of a sequence."""
    edits: list[Edit] = []
    if isinstance(node, ast.Call):
        inner = node.args[0] if node.args else None
        if isinstance(inner, ast.Call) and inner.args and name_of(node) != name_of(inner):
            edits.append(lambda: _swap(node, "func", inner, "func"))
        if name_of(node) in {"seq", "OrderedDict"}:
            words = node.keywords
            edits += [lambda i=i: _exchange(words, i) for i in range(len(words) - 1)]
    body = getattr(node, "body", None)
    if isinstance(node, ast.FunctionDef | ast.For) and isinstance(body, list):
        for i, (one, two) in enumerate(pairwise(body)):
            if _on_itself(one) and _on_itself(two):
                edits.append(lambda i=i: _exchange(body, i))
    return edits


def _swap(a: ast.AST, field: str, b: ast.AST, other: str) -> None:
    one, two = getattr(a, field), getattr(b, other)
    setattr(a, field, two)
    setattr(b, other, one)


def _exchange(items: list, i: int) -> None:
    items[i], items[i + 1] = items[i + 1], items[i]


def _on_itself(node: ast.AST) -> bool:
    """x = f(x)"""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    name = node.targets[0].id
    read = {each.id for each in ast.walk(node.value) if isinstance(each, ast.Name)}
    return isinstance(node.value, ast.Call) and name in read


def edge(node: ast.AST, roles: Roles) -> list[Edit]:
    """One side of a sum is dropped, or a line of the way."""
    edits: list[Edit] = []
    for field, value in ast.iter_fields(node):
        for i, each in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(each, ast.BinOp) and isinstance(each.op, ast.Add):
                for side in (each.left, each.right):
                    edits.append(lambda f=field, v=value, i=i, s=side: _put(node, f, v, i, s))
    if isinstance(node, ast.Assign) and _on_itself(node):
        name = node.targets[0].id
        edits.append(lambda: setattr(node, "value", ast.Name(name, ast.Load())))
    return edits


def _put(node: ast.AST, field: str, value, i: int, new: ast.AST) -> None:
    if isinstance(value, list):
        value[i] = new
    else:
        setattr(node, field, new)


def constant(node: ast.AST, roles: Roles) -> list[Edit]:
    """A number is off by one, or by half if it is no whole number."""
    value = getattr(node, "value", None)
    if not isinstance(node, ast.Constant) or type(value) not in (int, float):
        return []
    return [lambda: setattr(node, "value", value + 1 if type(value) is int else value * 1.5)]


def pool(node: ast.AST, roles: Roles) -> list[Edit]:
    """Average and maximum, and what is done at the border."""
    if isinstance(node, ast.Dict):  # kinds of pool by their names
        return [edit for value in node.values for edit in _renamed(value, POOLS)]
    if not isinstance(node, ast.Call):
        return []
    name = name_of(node)
    edits: list[Edit] = []
    if name in POOLS and isinstance(node.func, ast.Attribute):

        def other():
            node.func.attr = POOLS[name]
            node.keywords = [each for each in node.keywords if each.arg not in NOT_OF_MAXIMUM]

        edits.append(other)
    flags = {"MaxPool2d": ("ceil_mode",), "AvgPool2d": ("ceil_mode", "count_include_pad")}
    given = {argument: value for argument, value, _ in _arguments(node, roles)}
    nothing = {
        "ceil_mode": getattr(given.get("stride"), "value", 0) == 1,  # to round up
        "count_include_pad": not given.keys() & {"padding", "ceil_mode"},  # to leave out
    }
    for flag in [flag for flag in flags.get(name, ()) if not nothing[flag]]:
        edits.append(lambda flag=flag: _flip(node, flag, default=flag == "count_include_pad"))
    return edits


def _flip(call: ast.Call, flag: str, default: bool) -> None:
    for keyword in call.keywords:
        if keyword.arg == flag and isinstance(keyword.value, ast.Constant):
            keyword.value = ast.Constant(not keyword.value.value)
            return
    call.keywords.append(ast.keyword(flag, ast.Constant(not default)))


def init(node: ast.AST, roles: Roles) -> list[Edit]:
    """Another distribution, another deviation, or none of the paper's at all."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        call = node.value
        if name_of(call) == "apply" and "initialise" in ast.unparse(call):
            return [lambda: setattr(node, "value", ast.Constant(None))]
    if not isinstance(node, ast.Call):
        return []
    name = name_of(node)
    edits: list[Edit] = []
    if name in INITS and isinstance(node.func, ast.Attribute):
        edits.append(lambda: setattr(node.func, "attr", INITS[name]))
    for keyword in node.keywords:
        if keyword.arg == "mode" and isinstance(keyword.value, ast.Constant):
            fan = "fan_in" if keyword.value.value == "fan_out" else "fan_out"
            edits.append(lambda k=keyword, fan=fan: setattr(k, "value", ast.Constant(fan)))
    if name in DRAWN:
        values = [*node.args[1:], *(each.value for each in node.keywords)]
        edits += [lambda v=v: _halved(node, v) for v in values]
    return edits


def _halved(call: ast.Call, value: ast.expr) -> None:
    half = ast.BinOp(value, ast.Div(), ast.Constant(2))
    call.args = [half if each is value else each for each in call.args]
    for keyword in call.keywords:
        if keyword.value is value:
            keyword.value = half


def branch_order(node: ast.AST, roles: Roles) -> list[Edit]:
    """The parts of a concatenation, or of a split, in another order."""
    if isinstance(node, ast.Call) and name_of(node) == "cat" and node.args:
        parts = node.args[0]
        text = f"list({ast.unparse(parts)})[::-1]"
        return [lambda: node.args.__setitem__(0, ast.parse(text, mode="eval").body)]
    if isinstance(node, ast.Dict) and len(node.keys) > 1:  # FilterConcat(**{"3x3": ...})
        last = len(node.keys) - 2
        return [lambda: (_exchange(node.keys, last), _exchange(node.values, last))]
    if isinstance(node, ast.Call) and name_of(node) == "FilterConcat" and len(node.keywords) > 1:
        last = len(node.keywords) - 2
        return [lambda: _exchange(node.keywords, last)]
    unpacked = isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple)
    if unpacked and isinstance(node.value, ast.Call) and name_of(node.value) in SPLITS:
        return [lambda: node.targets[0].elts.reverse()]
    return []


RULES: dict[str, Callable[[ast.AST, Roles], list[Edit]]] = {
    "stride": _of_role("stride"),
    "padding": _of_role("padding"),
    "kernel": _of_role("kernel"),
    "groups": _of_role("groups"),
    "activation": activation,
    "order": order,
    "edge": edge,
    "constant": constant,
    "pool kind": pool,
    "init": init,
    "eps": _of_role("eps"),
    "branch order": branch_order,
}


@cache
def parsed(source: str) -> ast.Module:
    return ast.parse(source)


def faults(source: str, file: str, roles: Roles) -> list[Fault]:
    """Every fault of every kind that can be planted in a file."""
    found = []
    for number, node in enumerate(ast.walk(parsed(source))):
        for kind, rule in RULES.items():
            for edit in range(len(rule(node, roles))):
                lines = (getattr(node, "lineno", 0), getattr(node, "end_lineno", 0))
                found.append(
                    _described(source, Fault(kind, file, number, edit, lines, "", ""), roles)
                )
    return found


def planted(source: str, fault: Fault, roles: Roles) -> ast.Module:
    """The file's tree with the fault in it."""
    tree = ast.parse(source)
    node = list(ast.walk(tree))[fault.node]
    RULES[fault.kind](node, roles)[fault.edit]()
    return ast.fix_missing_locations(tree)


def _described(source: str, fault: Fault, roles: Roles) -> Fault:
    before = list(ast.walk(parsed(source)))[fault.node]
    after = copy.deepcopy(before)
    RULES[fault.kind](after, roles)[fault.edit]()
    was, becomes = _first_difference(
        ast.unparse(before), ast.unparse(ast.fix_missing_locations(after))
    )
    return Fault(fault.kind, fault.file, fault.node, fault.edit, fault.lines, was, becomes)


def _first_difference(was: str, becomes: str) -> tuple[str, str]:
    """The lines that differ, on one line each."""
    old, new = was.split("\n"), becomes.split("\n")
    changed = [i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]]
    if not changed:
        return " ".join(was.split()), " ".join(becomes.split())
    first, last = changed[0], changed[-1] + 1
    return " ".join(" ".join(old[first:last]).split()), " ".join(" ".join(new[first:last]).split())
