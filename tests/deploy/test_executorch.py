"""ExecuTorch files take the raw picture, to the bit, and answer as `predict` does."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn as nn
import torch.nn.functional as F
from PIL import Image

from convatlas.data import Preprocess
from convatlas.deploy import executorch
from convatlas.deploy.engines import open_export
from convatlas.deploy.executorch_graph import write_for_executorch
from convatlas.deploy.exporting import export
from convatlas.deploy.planned_pictures import LARGEST, PlannedPictures
from convatlas.deploy.writers import record_of
from convatlas.errors import ExportError
from convatlas.layers.tensorflow import ShiftNorm

PAGE = Path(__file__).parents[2] / "docs" / "ship" / "executorch.md"
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
PREPARED = {
    "shorter side": Preprocess(3, 64, *IMAGENET, "resize", 73),
    "square": Preprocess(3, 32, *IMAGENET, "resize", 32),
    "grey field": Preprocess(1, 32, (0.13,), (0.31,), "pad", 28),
    "colour field": Preprocess(3, 32, *IMAGENET, "pad", 32),
    "whole": Preprocess(3, 64, *IMAGENET, "whole", 64),
    "squashed": Preprocess(1, 64, (0.13,), (0.31,), "squash", 69),
}
SIZES = [  # larger, smaller, equal, odd, strips, the largest
    *((150, 200), (201, 150), (8, 8), (28, 28), (31, 25), (29, 24), (23, 100), (225, 301)),
    *((300, 12), (2, 7), (LARGEST, 7), (999, LARGEST)),
]


@pytest.fixture(scope="module")
def exported(saved, tmp_path_factory):
    pytest.importorskip("executorch", reason="the extra executorch is not installed")
    place = tmp_path_factory.mktemp("export") / "lenet5.pte"
    return export(saved, "executorch", place)


def test_an_engine_that_ends_is_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(executorch, "START", "import os; os.kill(os.getpid(), 11)")
    with pytest.raises(ExportError, match=r"ended with SIGSEGV on a\.pte; choose another engine"):
        executorch.Engine(tmp_path / "a.pte", None).read()
    monkeypatch.setattr(executorch, "START", "raise SystemExit(3)")
    engine = executorch.Engine(tmp_path / "a.pte", None)
    engine.process.wait()
    with pytest.raises(ExportError, match=r"ended with exit status 3 on a\.pte"):
        engine.answers(np.zeros((500, 500, 3), np.uint8))
    said = "[operator_registry.cpp:277] kernel 'aten::avg_pool3d.out' not found."
    monkeypatch.setattr(executorch, "START", f"""raise SystemExit("x" * 99_000 + {said!r})""")
    with pytest.raises(ExportError, match=r"ended with .*, for it has no aten::avg_pool3d\.out,"):
        executorch.Engine(tmp_path / "a.pte", None).read()


@pytest.mark.parametrize("prep", PREPARED.values(), ids=PREPARED)
def test_pictures_become_the_same_input_to_the_bit(prep):
    ours = PlannedPictures(prep, nn.Identity())
    for h, w in SIZES:
        picture = np.random.default_rng(h + w).integers(0, 256, (1, h, w, 3), dtype=np.uint8)
        planes = torch.from_numpy(picture).permute(0, 3, 1, 2).contiguous()
        wanted = prep.normalise(prep.fit_images(planes))
        assert torch.equal(ours(torch.from_numpy(picture)), wanted), (h, w)


def test_taps_are_enough_for_every_size():
    """A weight left out would be a darker edge of the largest pictures; their sum shows it."""
    for prep in PREPARED.values():
        module = PlannedPictures(prep, nn.Identity())
        white = torch.full((1, LARGEST, LARGEST, 3), 255, dtype=torch.uint8)
        for h, w in ((LARGEST, LARGEST - 1), (LARGEST, 2)):
            planes = white[:, :h, :w].permute(0, 3, 1, 2).contiguous()
            wanted = prep.normalise(prep.fit_images(planes))
            assert torch.equal(module(white[:, :h, :w]), wanted), (prep, h, w)


class Neighbours(nn.Module):
    """What ExecuTorch has no kernels for: (N, 3, H, W) -> the same, by parts of other maps."""

    def forward(self, x):
        x = F.local_response_norm(x, 2, 0.9, 0.75, 1.5)
        moved = F.pad(x, (-1, 1, 2, -1))[:, :, 1:]
        return x + 2 * F.pad(moved, (-2, 2)) + F.pad(x, (0, 0, -3, 3))


def test_what_the_engine_lacks_is_written_otherwise():
    x = torch.randn(1, 3, 9, 8)
    program = torch.export.export(Neighbours().eval(), (x,))
    write_for_executorch(program)
    targets = {str(node.target) for node in program.graph.nodes}
    assert "aten.avg_pool2d.default" in targets and "aten.avg_pool3d.default" not in targets
    pads = [node.args[1] for node in program.graph.nodes if "pad" in str(node.target)]
    assert pads and min(map(min, pads)) >= 0
    torch.testing.assert_close(program.module()(x), Neighbours()(x), rtol=1e-6, atol=1e-6)


def test_such_a_network_is_proved_there(saved, tmp_path):
    pytest.importorskip("executorch", reason="the extra executorch is not installed")
    torch.manual_seed(0)
    norm = ShiftNorm(10, 0.1)
    head = nn.Sequential(
        nn.Conv2d(3, 10, 5), norm, nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    prep = Preprocess(3, 32, *IMAGENET, "resize", 32)
    odd = replace(saved, net=nn.Sequential(Neighbours(), head).eval(), preprocess=prep)
    assert export(odd, "executorch", tmp_path / "odd.pte")[1].agreement == 1
    assert norm.weight is None


def test_bicubic_networks_are_refused(saved):
    prep = Preprocess(3, 64, *IMAGENET, "whole", 73, interpolation="bicubic")
    with pytest.raises(ExportError, match=r"takes bicubic pictures.* --to pt2"):
        PlannedPictures(prep, nn.Identity())


def test_a_file_is_proved_and_opens(saved, exported):
    place, proof = exported
    assert proof.holds and proof.pictures == 64 and proof.precision == "f32"
    opened = open_export(place)
    assert opened.record == record_of(saved)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 40, 50, 1), dtype=np.uint8)
    logits, probabilities = opened(pictures)
    assert logits.shape == probabilities.shape == (3, 10)
    alone = np.concatenate([opened(picture[None])[0] for picture in pictures])
    np.testing.assert_array_equal(alone, logits)
    np.testing.assert_array_equal(opened(np.repeat(pictures, 3, 3))[0], logits)


def test_pictures_larger_than_memory_was_planned_for_are_refused(exported):
    opened = open_export(exported[0])
    with pytest.raises(ExportError, match=r"up to 1,024 pixels a side, not 1,025 x 3; scale them"):
        opened(np.zeros((1, LARGEST + 1, 3, 3), np.uint8))


def test_the_pages_own_lines_read_the_file(saved, exported, tmp_path, monkeypatch, capsys):
    lines = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    picture = np.random.default_rng(1).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "photo.png")
    (tmp_path / "lenet5.pte").write_bytes(exported[0].read_bytes())
    monkeypatch.chdir(tmp_path)
    exec(lines.replace("NAME", "lenet5").replace("photo.jpg", "photo.png"), {})
    wanted = open_export(exported[0])(picture[None])[0].argmax()
    assert capsys.readouterr().out.strip() == saved.classes[wanted]
