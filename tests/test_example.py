"""examples/loop.py is what `train` does: the same weights to the bit, on whatever processor."""

import runpy
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import convatlas
from convatlas.training import Callback, train

LOOP = Path(convatlas.__file__).parents[1] / "examples" / "loop.py"


@pytest.mark.parametrize(
    ("network", "epochs", "size"),
    [
        ("lenet5", 3, 0),
        ("mobilenet_v3_small_x0_35", 2, 32),  # dropout, batch norm
    ],
)
def test_the_loop_in_the_open_ends_with_the_weights_of_train(
    tmp_path, network, epochs, size, capsys
):
    script = tmp_path / "loop.py"
    script.write_text(
        LOOP.read_text(encoding="utf-8")
        .replace('network="lenet5"', f"network={network!r}, size={size}")
        .replace("epochs=6", f"epochs={epochs}"),
        encoding="utf-8",
    )
    before = torch.get_num_threads()
    try:
        loop = runpy.run_path(str(script))
    finally:
        torch.set_num_threads(before)
    said = capsys.readouterr().out.splitlines()
    recipe = loop["recipe"]
    assert (recipe.network, recipe.epochs, recipe.size) == (network, epochs, size)
    metrics = train(recipe.change(threads=1), tmp_path / "run", callback=Callback())
    saved = load_file(tmp_path / "run" / "model.safetensors")
    assert saved.keys() == loop["best"].keys()
    for name, tensor in saved.items():
        assert torch.equal(tensor, loop["best"][name]), name
    assert said[-1] == f"test {metrics['test']['accuracy']:.1%}"
