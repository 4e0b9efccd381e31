"""Names of pytorchcv, MMLab, Cadene and lukemelas, by fingerprints of what their modules hold.

tests/weights/other_libraries.json was measured once with pytorchcv 0.0.74, mmpretrain 1.2.0,
pretrainedmodels 0.7.4 and efficientnet_pytorch 0.7.1, which are not installed for tests: names and
shapes of every model, and for one of each kind of graph the largest difference of its logits from
ours, with random weights in double precision, over the largest logit.
"""

import hashlib
import json
from pathlib import Path

import pytest

from convatlas.verification import blueprint
from convatlas.weights import cadene, efficientnets, mmlab, pytorchcv
from convatlas.weights.known import COUNTER
from convatlas.weights.loading import choose
from convatlas.weights.reading import Checkpoint
from convatlas.weights.translating import translated

TABLES = {
    "pytorchcv": pytorchcv.TWINS,
    "mmpretrain": mmlab.TWINS,
    "pretrainedmodels": cadene.TWINS,
    "efficientnet_pytorch": efficientnets.TWINS,
}
MEASURED = json.loads(Path(__file__).with_name("other_libraries.json").read_bytes())
ALL = [(source, theirs) for source, table in TABLES.items() for theirs in table]


@pytest.mark.parametrize(("source", "theirs"), ALL)
def test_names_and_shapes_are_theirs(source, theirs):
    twin = TABLES[source][theirs]
    ours = blueprint(twin.ours).state_dict()
    shapes = sorted(
        (name, twin.shape(name, tuple(ours[key].shape)))
        for key, name in twin.names(ours).items()
        if not key.endswith(COUNTER)
    )
    text = "\n".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in shapes)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == MEASURED[source][theirs]["names"]


def test_every_kind_of_graph_was_measured():
    """One model at least of each table of rules."""
    for source, table in TABLES.items():
        measured = {
            table[theirs].rules
            for theirs, found in MEASURED[source].items()
            if found.get("difference", 1) < 1e-8
        }
        missing = {
            theirs
            for theirs, twin in table.items()
            if twin.rules not in measured
            and not theirs.startswith(("efficientnet", "vgg", "bn_vgg"))
        }
        assert not missing, source


@pytest.mark.parametrize(
    ("source", "theirs"),
    [
        ("pytorchcv", "mobilenet_wd4"),
        ("mmpretrain", "mobilenet-v2"),
        ("pretrainedmodels", "squeezenet1_1"),
        ("efficientnet_pytorch", "efficientnet-b0"),
    ],
)
def test_a_file_of_theirs_is_recognised(source, theirs, tmp_path):
    twin = TABLES[source][theirs]
    state = translated(twin, blueprint(twin.ours).state_dict())
    found = choose(Checkpoint(tmp_path / "a.pth", "0" * 64, state, {}), twin.ours, source)
    assert str(found.kind) == f"{source}'s {theirs}"
