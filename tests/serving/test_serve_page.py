"""docs/ship/serve.md keeps its word: every command is run, and every limit is that of the code."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from skips import needs

from benchmarks.asking import Running
from convatlas.cli import app
from convatlas.deploy.engines import proof_path
from convatlas.serving import line, protocol
from convatlas.serving.guards import Guard

pytestmark = [
    needs(
        "the extras serve, onnx and openvino are not installed",
        "starlette",
        "uvicorn",
        "onnx",
        "onnxscript",
        "onnxruntime",
        "openvino",
    ),
    pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed"),
]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "ship" / "serve.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^    .*\n(?:    .*\n|\n(?=    ))*", PAGE, re.MULTILINE)
COMMANDS = [
    text.strip().partition("  #")[0]
    for block in BLOCKS
    for text in block.splitlines()
    if re.match(r"    (convatlas|curl|export) ", text)
]


@pytest.fixture
def folder(run, files, tmp_path, monkeypatch):
    """Where a reader types: a run, a photograph, and another file; the command on the path."""
    (tmp_path / "runs").mkdir()
    shutil.copytree(run, tmp_path / "runs" / "mine")
    Image.new("RGB", (60, 50), (9, 99, 200)).save(tmp_path / "photo.jpg")
    command = tmp_path / "bin" / "convatlas"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m convatlas "$@"\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("CONVATLAS_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    copied(files[1], tmp_path / "other.xml")
    return tmp_path


def copied(file: Path, to: Path) -> None:
    """With what belongs to it."""
    shutil.copy(file, to)
    shutil.copy(proof_path(file), proof_path(to))
    if file.suffix == ".xml":
        shutil.copy(file.with_suffix(".bin"), to.with_suffix(".bin"))


def answer(command: str, server: Running | None) -> str:
    if server:
        command = command.replace(":8000", f":{server.port}")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    return done.stdout


def test_every_command_that_is_shown_works(folder, monkeypatch):
    server, answers = None, []
    assert len(COMMANDS) == 9
    try:
        for command in COMMANDS:
            if command.startswith("convatlas serve"):
                if server:
                    server.close()
                server = Running(["-m", *command.split(), "--port", "0"])
            elif command.startswith("export "):
                name, _, value = command.removeprefix("export ").partition("=")
                monkeypatch.setenv(name, answer(f"echo {value}", None).strip())
            elif command.startswith("curl"):
                answers.append(json.loads(answer(command, server)))
            else:
                answer(command, None)
    finally:
        server.close()
    first, other, with_token = answers
    assert {*first} == {*json.loads(next(one for one in BLOCKS if one.strip()[0] == "{"))}
    assert (first["model"], len(first["classes"])) == ("mine", 5)
    assert (other["model"], len(other["classes"])) == ("other", 1)
    assert with_token == first


def test_the_client_that_is_shown_works(folder, files):
    pytest.importorskip("tritonclient.http", reason="tritonclient is not installed")
    (program,) = [one for one in BLOCKS if one.startswith("    import")]
    copied(files[0], folder / "mine.onnx")
    server = Running(["-m", "convatlas", "serve", "mine.onnx", "--port", "0"])
    try:
        program = re.sub("^    ", "", program, flags=re.MULTILINE)
        program = program.replace(":8000", f":{server.port}")
        done = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True
        )
    finally:
        server.close()
    assert done.stdout.startswith("[[") and len(done.stdout.split()) == 10


def test_the_limits_are_those_of_the_code():
    from convatlas.serving.app import DECODERS, Limits
    from convatlas.serving.running import (
        DRAIN_SECONDS,
        HEADER_SECONDS,
        IDLE_SECONDS,
        LARGEST_HEADER,
    )

    usual = Limits()
    stated = [
        f"| {usual.body_bytes // 1_000_000} MB (`--max-megabytes`), read in "
        f"{usual.body_seconds:.0f} s |",
        f"| {protocol.LARGEST_JSON // 1_000_000} MB; pictures as binary",
        f"| {usual.megapixels} megapixels (`--max-megapixels`), {protocol.LARGEST_BATCH} pictures",
        f"| {2 * usual.megapixels} megapixels; {DECODERS} are decoded at once |",
        f"| {usual.places} (`--places`) | 503 with `Retry-After: {line.RETRY_AFTER}` |",
        f"| {LARGEST_HEADER // 1024} kB, within {HEADER_SECONDS:.0f} s |",
        f"| idle connection | {IDLE_SECONDS} s |",
        f"| an answer that is not read on | {HEADER_SECONDS:.0f} s |",
        f"| {DRAIN_SECONDS} s | exit 0",
        f"up to {line.LARGEST_BATCH} in a batch",
    ]
    for one in stated:
        assert one in PAGE


def test_nginx_as_shown_is_let_in():
    from convatlas.serving.app import Limits

    (shown,) = [one for one in BLOCKS if "proxy_pass" in one]
    (host,) = re.findall(r"proxy_pass http://(.+)/;", shown)
    Guard("127.0.0.1", "").check("/predict", [(b"host", host.encode())])
    assert f"client_max_body_size {Limits().body_bytes // 1_000_000}m;" in shown


def test_the_service_as_shown_starts_and_stops(tmp_path):
    from convatlas.serving.running import DRAIN_SECONDS

    (unit,) = [one for one in BLOCKS if "[Service]" in one]
    unit = re.sub("^    ", "", unit, flags=re.MULTILINE)
    words = re.search("ExecStart=(.+)", unit)[1].split()
    function, bound, *_ = app.parse_args(words[1:], exit_on_error=False, print_error=False)
    assert function.__name__ == "serve" and bound.kwargs == {"port": 8000}
    assert int(re.search("TimeoutStopSec=(.+)", unit)[1]) > DRAIN_SECONDS
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    file = tmp_path / "convatlas.service"
    file.write_text(unit.replace(words[0], sys.executable))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(file)], capture_output=True, text=True, check=False
    )
    assert "convatlas.service" not in done.stderr
