"""Memory that is not there: said before the first step, with flags that fit, and never a library's
own words.
"""

import re
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from convatlas.errors import RunError
from convatlas.training import Recipe, memory

CPU = torch.device("cpu")
linux = pytest.mark.skipif(sys.platform != "linux", reason="/proc and limits are Linux's")


def refused_by_torch():
    torch.empty(2**50, dtype=torch.uint8)


def refused_by_numpy():
    np.empty(2**55)


def refused_by_python():
    bytearray(2**60)


@pytest.mark.parametrize("ask", [refused_by_torch, refused_by_numpy, refused_by_python])
def test_a_refusal_of_memory_is_one_sentence_with_flags(ask):
    with (
        pytest.raises(RunError, match="not enough memory for a step of 96 images; give --accum"),
        memory.explained(Recipe(batch_size=96), 96),
    ):
        ask()


@pytest.mark.parametrize(
    "text",
    ["CUDA out of memory. Tried to allocate 2 GiB", "MPS backend out of memory", "std::bad_alloc"],
)
def test_other_devices_refuse_in_other_words(text):
    recipe = Recipe(batch_size=8, accumulate=2)
    with (
        pytest.raises(RunError, match="a step of 8 images in 2 parts; give --accumulate 4 to pass"),
        memory.explained(recipe, 8),
    ):
        raise RuntimeError(text)
    with pytest.raises(RuntimeError, match="shapes"), memory.explained(recipe, 8):
        raise RuntimeError("the shapes do not fit")


@pytest.mark.parametrize(
    ("batch", "images", "fitting", "says"),
    [
        (128, 128, 64, ("--accumulate 2 ", "parts of 64 images", "--batch-size 64")),
        (128, 128, 50, ("--accumulate 3 ", "parts of 43 images", "--batch-size 50")),
        (128, 64, 32, ("--accumulate 2 ", "parts of 32 images", "--batch-size 64")),
        (128, 128, 0, ("not even one image fits: give a smaller --size or another network",)),
        (1, 1, 0, ("not even one image fits",)),
    ],
)
def test_the_remedy_fits(batch, images, fitting, says):
    text = memory.remedy(Recipe(batch_size=batch), images, fitting)
    assert all(part in text for part in says)


def test_what_this_process_has_of_a_gpu_counts_as_free(monkeypatch):
    cuda = SimpleNamespace(
        memory_reserved=lambda device: 50,
        mem_get_info=lambda device: (100, 1000),
    )
    monkeypatch.setattr(memory.torch, "cuda", cuda)
    assert memory.free(torch.device("cuda")) == 150


@linux
@pytest.mark.slow
def test_a_run_in_too_little_memory_warns_first_and_ends_in_a_sentence(tmp_path):
    """Under ulimit -v: the forecast's figures and flags, and at the end no error of torch's; and
    what the warning says is enough.
    """
    script = (
        "import resource, sys\nimport torch\nfrom convatlas.cli import run\n"
        "from convatlas import machine\nfrom convatlas.training import forecast\n"
        "forecast.PROBE = 4e8  # six images\n"
        "limit = machine._pages()[0] + int(12e8)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (limit, limit))\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )
    for name, level in (("dark", 60), ("light", 180)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for i in range(30):
            Image.new("RGB", (24, 24), (level, level, 4 * i)).save(
                tmp_path / "images" / name / f"{i}.png"
            )
    words = ["train", "mobilenet_v2_x0_35", "--data", "images", "--epochs", "1"]
    words += ["--warmup-epochs", "0"]

    def trained(*flags):
        return subprocess.run(
            [sys.executable, "-c", script, *words, *flags],
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )

    done = trained("--batch-size", "40", "--output", "all")
    assert done.returncode == 1
    warning, last = done.stderr.strip().splitlines()
    assert re.search(r"needs about [\d,]+ MB more memory, and \d+ MB are free; give", warning)
    assert "there is not enough memory for a step of 40 images; give --accumulate" in last
    assert last.partition("give")[2] == warning.partition("give")[2]
    parts = re.search(r"--accumulate (\d+)", warning)[1]
    again = trained("--batch-size", "40", "--accumulate", parts, "--output", "parts")
    assert again.returncode == 0, again.stderr
    assert again.stderr == ""
