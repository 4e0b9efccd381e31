"""Rows, branches and meshes: of any wiring, all wires and no others."""

from hypothesis import given
from hypothesis import strategies as st

from convatlas.drawing.structure import Chain, Fan, Mesh, structure


def wires_of(chain: Chain, source, sink) -> set[tuple]:
    """The wires that a chain between two keys stands for."""
    found, before = set(), [source]
    parts = [*chain.parts, None]
    for number, part in enumerate(parts[:-1]):
        after = next((p for p in parts[number + 1 :] if not isinstance(p, Fan | Mesh)), None)
        after = sink if after is None else after
        if isinstance(part, Fan):
            for branch in part.branches:
                found |= wires_of(branch, before[0], after)
            before = []
        elif isinstance(part, Mesh):
            for a, b, between in part.wires:
                ends = before[0] if a is None else a, after if b is None else b
                found |= wires_of(between, *ends)
            before = []
        else:
            found |= {(each, part) for each in before}
            before = [part]
    return found | {(each, sink) for each in before}


@st.composite
def wirings(draw):
    """Keys in order and wires, every key on a way from the first to the last."""
    count = draw(st.integers(2, 12))
    wires = set()
    for key in range(1, count):
        before = draw(st.sets(st.integers(0, key - 1), min_size=1, max_size=3))
        wires |= {(each, key) for each in before}
    for key in range(count - 1):
        if not any(a == key for a, _ in wires):
            wires.add((key, draw(st.integers(key + 1, count - 1))))
    return list(range(count)), sorted(wires)


@given(wirings())
def test_the_structure_has_all_wires_and_no_others(wiring):
    keys, wires = wiring
    assert wires_of(structure(keys, wires, keys[0], keys[-1]), keys[0], keys[-1]) == set(wires)


def test_rows_and_branches_are_seen():
    found = structure(
        "sabct", [("s", "a"), ("a", "b"), ("a", "c"), ("b", "t"), ("c", "t")], "s", "t"
    )
    assert found == Chain(("a", Fan((Chain(("b",)), Chain(("c",))))))


def test_a_shortcut_is_a_branch_of_its_own():
    found = structure("sabt", [("s", "a"), ("a", "b"), ("b", "t"), ("s", "t")], "s", "t")
    assert found == Chain((Fan((Chain(("a", "b")), Chain())),))


def test_what_is_neither_is_the_smallest_mesh():
    wires = [
        ("s", "a"),
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
        ("b", "d"),
        ("c", "e"),
        ("d", "e"),
        ("e", "t"),
    ]
    found = structure("sabcdet", wires, "s", "t")
    assert [type(part) for part in found.parts] == [str, Mesh, str]
    assert found.parts[0] == "a" and found.parts[1].keys == ("b", "c")
