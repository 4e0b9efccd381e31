"""Several processes of one run, with what torchrun tells each, but forked from a server that has
torch loaded.
"""

import multiprocessing
import os
import socket
from collections.abc import Callable
from pathlib import Path

import short_runs

from convatlas.training.trainer import Trainer

os.environ["TORCH_CPP_LOG_LEVEL"] = (
    "ERROR"  # as the command line does, before the server loads torch
)
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    [
        "convatlas.training.run",
        "convatlas.training.plots",
        "sklearn.datasets",
        "matplotlib.backends.backend_agg",
        "matplotlib.figure",
        "torch._dynamo",
    ]
)
SMALL = short_runs.SMALL.change(timeout=60)  # eight steps


class Ranks:
    """`work(*arguments)` in `size` processes at once."""

    def __init__(self, size: int, work: Callable, *arguments):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        pipes = [FORKS.Pipe(duplex=False) for _ in range(size)]
        self.readers = [reader for reader, _ in pipes]
        self.processes = [
            FORKS.Process(target=_rank, args=(rank, size, port, pipes[rank][1], work, arguments))
            for rank in range(size)
        ]
        for process in self.processes:
            process.start()
        for _, writer in pipes:
            writer.close()

    def results(self, within: float = 60) -> list:
        """What each returned, or the exception it raised, or the exit code of one
        that was killed.
        """
        found = []
        for process, reader in zip(self.processes, self.readers, strict=True):
            try:
                assert reader.poll(within), f"process {process.pid} hangs"
                found.append(reader.recv())
            except EOFError:
                process.join(within)
                found.append(process.exitcode)
            finally:
                if process.exitcode is None and not reader.poll(0):
                    process.join(5)
                    process.kill()
        return found


def _rank(rank: int, size: int, port: int, writer, work: Callable, arguments: tuple) -> None:
    os.environ |= {
        "RANK": str(rank),
        "WORLD_SIZE": str(size),
        "LOCAL_RANK": str(rank),
        "LOCAL_WORLD_SIZE": str(size),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(port),
    }
    try:
        found = work(*arguments)
    except Exception as error:
        found = error
    writer.send(found)


def before_step(rank: int, step: int, action: Callable[[], object]) -> None:
    """In the process of that rank, do something before the given step (from 0)."""
    real = Trainer.step

    def hooked(self, *arguments):
        if self.group.rank == rank and self.progress.step == step:
            action()
        return real(self, *arguments)

    Trainer.step = hooked


def weights(folder: Path) -> bytes:
    return (folder / "model.safetensors").read_bytes()
