"""What every test relies on: one thread a process, for two test processes share two cores."""

import gc
import os
import signal
from functools import partial

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is loaded

import pytest
import torch
import torch.nn as nn
from browser import chromium, serve, tab  # noqa: F401  fixtures of every test of a page
from skips import skipped_in_vain
from xdist.scheduler import LoadScopeScheduling

from convatlas.registry import stored_facts


class ByNetwork(LoadScopeScheduling):
    """All tests of a network run in one process, which builds and measures it once; every other
    test where those of its file run, whose fixtures are made once. So do those of pages: each time
    that one file's tests follow another's, a browser is started anew.
    """

    def _split_scope(self, nodeid: str) -> str:
        file, _, rest = nodeid.partition("::")
        if "/explorer/" in file:
            return file
        parameters = rest.partition("[")[2].removesuffix("]").split("-")
        return next((each for each in parameters if each in stored_facts()), file)


def pytest_addoption(parser):
    parser.addoption(
        "--installed",
        metavar="WORDS",
        default="",
        help="packages and extras, a,b: a test skipped because one is not installed is a failure",
    )


def _in_vain(config) -> list[str]:
    reporter = config.pluginmanager.get_plugin("terminalreporter")  # none in a worker of xdist
    skips = reporter.stats.get("skipped", []) if reporter else []
    return skipped_in_vain(skips, config.getoption("--installed"))


def pytest_sessionfinish(session, exitstatus):
    if exitstatus == pytest.ExitCode.OK and _in_vain(session.config):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter):
    for reason in _in_vain(terminalreporter.config):
        terminalreporter.write_line(f"SKIPPED, which fails here: {reason}", red=True)


def pytest_xdist_make_scheduler(config, log):
    """xdist's own --dist=loadgroup does nothing under pytest 9.2 (xdist 3.8 writes the group into a
    field that pytest no longer reads).
    """
    return ByNetwork(config, log)


def pytest_collection_finish(session):
    """The collector of cycles leaves alone what stays until the end, fifteen thousand tests."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 5, 5)


def with_room(call, /, **arguments):
    """Calls within one large piece of Python's stack of frames. Python takes it in pieces of 16 kB,
    and gives each back at once: where the calls of a loop cross into the next piece, every one of
    them asks the system for memory. That took more than a third of the time of some tests.
    """
    __tracebackhide__ = True
    return call(**arguments)


with_room.__code__ = with_room.__code__.replace(co_stacksize=17_000)  # words: a piece of 256 kB


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    pyfuncitem.obj = partial(with_room, pyfuncitem.obj)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """No test reads or writes what belongs to the person who runs it."""
    os.environ["XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def randomised():
    """A function that makes every weight and statistic of a network matter, for images like `x`,
    and freezes it.

    Statistics are those of `x`, shaken: with any others signals fade on the way, and all images get
    one answer.
    """

    def fill(net: nn.Module, x: torch.Tensor, seed: int = 0) -> nn.Module:
        dice = torch.Generator().manual_seed(seed)
        norms = [
            module
            for module in net.eval().modules()
            if isinstance(module, nn.modules.batchnorm._BatchNorm)
        ]
        for norm in norms:
            norm.momentum = 1.0
            norm.train()
            if norm.affine:
                norm.weight.data.copy_(
                    torch.randn(norm.num_features, generator=dice) * 0.5 + 1
                )  # a few below zero
                norm.bias.data.copy_(torch.randn(norm.num_features, generator=dice) * 0.1)
        with torch.no_grad():
            for module in net.modules():  # layer norms, and scales that start near zero
                if not isinstance(module, nn.Conv2d | nn.Linear | nn.modules.batchnorm._BatchNorm):
                    for parameter in module.parameters(recurse=False):
                        parameter.uniform_(0.5, 1.5, generator=dice)
            net(x)
        for norm in norms:
            norm.running_mean.mul_(1 + 0.1 * torch.randn(norm.num_features, generator=dice))
            norm.running_var.mul_(0.8 + 0.4 * torch.rand(norm.num_features, generator=dice))
        return net.eval()

    return fill


@pytest.fixture(scope="session", autouse=True)
def signals_as_from_a_terminal():
    """Whoever starts the tests behind nohup, or with & from a script, has these ignored, and so
    would have every process that the tests start.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
