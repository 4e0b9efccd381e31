"""What this machine has for this process."""

import sys

import pytest

from convatlas import machine

linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc and limits are Linux's")


@linux
def test_the_least_of_all_limits_counts(monkeypatch):
    now = machine.free_memory()
    assert 0 < now < 2**50
    for name, value in (("_left_by_system", 5), ("_left_by_shell", 7)):
        monkeypatch.setattr(machine, name, lambda value=value: value)
    monkeypatch.setattr(machine, "_left_by_container", lambda: [9, 6])
    assert machine.free_memory() == 5
    monkeypatch.setattr(machine, "_left_by_system", lambda: None)
    assert machine.free_memory() == 6
    monkeypatch.setattr(machine, "_left_by_container", lambda: [-1])
    assert machine.free_memory() == 0
    monkeypatch.setattr(machine, "_left_by_container", list)
    monkeypatch.setattr(machine, "_left_by_shell", lambda: None)
    assert machine.free_memory() is None


@pytest.mark.parametrize(
    ("files", "left"),
    [
        ({"max": "1000\n", "current": "600\n", "stat": "inactive_file 50"}, 450),
        ({"max": "max\n", "current": "600\n", "stat": ""}, None),
        ({"max": "1000\n"}, None),
    ],
)
def test_a_group_of_version_2_is_read(tmp_path, files, left):
    for name, text in files.items():
        (tmp_path / f"memory.{name}").write_text(text)
    assert machine._left_in(tmp_path, "memory.max", "memory.current") == left


def test_a_group_of_version_1_without_a_limit_has_none(tmp_path):
    for name, text in (("limit", str(2**63 - 4096)), ("usage", "5"), ("memory.stat", "x 1")):
        (tmp_path / name).write_text(text)
    assert machine._left_in(tmp_path, "limit", "usage") is None
    (tmp_path / "limit").write_text("100")
    (tmp_path / "memory.stat").write_text("total_inactive_file 3\ninactive_file 1\n")
    assert machine._left_in(tmp_path, "limit", "usage") == 98


def test_the_groups_above_count_too(tmp_path):
    found = machine._upwards(tmp_path, "/user/job")
    assert found == [tmp_path, tmp_path / "user" / "job", tmp_path / "user"]
    assert machine._upwards(tmp_path, "/") == [tmp_path]


def test_the_cache_is_where_the_user_wants_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert machine.user_cache() == tmp_path / ".cache" / "convatlas"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert machine.user_cache() == tmp_path / "x" / "convatlas"


def test_a_user_without_a_home_has_no_cache(monkeypatch):
    def nobody():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(machine.Path, "home", nobody)
    assert machine.user_cache() is None
