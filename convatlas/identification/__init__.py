"""Is this the network of the paper? Anybody's module, file of code, ONNX graph or checkpoint,
beside the networks of the atlas: which one it is, or which it is nearest to and what differs.

Names are looked up on first use, so that a wrong word on the command line costs no torch.
"""

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from convatlas.identification.verdict import Verdict, identify

_HOMES = {"Verdict": "verdict", "identify": "verdict"}
__all__ = ["Verdict", "identify"]


if not TYPE_CHECKING:

    def __getattr__(name: str):
        if name not in _HOMES:
            raise AttributeError(f"module 'convatlas.identification' has no attribute {name!r}")
        return getattr(importlib.import_module(f"convatlas.identification.{_HOMES[name]}"), name)
