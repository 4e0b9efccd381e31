"""ExecuTorch files: the network by XNNPACK, its pictures by ExecuTorch's own operators.

One picture at a time: in ExecuTorch 1.5.1 a program of LeNet-5 for batches fails where the batch is
not the one that it was made with. The engine here goes through a batch picture by picture.
"""

import contextlib
import json
import os
import re
import signal
import struct
import subprocess
import sys
import tempfile
import weakref
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO, NoReturn

import numpy as np

from convatlas.deploy.engines import Kind, Opened, needed
from convatlas.deploy.record import KEY, Record
from convatlas.errors import ExportError

METHOD = "forward"
MISSING = re.compile(rb"kernel '([\w:.]+)' not found")  # a line of the engine's own
SAID = 65_536  # bytes of what it says last that are searched
START = """import json, sys
sys.path[:] = json.loads(sys.argv[1])
from convatlas.deploy.executorch import serve
serve(*sys.argv[2:])"""


def write_executorch(saved, path: Path) -> None:
    exir = needed("executorch.exir", "executorch", "--to executorch")
    xnnpack = needed(
        "executorch.backends.xnnpack.partition.xnnpack_partitioner",
        "executorch",
        "--to executorch",
    )
    import torch

    from convatlas.deploy.executorch_graph import with_scales, write_for_executorch
    from convatlas.deploy.network_graph import Answers, quiet, write_plainly
    from convatlas.deploy.planned_pictures import LARGEST, PlannedPictures
    from convatlas.deploy.writers import record_of

    sides = {axis: torch.export.Dim(f"side{axis}", max=LARGEST) for axis in (1, 2)}
    one = torch.zeros(1, 45, 37, 3, dtype=torch.uint8)
    with quiet():
        program = torch.export.export(
            PlannedPictures(saved.preprocess, Answers(with_scales(saved.net))).eval(),
            (one,),
            dynamic_shapes=(sides,),
        )
        write_plainly(program)
        write_for_executorch(program)
        lowered = exir.to_edge_transform_and_lower(
            program,
            partitioner=[xnnpack.XnnpackPartitioner()],
            constant_methods={KEY: record_of(saved).to_json()},
        )
        content = lowered.to_executorch().buffer
    path.write_bytes(content)


def open_executorch(path: Path, kind: Kind, precision: str | None, threads: int | None) -> Opened:
    """In a process of its own: a fault in the engine's machine code would end this one."""
    needed("executorch.runtime", kind.extra, f"{path.name}")
    from convatlas.deploy.planned_pictures import LARGEST

    engine = Engine(path, threads)
    record = Record.from_json(engine.read().decode(), str(path))

    def run(pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        three = np.broadcast_to(pictures, (*pictures.shape[:3], 3))
        found = np.stack([engine.answers(picture) for picture in three])
        return found[:, 0], found[:, 1]

    return Opened(record, f"executorch {version(kind.package)}", "f32", run, longest=LARGEST)


class Engine:
    """The process: pictures go in and answers come out, each as its length and its bytes."""

    def __init__(self, path: Path, threads: int | None):
        self.path = path
        self.said = tempfile.TemporaryFile()  # noqa: SIM115, it lives as long as the process
        words = [json.dumps(sys.path), str(path), str(threads or 0)]
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", START, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.said,
        )
        weakref.finalize(self, _end, self.process)

    def answers(self, picture: np.ndarray) -> np.ndarray:
        """uint8 (H, W, 3) -> float32 (2, classes): logits and probabilities."""
        try:
            send(self.process.stdin, struct.pack("<2I", *picture.shape[:2]) + picture.tobytes())
        except OSError:
            self.refuse()
        return np.frombuffer(self.read(), np.float32).reshape(2, -1)

    def read(self) -> bytes:
        content = receive(self.process.stdout)
        return self.refuse() if content is None else content

    def refuse(self) -> NoReturn:
        code = self.process.wait()
        how = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        self.said.seek(max(0, self.said.seek(0, os.SEEK_END) - SAID))
        lacking = sorted({name.decode() for name in MISSING.findall(self.said.read())})
        why = f", for it has no {' and no '.join(lacking)}," if lacking else ""
        raise ExportError(
            f"ExecuTorch ended with {how}{why} on {self.path.name}; choose another engine with --to"
        )


def _end(process: subprocess.Popen) -> None:
    with contextlib.suppress(OSError):  # of one that died with a picture in the pipe
        process.stdin.close()
    process.wait()
    process.stdout.close()


def send(pipe: BinaryIO, content: bytes) -> None:
    pipe.write(struct.pack("<Q", len(content)) + content)
    pipe.flush()


def receive(pipe: BinaryIO) -> bytes | None:
    """None at the end."""
    begin = pipe.read(8)
    if len(begin) < 8:
        return None
    (length,) = struct.unpack("<Q", begin)
    content = pipe.read(length)
    return content if len(content) == length else None


def serve(path: str, threads: str) -> None:
    """What the process does, until its input ends."""
    import torch
    from executorch.extension.pybindings.portable_lib import _unsafe_reset_threadpool
    from executorch.runtime import Runtime

    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # the engine's own lines
    if int(threads):
        _unsafe_reset_threadpool(int(threads))
    # from memory: of a file, 1.5.1 frees constants that it still reads (pytorch/executorch #21480)
    program = Runtime.get().load_program(Path(path).read_bytes())
    known = KEY in program.method_names
    send(answers, program.load_method(KEY).execute([])[0].encode() if known else b"")
    method = program.load_method(METHOD)
    while (content := receive(sys.stdin.buffer)) is not None:
        h, w = struct.unpack_from("<2I", content)
        pixels = torch.from_numpy(np.frombuffer(content, np.uint8, offset=8).copy())
        found = method.execute([pixels.view(1, h, w, 3)])
        send(answers, torch.cat(found).numpy().tobytes())
