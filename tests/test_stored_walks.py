"""Walks as the index holds them: the same networks and differences as when each is built."""

import json
import random
import subprocess
import sys

import pytest
import torch
import torch.nn as nn
from networks import SMALLEST, first

from convatlas import registry, stored_walks
from convatlas.anatomy.comparing import compare
from convatlas.anatomy.steps import Walk
from convatlas.anatomy.walk_record import from_record, lean, to_record
from convatlas.cli import differences
from convatlas.index import walks

NAMES = sorted(registry.stored_facts())
SEED = 15


def pairs(count: int) -> list:
    """Drawn at random, always the same; all but the first few wait for `make test-all`."""
    chosen = random.Random(SEED)
    drawn = [(chosen.choice(NAMES), chosen.choice(NAMES)) for _ in range(count)]
    return [
        pytest.param(*pair, marks=[] if i < 8 else [pytest.mark.full])
        for i, pair in enumerate(drawn)
    ]


def through_json(walk: Walk) -> Walk:
    return from_record(json.loads(json.dumps(to_record(walk))))


@first(SMALLEST.values())
def test_the_stored_walk_is_the_network(name):
    """Renewed by `python -m convatlas.index --walks`."""
    measured = walks.measured(name)
    assert stored_walks.stored(name) == measured
    assert repr(through_json(measured)) == repr(measured)  # a float stays one


@pytest.mark.parametrize(("a", "b"), pairs(300))
def test_stored_walks_tell_the_same_difference(a, b):
    told = compare(stored_walks.stored(a), stored_walks.stored(b))
    assert repr(told) == repr(compare(differences._traced(a), differences._traced(b)))


@pytest.mark.slow
def test_every_network_has_a_walk_with_its_counts():
    counts = {}
    for name, facts in registry.stored_facts().items():
        walk = stored_walks.stored(name)
        counts[name] = (walk.params, walk.macs) == (facts["params"], facts["macs"])
    assert [name for name, agree in counts.items() if not agree] == []


class Odd(nn.Module):
    """All that a record has to spell out: shared and foreign weights, whole floats, drops, norms of
    several momenta, parameters that only hold a value, branches that read further up.
    """

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1, bias=False)
        self.units = nn.Sequential(
            *(nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()) for _ in "12")
        )
        self.bn = nn.BatchNorm2d(8, momentum=0.3)
        self.other = nn.BatchNorm2d(8, affine=False)
        self.drop = nn.Dropout(1.0)
        self.scale = nn.Parameter(torch.ones(8, 1, 1))
        self.fc = nn.Conv2d(24, 5, 1)
        self.idle = nn.Linear(2, 2)

    def forward(self, x):
        x = self.conv(x)
        y = self.units(x) * 2.0 + self.scale
        z = torch.cat(
            [
                self.bn(x),
                self.other(y),
                nn.functional.conv2d(x, self.conv.weight.mT[:, :1], groups=8, padding=1),
            ],
            1,
        )
        z = nn.functional.max_pool2d(z - 1, (3, 2), (2, 1))
        return self.fc(self.drop(z).mean((2, 3), keepdim=True)).flatten(1)


def test_any_network_comes_back():
    torch.manual_seed(0)
    walk = lean(Walk.of(Odd(), (3, 12, 10)))
    assert repr(through_json(walk)) == repr(walk)
    assert len(walk.graph.nodes) > 12
    assert through_json(walk).steps == walk.steps


def test_a_change_of_one_setting_shows():
    record = to_record(walks.measured("lenet5_tutorial"))
    place = next(i for i, (op, _) in enumerate(record["words"]) if op == "conv")
    record["words"][place][1]["stride"] = [2, 2]
    changed = compare(walks.measured("lenet5_tutorial"), from_record(record))
    assert "stride 2" in str(changed)


def test_writing_gives_the_stored_bytes(tmp_path, monkeypatch):
    few = {name: registry.entries()[name] for name in ("lenet5", "mobilenet_v3_small")}
    monkeypatch.setattr(registry, "entries", lambda: few)
    (tmp_path / "gone.json").write_text("{}")
    assert walks.write(None, tmp_path) == list(few)
    assert {file.stem for file in tmp_path.iterdir()} == {*few}
    for name in few:
        assert (tmp_path / f"{name}.json").read_bytes() == (
            walks.FOLDER / f"{name}.json"
        ).read_bytes()


def test_diff_loads_no_torch():
    code = (
        "import sys; from convatlas.cli import run; "
        "code = run(['diff', 'resnet50', 'se_resnet50', '--json']); "
        "sys.exit(code or ' '.join({'torch', 'numpy'} & sys.modules.keys()) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout)["params"] > 0


def test_a_drop_beside_an_activation_is_told():
    """Both have no counterpart, in one module; the rates of drops alone are numbers that fold."""

    def net(*more: nn.Module) -> nn.Module:
        return nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(*more), nn.Conv2d(4, 4, 1))
        )

    sides = [Walk.of(each, (3, 8, 8)) for each in (net(), net(nn.ReLU(), nn.Dropout(0.5)))]
    assert "relu, dropout 0.5" in str(compare(*sides))
