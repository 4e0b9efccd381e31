"""Many runs that belong together: a plan of them, whoever carries it out, and what is chosen by
validation before the test images are looked at.

What belongs here: study folders and executors. What a run is does not (training), nor what is
reported of it (reporting). Names are looked up on first use.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convatlas.study.comparing import compare

_HOMES = {"compare": "comparing"}
__all__ = ["compare"]


if not TYPE_CHECKING:

    def __getattr__(name: str):
        if name not in _HOMES:
            raise AttributeError(f"module 'convatlas.study' has no attribute {name!r}")
        return getattr(importlib.import_module(f"convatlas.study.{_HOMES[name]}"), name)
