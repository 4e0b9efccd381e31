"""Code that is run in a process of its own: what goes wrong there is a sentence, soon."""

import os
import time

import pytest
from sources import SMALL, written

from convatlas.errors import IdentifyError
from convatlas.identification.running import opened
from convatlas.identification.target import Target

FORGED = """
import os
for number in range(3, 30):
    try:
        os.write(number, {line!r})
    except OSError:
        pass
os._exit(0)
"""
NEVER = """
class Never(nn.Module):
    def forward(self, x):
        raise KeyError
"""
BAD = {
    "a loop": ("while True:\n    pass", "it was not done after 1 seconds, and was ended"),
    "a sleep": ("import time\ntime.sleep(99)", "it was not done after 1 seconds"),
    "an exit": ("import sys\nsys.exit(0)", "it ends the program in line 2; put that under if"),
    "a hard exit": ("import os\nos._exit(3)", "its process ended without an answer (exit code 3)"),
    "a signal": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)",
        "its process ended without an answer (killed by signal 9)",
    ),
    "much output": ("print('x' * 30_000_000)\nraise ValueError('after')", "ValueError in line 2"),
    "an input": ("input()", "EOFError in line 1"),
    "an error": ("x = 1\nraise KeyError('boom\\x1b[2J')", "KeyError in line 2: 'boom\\x1b[2J'"),
    "an error that cannot be said": (
        "class E(Exception):\n    def __str__(self):\n        raise RuntimeError\nraise E",
        "it raises E",
    ),
    "no Python": ("x = 1\ndef f(:", "it is no Python that can be run: line 2: invalid syntax"),
    "a missing package": (
        "import nowhere_to_be_found",
        "it imports nowhere_to_be_found in line 1, which is not installed here",
    ),
    "a null byte": ("x = '\0'", "it is no Python that can be run"),
    "an answer of its own": (FORGED.format(line=b'{"found": 3}\n'), "what came back is no answer"),
    "an answer that is no JSON": (FORGED.format(line=b"[[[\n"), "what came back is no answer"),
    "a deep answer": (FORGED.format(line=b"[" * 99_999 + b"\n"), "what came back is no answer"),
    "an error of its own": (
        FORGED.format(line=b'{"error": "\x1b[31mred\\u202e"}\n'),
        "what came back is no answer",
    ),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_code_is_one_sentence(kind, tmp_path):
    source, said = BAD[kind]
    target = Target("net.py", "file", written(tmp_path, source))
    began = time.monotonic()
    limit = 1 if kind in ("a loop", "a sleep") else 60
    with opened(target, limit) as process, pytest.raises(IdentifyError) as caught:
        process.networks()
    sentence = str(caught.value)
    assert sentence.startswith("net.py: ")
    assert said in sentence
    assert "\n" not in sentence and sentence.isprintable() and len(sentence) < 1000
    assert time.monotonic() - began < 60  # what limits there are, work: this is no timing


def test_memory_is_limited(tmp_path):
    target = Target("net.py", "file", written(tmp_path, "x = bytearray(3_000_000_000)"))
    said = "it wants more memory than the 2 GB that it is given"
    with opened(target, memory=2_000_000_000) as process, pytest.raises(IdentifyError, match=said):
        process.networks()


def test_what_it_starts_ends_with_it(tmp_path):
    source = "import subprocess, sys\nsubprocess.Popen(['sleep', '987654'])\nsys.exit()"
    target = Target("net.py", "file", written(tmp_path, source))
    with opened(target) as process, pytest.raises(IdentifyError):
        process.networks()
    sleeping = [
        number
        for number in filter(str.isdecimal, os.listdir("/proc"))
        if b"987654" in _words(number)
    ]
    assert sleeping == []


def _words(number: str) -> bytes:
    try:
        with open(f"/proc/{number}/cmdline", "rb") as file:
            return file.read()
    except OSError:
        return b""


def test_a_process_that_has_left_does_not_hold_us(tmp_path):
    """It keeps our stream open, and has left its group."""
    source = "import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(20)\nos._exit(0)"
    began = time.monotonic()
    target = Target("net.py", "file", written(tmp_path, source))
    said = "its process ended without an answer"
    with opened(target, 15) as process, pytest.raises(IdentifyError, match=said):
        process.networks()
    assert time.monotonic() - began < 15


def test_good_code_gives_graphs(tmp_path):
    """All networks of a file, one after the other; what runs on no size stops no other."""
    source = (
        SMALL + "\n\nclass Never(nn.Module):\n    def forward(self, x):\n        raise KeyError\n"
    )
    with opened(Target("net.py", "file", written(tmp_path, source))) as process:
        assert process.networks() == ["five()", "seven()", "Never()"]
        assert process.passed == ("Block wants channels and more", "Pair wants first and second")
        with pytest.raises(
            IdentifyError, match=r"Never runs on no size tried \(3x32x32\); .*KeyError"
        ):
            process.traced(2, [(3, 32, 32)])
        graph, _ = process.traced(1, [])
        assert graph.size == (3, 32, 32)
        assert [node.op for node in graph.nodes] == ["input", "conv", "relu", "linear"]
        assert graph.nodes[-1].output == (7,)
        assert process.is_running
