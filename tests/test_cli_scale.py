"""What `convatlas scale` prints of EfficientNet-B0 to B7, against the networks themselves."""

import json

import pytest

from convatlas import create_model, scale
from convatlas.cli import run
from convatlas.registry import stored_facts
from convatlas.shapes_only import shapes_only


@pytest.mark.parametrize("phi", [0, 3])
def test_stages_and_counts_are_the_network_s(phi, capsys):
    assert run(["scale", "efficientnet_b0", "--phi", str(phi), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    name = f"efficientnet_b{phi}"
    with shapes_only():
        net = create_model(name)
    assert found["params"] == sum(p.numel() for p in net.parameters())
    assert (found["network"], found["macs"]) == (name, stored_facts()[name]["macs"])
    assert found["resolution"] == net.side == scale(phi).resolution
    blocks = {stage["stage"]: stage["to"][1] for stage in found["stages"]}
    assert blocks["stage1"] == blocks["stage9"] == 1
    for number in range(2, 9):
        stage = f"stage{number}"
        assert blocks[stage] == len(list(getattr(net, stage).children())), stage
    assert [one["network"] for one in found["beside"]] == [f"efficientnet_b{i}" for i in range(8)]


def test_the_tables_name_what_changes(capsys):
    assert run(["scale", "efficientnet_b0", "--phi", "3"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["stage7", "192", "->", "232", "4", "->", "6"] in lines
    assert ["stage9", "1280", "->", "1536", "1"] in lines
    (last,) = [line for line in lines if line[:1] == ["efficientnet_b7"]]
    assert last[1:5] == ["7", "2.0", "3.1", "600"]
    assert last[-1] == "1.98"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["efficientnet_b0", "--phi", "9"], "phi is one of 0 to 7"),
        (["efficientnet_b0", "--phi", "1.5"], "phi is one of 0 to 7"),
        (["efficientnet_b0", "--phi", "x"], "--phi takes a number"),
        (["efficientnet_b0"], "`convatlas scale efficientnet_b0 --phi 3`"),
        (["resnet50", "--phi", "1"], "resnet50 was not released scaled by one number"),
        (["efficientnet_b9", "--phi", "1"], "efficientnet_b"),
    ],
)
def test_what_cannot_be_scaled_is_one_sentence(words, why, capsys):
    assert run(["scale", *words]) in (1, 2)
    said = capsys.readouterr().err
    assert why in said
    assert said.count("\n") == 1
