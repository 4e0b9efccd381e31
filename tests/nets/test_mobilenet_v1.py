"""The evidence of MobileNetV1's errata."""

from convatlas.nets.mobilenet_v1 import TABLE
from convatlas.verification import measure


def test_the_parameters_of_table_2_are_shares_of_the_weights_alone():
    """Percent of the parameters without batch norm and biases: the evidence of the
    column's errata.
    """
    rows = [row for row in measure("mobilenet_v1").rows if row.macs]
    weights = {row.name: row.params - (1000 if row.name == "fc" else 0) for row in rows}
    kinds = {
        "1x1": [r for r in rows if r.kernel == (1, 1)],
        "dw": [r for r in rows if r.groups not in (1, None)],
        "3x3": [r for r in rows if r.name.startswith("conv1.")],
        "full": [r for r in rows if r.name == "fc"],
    }
    assert sum(map(len, kinds.values())) == len(rows) == 28
    share = {
        kind: round(100 * sum(weights[r.name] for r in group) / sum(weights.values()), 2)
        for kind, group in kinds.items()
    }
    assert share == {"1x1": 74.59, "dw": 1.06, "3x3": 0.02, "full": 24.33}


def test_the_printed_input_sizes_are_those_of_the_layers():
    """The columns of TABLE, channels last, that a reader has beside the code."""
    parts = measure("mobilenet_v1").parts
    before = parts["conv1"].output
    for row in TABLE:
        for printed, layer in ((row.dw_input, "dw"), (row.pw_input, "pw")):
            channels, height, width = before
            assert printed == f"{height}x{width}x{channels}", f"{row.name}.{layer}"
            before = parts[f"{row.name}.{layer}"].output
