"""The four guidelines measured on a machine: the settings are the paper's, and the command runs."""

import json

import pytest

from benchmarks import guidelines
from convatlas.anatomy.guidelines import Conv

SETTINGS = {(each.guideline, each.name): each for each in guidelines.settings()}
TABLE_1 = {"1:1": 819_200, "1:2": 862_920, "1:6": 1_157_728, "1:12": 1_483_200}
TABLE_2 = {1: 819_200, 2: 1_145_160, 4: 1_622_016, 8: 2_274_120}


def test_stacks_move_what_docs_guidelines_tells():
    for ratio, mac in TABLE_1.items():
        assert SETTINGS["G1", f"c1:c2 = {ratio}"].mac == guidelines.DEEP * mac
    for groups, mac in TABLE_2.items():
        assert SETTINGS["G2", f"g = {groups}"].mac == guidelines.DEEP * mac


@pytest.mark.parametrize("guideline", ["G1", "G2", "G3", "G4"])
def test_stacks_of_a_guideline_compute_alike(guideline):
    macs = [setting.macs for (number, _), setting in SETTINGS.items() if number == guideline]
    assert len(macs) >= 4
    assert max(macs) / min(macs) <= 1.06


def test_no_1x1_convolution_moves_less_than_the_bound():
    for reads, gives, pixels in ((8, 8, 49), (3, 300, 7), (64, 256, 3136), (1, 1, 1)):
        conv = Conv("", pixels, reads, gives, 1, 1, pixels * reads * gives)
        assert conv.mac >= conv.least - 1e-9
        if reads == gives:
            assert conv.mac == pytest.approx(conv.least)


def test_the_command_prints_a_line_for_each_setting(capsys):
    guidelines.main(["--side", "3", "--seconds", "0", "--clock", "cpu"])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(SETTINGS)
    guidelines.main(["--side", "3", "--seconds", "0", "--json"])
    records = json.loads(capsys.readouterr().out)
    firsts = {record["guideline"]: record for record in reversed(records)}
    assert {record["beside_first"] for record in firsts.values()} == {1.0}
