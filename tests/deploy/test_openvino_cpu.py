"""A process that has used OpenVINO still takes signals."""

import subprocess
import sys

import pytest
from skips import needs

pytestmark = [
    needs("the extra openvino is not installed", "openvino"),
    pytest.mark.skipif(sys.platform != "linux", reason="Linux has such stacks"),
]
SCRIPT = """
import ctypes, os, signal
import numpy as np
import openvino as ov
from openvino import opset13
from convatlas.deploy.openvino_cpu import compiled

def stack():
    words = (ctypes.c_size_t * 3)()
    ctypes.CDLL(None).sigaltstack(None, words)
    return [*words]

before = stack()
signal.signal(signal.SIGINT, lambda number, frame: print("stopped"))
values = opset13.parameter([1, 3], np.float32)
network = compiled(ov, ov.Model([opset13.relu(values)], [values]), {})
assert network(np.ones((1, 3), np.float32))[0].sum() == 3
assert stack() == before, "signals are taken on OpenVINO's stack, which goes with its model"
del network
os.kill(os.getpid(), signal.SIGINT)
"""


def test_signals_are_taken_where_they_were_before():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "stopped\n"), done.stderr
