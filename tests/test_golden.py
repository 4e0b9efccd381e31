"""No network changes by accident: every one is built and counted again, and compared with the
stored index, exactly.
"""

import json
from pathlib import Path

import pytest
from networks import SMALLEST, first

import convatlas.index as index
from convatlas import registry
from convatlas.held import computed, first_change, layers, renewal, wired
from convatlas.index import function
from convatlas.weights import known

GIANT = 80_000_000  # parameters
BARE = {facts["paper"]["bare"] for facts in registry.stored_facts().values()}
FILLED = {*SMALLEST.values(), *BARE} | {
    name
    for name in registry.entries()
    if registry.stored_facts().get(name, {"params": 0})["params"] <= GIANT
}


@pytest.mark.parametrize("name", registry.entries())
def test_a_network_is_what_it_was(name):
    """Its layers, what reads what, and all that the catalogue tells of it."""
    assert name in registry.stored_facts(), f"{name} is not in the index; {renewal(name)}"
    for each in (layers(name), wired(name)):
        if each.difference:
            pytest.fail(str(each), pytrace=False)
    facts = json.loads(json.dumps(index.facts(name)))
    if changed := first_change(registry.stored_facts()[name], facts):
        pytest.fail(f"{name}, {changed}; {renewal(name)}", pytrace=False)


@first(FILLED)
def test_a_network_computes_what_it_did(name):
    """The giants wait for `make test-all`, for filling their weights takes seconds each: other
    members of their file, made by the same lines, are computed here, among them the smallest and
    those that papers stand for, and the giants' own layers and wires are compared above.
    """
    if difference := computed(name).difference:
        pytest.fail(f"{name}: {difference}", pytrace=False)


def test_the_index_holds_no_network_that_is_gone():
    for folder in ("layers", "graphs", "functions"):
        kept = {file.stem for file in (index.HERE / folder).iterdir()}
        assert set(registry.stored_facts()) == set(registry.entries()) == kept


def test_the_catalogue_is_in_order_of_years():
    years = [facts["paper"]["year"] for facts in registry.stored_facts().values()]
    assert years == sorted(years)


def test_a_difference_names_the_row():
    stored = index.table("lenet5")
    moved = json.loads(json.dumps(stored))
    moved["rows"][2][2] = [3, 3]
    assert first_change(stored, moved).startswith("row 3: stored ['S2.layer'")
    assert first_change(stored, {**stored, "rows": stored["rows"][:-1]}).startswith("rows:")
    assert first_change(stored, stored) == ""


def test_the_index_knows_every_file_as_it_is():
    assert registry.stale() == ""


FEW = ("lenet5", "alexnet", "resnet20_cifar")


@pytest.fixture
def three(tmp_path, monkeypatch):
    """A folder with the index of an atlas of three networks, and with what is left of a fourth."""
    few = {name: registry.entries()[name] for name in sorted(FEW)}
    monkeypatch.setattr(registry, "entries", lambda: few)
    for folder in ("layers", "graphs", "functions"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "gone.json").write_text("{}")
    lines = []
    assert index.write(None, tmp_path, tmp_path / "known.json", lines.append) == list(FEW)
    assert [line.split()[0] for line in lines] == sorted(FEW)
    return tmp_path


def test_writing_the_index_gives_the_stored_bytes(three):
    for folder in ("layers", "graphs", "functions"):
        assert {file.stem for file in (three / folder).iterdir()} == set(FEW)
    kinds = known.known_checkpoints()
    assert (three / "known.json").read_text() == known.text(
        {
            names: kept
            for names, group in kinds.items()
            if (kept := [kind for kind in group if kind.ours in FEW])
        }
    )
    assert known.STORED.read_text() == known.text(kinds)
    for name in FEW:
        for file in (f"layers/{name}.json", f"graphs/{name}.json"):
            assert (three / file).read_bytes() == (index.HERE / file).read_bytes()
        written = function.stored(name, three / "functions")
        assert function.first_difference(function.stored(name), written) == ""
    for file, stored in (
        ("catalogue.json", registry.stored_facts()),
        ("sources.json", json.loads((index.HERE / "sources.json").read_text())),
    ):
        assert json.loads((three / file).read_text()) == {name: stored[name] for name in FEW}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in folder.rglob("*.json")}


@pytest.mark.parametrize("lost", [(), ("alexnet",), ("lenet5", "resnet20_cifar")])
def test_renewing_some_networks_changes_no_byte_of_the_others(three, lost):
    before = contents(three)
    for file in ("catalogue.json", "sources.json"):
        held = json.loads((three / file).read_text())
        rest = {name: kept for name, kept in held.items() if name not in lost}
        (three / file).write_text(json.dumps(rest))
    for name in lost:
        for folder in ("layers", "graphs", "functions"):
            (three / folder / f"{name}.json").unlink()
    kinds = known.read(three / "known.json")
    (three / "known.json").write_text(
        known.text(
            {
                names: [kind for kind in group if kind.ours not in lost]
                for names, group in kinds.items()
            }
        )
    )
    lines = []
    index.write(lost or ("lenet5",), three, three / "known.json", lines.append)
    assert [line.split()[0] for line in lines] == list(lost or ("lenet5",))
    assert contents(three) == before


def test_renewing_drops_what_is_gone_from_the_atlas(three, monkeypatch):
    one = {"lenet5": registry.entries()["lenet5"]}
    monkeypatch.setattr(registry, "entries", lambda: one)
    assert index.write((), three, three / "known.json") == ["lenet5"]
    for file in ("catalogue.json", "sources.json"):
        assert list(json.loads((three / file).read_text())) == ["lenet5"]
    assert {kind.ours for group in known.read(three / "known.json").values() for kind in group} == {
        "lenet5"
    }
    for folder in ("layers", "graphs", "functions"):
        assert [file.name for file in (three / folder).iterdir()] == ["lenet5.json"]


def test_renewing_one_network_keeps_the_files_of_those_that_the_catalogue_does_not_know(three):
    """Another branch has measured them: they come with a merge, the catalogue is written anew."""
    catalogue = three / "catalogue.json"
    facts = json.loads(catalogue.read_text())
    del facts["alexnet"]
    catalogue.write_text(json.dumps(facts))
    assert index.write(["lenet5"], three, three / "known.json") == ["lenet5", "resnet20_cifar"]
    for folder in ("layers", "graphs", "functions"):
        assert {file.stem for file in (three / folder).iterdir()} == set(FEW)


def test_a_network_that_cannot_be_measured_leaves_the_index_as_it_was(three, monkeypatch):
    before = contents(three)
    monkeypatch.setattr(index, "table", lambda name: {"lenet5": {}}[name])
    with pytest.raises(KeyError):
        index.write(("lenet5", "alexnet"), three, three / "known.json")
    assert contents(three) == before
