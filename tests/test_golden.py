"""No network changes by accident: every one is built and counted again, and compared with the
stored index, exactly.
"""

import json

import pytest

import convatlas.index as index
from convatlas import registry
from convatlas.weights import known

RENEW = "if the change is meant, `make index` renews it"


def difference(name: str, stored: dict, measured: dict) -> str:
    """The first thing that differs, in words; "" where nothing does."""
    for i, (old, new) in enumerate(
        zip(stored.get("rows", []), measured.get("rows", []), strict=False), start=1
    ):
        if old != new:
            return f"{name}, row {i}: stored {old}, measured {new}; {RENEW}"
    for key in {**stored, **measured}:
        if stored.get(key) != measured.get(key):
            return (
                f"{name}, {key}: stored {stored.get(key)!r:.200}, measured "
                f"{measured.get(key)!r:.200}; {RENEW}"
            )
    return ""


@pytest.mark.parametrize("name", registry.entries())
def test_a_network_is_what_it_was(name):
    assert name in registry.stored_facts(), f"{name} is not in the index; {RENEW}"
    stored = json.loads((index.HERE / "layers" / f"{name}.json").read_text())
    changed = difference(name, stored, index.table(name)) or difference(
        name, registry.stored_facts()[name], json.loads(json.dumps(index.facts(name)))
    )
    if changed:
        pytest.fail(changed, pytrace=False)


def test_the_index_holds_no_network_that_is_gone():
    tables = {file.stem for file in (index.HERE / "layers").iterdir()}
    assert set(registry.stored_facts()) == set(registry.entries()) == tables


def test_the_catalogue_is_in_order_of_years():
    years = [facts["paper"]["year"] for facts in registry.stored_facts().values()]
    assert years == sorted(years)


def test_a_difference_names_network_and_row():
    stored = index.table("lenet5")
    moved = json.loads(json.dumps(stored))
    moved["rows"][2][2] = [3, 3]
    assert difference("lenet5", stored, moved).startswith("lenet5, row 3: stored ['S2.layer'")
    assert "make index" in difference("lenet5", stored, moved)
    assert difference("lenet5", stored, {**stored, "rows": stored["rows"][:-1]}).startswith(
        "lenet5, rows:"
    )
    assert difference("lenet5", stored, stored) == ""


def test_writing_the_index_gives_the_stored_bytes(tmp_path, monkeypatch):
    few = {name: registry.entries()[name] for name in ("resnet20_cifar", "lenet5", "alexnet")}
    monkeypatch.setattr(registry, "entries", lambda: few)
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "gone.json").write_text("{}")
    assert index.write(tmp_path, tmp_path / "known.json") == ["lenet5", "alexnet", "resnet20_cifar"]
    assert {file.stem for file in (tmp_path / "layers").iterdir()} == set(few)
    stored = known.STORED.read_text()
    assert (tmp_path / "known.json").read_text() == known.text(
        {
            names: kept
            for names, group in known.catalogue().items()
            if (kept := [k for k in group if k.ours in few])
        }
    )
    assert stored == known.text(known.catalogue())
    for name in few:
        table = f"layers/{name}.json"
        assert (tmp_path / table).read_bytes() == (index.HERE / table).read_bytes()
    assert json.loads((tmp_path / "catalogue.json").read_text()) == {
        name: registry.stored_facts()[name] for name in few
    }
