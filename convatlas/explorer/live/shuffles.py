"""A channel shuffle, which torch writes as two views around a transposition, as one operation."""

from dataclasses import dataclass

from torch.fx import Node

VIEWS = ("view", "_unsafe_view", "reshape")


@dataclass(frozen=True)
class Shuffle:
    """The calls that make one shuffle, and the one whose value it is."""

    groups: int
    parts: tuple[Node, ...]
    last: Node


def channel_shuffle(node: Node) -> Shuffle | None:
    """The shuffle that begins with this call; None where none does.

    (N, g * n, H, W) -> view (N, g, n, H, W) -> transpose -> (N, n, g, H, W) -> view as it was
    """
    if not _is(node, *VIEWS) or len(_shape(node)) != 5:
        return None
    parts, here = [node], _only_reader(node)
    if here is None or not _is(here, "transpose") or set(here.args[1:]) != {1, 2}:
        return None
    while here is not None and _is(here, "transpose", "clone", "contiguous"):
        parts.append(here)
        here = _only_reader(here)
    if here is None or not _is(here, *VIEWS) or _shape(here) != _shape(node.args[0]):
        return None
    return Shuffle(_shape(node)[1], (*parts, here), here)


def _is(node: Node, *kinds: str) -> bool:
    name = getattr(node.target, "__name__", "")
    return node.op == "call_function" and name.split(".")[0] in kinds


def _shape(node: Node) -> tuple[int, ...]:
    return tuple(node.meta["val"].shape)


def _only_reader(node: Node) -> Node | None:
    return next(iter(node.users)) if len(node.users) == 1 else None
