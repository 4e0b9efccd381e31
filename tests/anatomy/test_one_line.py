"""diff: equal changes in many places are one line."""

import torch.nn as nn
from changed_networks import SIZE, Net, Unit, changed, told

from convatlas.anatomy import diff
from convatlas.anatomy.wording import ranges


def test_an_inserted_unit_is_one_line_wherever_it_stands():
    new = nn.Sequential(nn.Conv2d(8, 8, 1), nn.Tanh())
    for place in range(3):
        units = [Unit(), changed(k=5), changed(k=7)]
        longer = [*units[:place], new, *units[place:]]
        assert told(Net(*units), Net(*longer)) == [
            ("", f"body.{place}", "", "", "-", "1x1 conv 8, tanh", 1)
        ]


def test_equal_units_fold():
    found = diff(
        Net(*(Unit() for _ in range(5))),
        Net(Unit(), *(changed(k=1) for _ in range(3)), Unit()),
        SIZE,
    )
    (block,) = found.blocks
    assert block.where == ("body.1-3", "body.1-3")
    assert [(c.a, c.b, c.times, c.params) for c in block.changes] == [
        ("3x3", "1x1", 3, -3 * 8 * 8 * 8)
    ]


def test_the_same_epsilon_everywhere_is_one_line():
    def norms(eps: float) -> nn.Module:
        named = type("Unit", (Unit,), {"norm": lambda self: nn.BatchNorm2d(8, eps)})
        return Net(named(), nn.Sequential(nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8, eps)), named())

    assert told(norms(1e-5), norms(1e-3)) == [
        ("body.0-2", "body.0-2", "", "batch norm", "eps 1e-05", "eps 0.001", 3)
    ]


def test_rates_of_dropping_fold_into_a_range():
    def dropping(*rates: float) -> nn.Module:
        return Net(*(nn.Sequential(nn.Conv2d(8, 8, 1), nn.Dropout(p)) for p in rates))

    assert told(dropping(0.1, 0.2, 0.3), dropping(0.2, 0.4, 0.6)) == [
        ("body.0-2", "body.0-2", "1", "dropout", "p 0.1 to 0.3", "p 0.2 to 0.6", 3)
    ]


def test_equal_changes_inside_a_unit_are_one_line():
    def norms(eps: float) -> nn.Module:
        return Net(
            nn.Sequential(
                *(
                    nn.Sequential(nn.Conv2d(8, 8, k, padding=k // 2), nn.BatchNorm2d(8, eps))
                    for k in (1, 3, 5)
                )
            )
        )

    assert told(norms(1e-5), norms(1e-3)) == [
        ("body.0", "body.0", "0-2.1", "batch norm", "eps 1e-05", "eps 0.001", 3)
    ]


def test_ranges_count_units_first():
    paths = ["a1", "a2.0", "a3.0", "a3.1", "a4.0", "a4.1", "a6.0", "b6.1", "b6.1"]
    assert list(ranges(paths)) == ["a1", "a2.0", "a3-4.0-1", "a6.0", "b6.1"]
