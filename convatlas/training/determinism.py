"""The same bits each time on a GPU, as far as torch has kernels for it; the processor's always
are.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from convatlas.errors import RunError

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"  # cuBLAS repeats its sums only with a workspace of its own
REFUSAL = "does not have a deterministic implementation"  # as torch says it


@contextmanager
def deterministic(wanted: bool, device_type: str) -> Iterator[None]:
    """With `wanted`, only kernels that repeat to the bit, until the end; then all is as before.

    To be entered before the first call to the GPU. RunError, naming the operation, for one that
    torch cannot repeat.
    """
    if not wanted or device_type == "cpu":
        yield
        return
    before = _settings()
    workspace = os.environ.get(WORKSPACE)
    os.environ.setdefault(WORKSPACE, ":4096:8")
    _set(True, False, True, False)
    try:
        yield
    except RuntimeError as error:
        if REFUSAL not in str(error):
            raise
        raise RunError(
            f"torch cannot repeat {str(error).partition(REFUSAL)[0].strip()} to the bit on "
            f"{device_type}; leave deterministic out, or train on the processor with --device cpu"
        ) from error
    finally:
        _set(*before)
        if workspace is None:
            os.environ.pop(WORKSPACE, None)


def _settings() -> tuple[bool, bool, bool, bool]:
    return (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.backends.cudnn.deterministic,
        torch.backends.cudnn.benchmark,
    )


def _set(algorithms: bool, warn_only: bool, cudnn: bool, benchmark: bool) -> None:
    torch.use_deterministic_algorithms(algorithms, warn_only=warn_only)
    torch.backends.cudnn.deterministic = cudnn
    torch.backends.cudnn.benchmark = benchmark
