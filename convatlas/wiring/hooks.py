"""Forward hooks of the caller. They are not run; one that may answer for a module is told."""

import dis
from collections.abc import Callable

import torch.nn as nn

WITHOUT_ANSWER = {"append", "appendleft", "add", "update", "extend", "__setitem__"}
TORCHS_OWN = {"torch.export._unlift"}  # checks of an exported program
UNSEEN = {"RESUME", "COPY_FREE_VARS", "PRECALL", "CACHE", "PUSH_NULL", "MAKE_CELL"}
DECIDING = ("BINARY", "JUMP", "POP", "COMPARE", "UNARY", "IS_", "CONTAINS")


def answering(net: nn.Module) -> dict[str, str]:
    """For each module that has such a hook, by its path: equal for the same functions."""
    own = {id(module) for _, module in nn.Module.named_modules(net)}
    found = {}
    for name, module in nn.Module.named_modules(net):
        hooks = [
            f"{getattr(hook, '__qualname__', type(hook).__name__)} {id(hook)}"
            for hook in module._forward_hooks.values()
            if id(getattr(hook, "__self__", None)) not in own and may_answer(hook)
        ]
        if hooks:
            found[name] = ", ".join(hooks)
    return found


def may_answer(hook: Callable) -> bool:
    """Whether the hook may return anything but None, as far as its code can tell."""
    if getattr(hook, "__module__", None) in TORCHS_OWN:
        return False
    code = getattr(getattr(hook, "__func__", hook), "__code__", None)
    if code is None:
        return True
    steps = [step for step in dis.get_instructions(code) if step.opname not in UNSEEN]
    ends = [i for i, step in enumerate(steps) if step.opname in ("RETURN_VALUE", "RETURN_CONST")]
    return not all(_is_none(steps, i) for i in ends) and not _only_keeps(steps)


def _is_none(steps: list[dis.Instruction], end: int) -> bool:
    told = steps[end] if steps[end].opname == "RETURN_CONST" else steps[end - 1]
    return told.opname in ("RETURN_CONST", "LOAD_CONST") and told.argval is None


def _only_keeps(steps: list[dis.Instruction]) -> bool:
    """Of `lambda *_: kept.append(...)`: one call of a list's or a dict's method, which answers
    None.
    """
    if any(step.opname.startswith(DECIDING) for step in steps):
        return False
    method = next((step for step in steps[1:] if step.opname in ("LOAD_METHOD", "LOAD_ATTR")), None)
    plain = method is not None and method.argval in WITHOUT_ANSWER
    return plain and steps[-2].opname.startswith("CALL") and steps.index(method) == 1
