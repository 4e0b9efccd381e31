"""The two tables of connections that LeCun and others print, cell by cell: which maps of the layer
before does each map of our networks read?
"""

import lenet
import pytest
import torch

from convatlas import create_model

TABLES = [("lenet5", "C3", lenet.TABLE_I), ("lenet1989", "H3", lenet.TABLE_1)]


def cells(table: str) -> list[list[bool]]:
    return [[cell == "X" for cell in row.split()] for row in table.split("\n") if row]


def reads(layer: torch.nn.Module, maps: int) -> list[list[bool]]:
    """Row i, column j: does output map j change when input map i does?"""
    x = torch.zeros(1, maps, 12, 12)
    still = layer(x)
    rows = []
    for i in range(maps):
        moved = x.clone()
        moved[:, i] = 1
        rows.append([bool(change > 0) for change in (layer(moved) - still).abs().amax((0, 2, 3))])
    return rows


@torch.no_grad()
@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(("name", "layer", "table"), TABLES, ids=["1998", "1989"])
def test_connections_are_the_printed_ones(name, layer, table, training):
    torch.manual_seed(0)
    printed = cells(table)
    ours = reads(create_model(name).get_submodule(layer).train(training), len(printed))
    wrong = [
        f"column {j}, row {i}: printed {cross}, built {not cross}"
        for i, row in enumerate(printed)
        for j, cross in enumerate(row)
        if ours[i][j] != cross
    ]
    assert not wrong


def test_table_of_1998_is_what_its_text_says():
    """Sec. II-B: the first six read every contiguous subset of three, the next six of four, the
    next three some discontinuous subsets of four, the last all six.
    """
    columns = lenet.columns(lenet.TABLE_I)
    ring = [{(i + j) % 6 for j in range(6)} for i in range(6)]
    three = [{(i + j) % 6 for j in range(3)} for i in range(6)]
    four = [{(i + j) % 6 for j in range(4)} for i in range(6)]
    assert [set(column) for column in columns[:6]] == three
    assert [set(column) for column in columns[6:12]] == four
    assert all(len(column) == 4 and set(column) not in four for column in columns[12:15])
    assert set(columns[15]) == ring[0]
    assert all(row.count("X") == 10 for row in lenet.TABLE_I.split("\n") if row)


def test_table_of_1989_is_what_its_text_says():
    """One or two maps of H2 for each of H3's twelve: 20 kernels of 5x5 and 12 biases are the 512
    weights that 2578 in all leave for H3.
    """
    columns = lenet.columns(lenet.TABLE_1)
    assert {len(column) for column in columns} == {1, 2}
    assert sum(map(len, columns)) * 25 + 12 == 2578 - 104 - 8 - 24 - 1930
