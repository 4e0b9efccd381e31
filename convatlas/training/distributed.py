"""The processes of one run. torchrun starts them; here they agree. One process alone agrees with
itself at no cost.
"""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

from convatlas.data.neighbours import beside
from convatlas.errors import ProcessLost, RunError, first_line
from convatlas.training import torchrun
from convatlas.training.meeting import Elsewhere, Meeting, living, tell_failure
from convatlas.training.patient_store import PatientStore
from convatlas.training.signals import StopRequest

T = TypeVar("T")
ROLL_CALL = 5.0  # seconds in which every process that lives signs, once the connection has failed
BROKEN = (
    "gloo",
    "NCCL",
    "pair closure",
    "Connection",
    "timed out",
    "Timed out",
)  # gloo raises plain RuntimeErrors
LAUNCHER_GRACE = 5.0  # a signal that comes again so soon was passed on by the launcher


class ProcessGroup:
    """Process `rank` of `size`; rank 0 alone writes and prints.

    Whether to stop is known here: `stop` hears this process's signals once it is entered, and the
    processes tell each other with each step's sum.
    """

    def __init__(
        self,
        rank: int = 0,
        size: int = 1,
        store: dist.Store | None = None,
        timeout: float = 600.0,
        stop: StopRequest | None = None,
    ):
        self.rank, self.size, self.store, self.timeout = rank, size, store, timeout
        process = torchrun.launched()
        self.local_rank = process.local_rank if process else rank
        self.restarts = process.restarts if process else 0
        self.neighbours = process.neighbours if process else 1  # processes of this machine
        self.stop = stop or StopRequest()
        self._one_was_asked = False
        self.machine, self.everyone = self._meetings(self.neighbours)

    def _meetings(self, count: int) -> tuple[Meeting | None, Meeting | None]:
        """(of the `count` processes of this machine, whose ranks are neighbours; of all)."""
        if self.store is None or self.size == 1:
            return None, None
        corner = dist.PrefixStore(f"prepare{self.restarts}", self.store)
        first = self.rank - self.local_rank
        machine, everyone = range(first, first + count), range(self.size)
        here = count > 1 and first >= 0 and self.rank in machine and machine[-1] < self.size
        return (
            Meeting(corner, f"at{first}", machine, self.rank, self.timeout) if here else None,
            Meeting(corner, "all", everyone, self.rank, self.timeout),
        )

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """Within it, processes may take as long as they need, and decode together what is decoded
        whole on one machine; they leave it together.
        """
        if self.everyone is None:
            yield
            return
        with self.watched(), living(self.everyone.store, self.rank), beside(self.machine):
            yield
            self.everyone.say("")

    @property
    def is_first(self) -> bool:
        return self.rank == 0

    @property
    def stopping(self) -> bool:
        """Whether a process was asked to stop: with several, as they agreed in their last sum."""
        return self._one_was_asked if self.size > 1 else bool(self.stop.name)

    @property
    def stopped_by(self) -> str:
        """The signal that this process got, or that another one got it."""
        return self.stop.name or "a signal to another process"

    def sum(self, values: list[float], step: int) -> list[float]:
        """The sums over all processes, in float64, of what step `step` found in each."""
        if self.size == 1:
            return values
        total = torch.tensor([*values, float(bool(self.stop.name))], dtype=torch.float64)
        with self.watched(step):
            dist.all_reduce(total)
        *values, asked = total.tolist()
        self._one_was_asked = asked > 0
        return values

    def greatest(self, values: list[float]) -> list[float]:
        """Each one's maximum over all processes, in float64."""
        if self.size == 1:
            return values
        greatest = torch.tensor(values, dtype=torch.float64)
        with self.watched():
            dist.all_reduce(greatest, dist.ReduceOp.MAX)
        return greatest.tolist()

    def sum_counts(self, counts: Tensor) -> Tensor:
        """The sums over all processes of an int64 tensor."""
        if self.size > 1:
            with self.watched():
                dist.all_reduce(counts)
        return counts

    def join_rows(self, rows: Tensor) -> Tensor:
        """The rows of all processes, one after the other by their ranks: int64 (n, ...)."""
        sizes = torch.zeros(self.size, dtype=torch.int64)
        sizes[self.rank] = len(rows)
        ends = self.sum_counts(sizes).cumsum(0)
        whole = rows.new_zeros(int(ends[-1]), *rows.shape[1:])
        whole[ends[self.rank] - len(rows) : ends[self.rank]] = rows
        return self.sum_counts(whole)

    def together(self, work: Callable[[], T]) -> T:
        """Every process does the work. Where one fails all fail; it alone says why, the others'
        RunErrors are quiet.
        """
        if self.size == 1:
            return work()
        result, error = None, None
        try:
            result = work()
        except Exception as caught:
            error = caught
            tell_failure(self.everyone.store if self.everyone else None)
        failures: list = [None] * self.size
        said = "" if isinstance(error, Elsewhere) else error and str(error)
        try:
            with self.watched():
                dist.all_gather_object(failures, said)
        except ProcessLost:
            if said:  # others may be at work for longer than anybody waits
                raise error from None
            raise
        failed = next((rank for rank, failure in enumerate(failures) if failure), None)
        if failed is None:
            failed = next((rank for rank, said in enumerate(failures) if said is not None), None)
        if failed is None:
            return result
        if failed == self.rank:
            raise error
        raise RunError(f"process {failed}: {failures[failed]}", quiet=True) from error

    def from_first(self, work: Callable[[], T]) -> T:
        """What rank 0 finds, given to all."""
        box = [self.together(lambda: work() if self.is_first else None)]
        if self.size > 1:
            with self.watched():
                dist.broadcast_object_list(box)
        return box[0]

    def remembered(self, what: str, make: Callable[[], str]) -> str:
        """What rank 0 made when the processes were first started: the same for all, and after a
        restart.
        """
        if self.store is None:
            return make()
        key = f"convatlas/{what}"  # outside the corner of this start
        if self.is_first and not self.store.check([key]):
            self.store.set(key, make())
        return self.store.get(key).decode()

    def share_buffers(self, net: nn.Module) -> None:
        """Rank 0's running statistics for all: those that are saved are those that are measured."""
        if self.size > 1:
            with self.watched():
                for buffer in net.buffers():
                    dist.broadcast(buffer, 0)

    def joined(self, net: nn.Module) -> nn.Module:
        """The network with its gradients averaged over all processes, and rank 0's weights in each.

        Buckets are rebuilt after the first backward pass unless parameters may be unused; three
        processes would then add in another order after a resume (resnet20_cifar's bits differed).
        """
        if self.size == 1:
            return net
        with self.watched():
            return nn.parallel.DistributedDataParallel(net, find_unused_parameters=True)

    def averaging(self, net: nn.Module, last: bool):
        """A context in which gradients stay here unless `last`: those of an accumulated batch are
        sent once.
        """
        return nullcontext() if self.size == 1 or last else net.no_sync()

    @contextmanager
    def watched(self, step: int | None = None) -> Iterator[None]:
        """Turns a broken connection into a ProcessLost that names who is missing, and the step."""
        try:
            yield
        except RuntimeError as error:
            if not isinstance(error, dist.DistError) and not any(
                word in str(error) for word in BROKEN
            ):
                raise
            raise self._lost(step) from error

    def _lost(self, step: int | None) -> ProcessLost:
        """Whoever lives signs in the store; the others are named."""
        missing, until = set(range(self.size)), time.monotonic() + ROLL_CALL
        store = PatientStore(self.store, ROLL_CALL)
        try:
            store.set(f"alive/{self.restarts}/{self.rank}", "")
            while missing and time.monotonic() < until:
                missing = {
                    rank for rank in missing if not store.check([f"alive/{self.restarts}/{rank}"])
                }
                time.sleep(0.05)
        except (RuntimeError, OSError):
            missing = {0}  # it holds the store
        who = f"process {' and '.join(map(str, sorted(missing)))}" if missing else "the connection"
        where = "" if step is None else f", at step {step}"
        return ProcessLost(
            f"{who} of {self.size} was lost, or did not answer within {self.timeout:g} s{where}; "
            "the checkpoints are intact: start all processes again with --resume"
        )


@contextmanager
def process_group(timeout: float, device_type: str) -> Iterator[ProcessGroup]:
    """The processes that torchrun started, or this one alone. Raises RunError when they do not find
    each other.

    Every restart has its own corner of the store: a restarted process would else read the address
    of a dead one.
    """
    process = torchrun.launched()
    if process is None:
        grace = LAUNCHER_GRACE if torchrun.is_of_slurm() else 0.0
        yield ProcessGroup(timeout=timeout, stop=StopRequest(grace))
        return
    rank, size, wait = process.rank, process.size, timedelta(seconds=timeout)
    hosted = os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True"
    address, port = process.address, process.port
    try:
        store = dist.TCPStore(address, port, size, is_master=rank == 0 and not hosted, timeout=wait)
        corner = dist.PrefixStore(f"try{process.restarts}", store)
        backend = "cpu:gloo,cuda:nccl" if device_type == "cuda" else "gloo"
        dist.init_process_group(backend, store=corner, rank=rank, world_size=size, timeout=wait)
    except RuntimeError as error:
        raise RunError(
            f"process {rank} of {size} did not find the others at {address}:{port} within "
            f"{timeout:g} s ({first_line(error)})"
        ) from error
    try:
        yield ProcessGroup(rank, size, store, timeout, StopRequest(LAUNCHER_GRACE))
    finally:
        dist.destroy_process_group()
