"""What has to be said beside a pass's figures: what they are without."""

import torch.nn as nn
from torch import Tensor
from torch.nn.parameter import is_lazy

READING = ("_local_scalar_dense", "equal", "is_nonzero")


class Remarks:
    """Gathered while a network runs."""

    def __init__(self, net: nn.Module):
        self.net = net
        self.lost = False  # nothing in the output is known to come from the input
        self.uncounted: dict[str, list[str]] = {}  # operation -> the modules that ran it
        self._registered = {id(p) for p in net.parameters()}
        self._others: dict[int, Tensor] = {}
        self._packed: dict[int, int] = {}
        self._decides = False

    def read(
        self, func, named: dict, inputs: list[Tensor], depends: bool, uncounted: str | None
    ) -> None:
        """One operation; `uncounted` is the path of the module that runs it, where its work is not
        known.
        """
        if uncounted is not None:
            self.uncounted.setdefault(str(func.overloadpacket), []).append(uncounted)
        self._decides |= depends and func.overloadpacket.__name__ in READING
        for t in inputs:
            if isinstance(t, nn.Parameter) and id(t) not in self._registered:
                self._others[id(t)] = t
        if func.namespace == "quantized":
            for value in named.values():
                if hasattr(value, "unpack"):
                    self._packed[id(value)] = value.unpack()[0].numel()

    def told(self) -> list[str]:
        """One sentence each."""
        others = sum(t.numel() for t in self._others.values())
        packed = sum(self._packed.values())
        lazy = [name for name, p in self.net.named_parameters() if is_lazy(p)]
        sentences = {
            f"{others:,} weights belong to no registered module, as in a plain list, and are not "
            "among the parameters": others,
            f"{packed:,} quantised weights are packed away, and not among the parameters": packed,
            f"without {', '.join(lazy)}: lazy, and never run, so of no size": lazy,
            "values are read into Python (.item(), if): what they decide is not followed in depth "
            "and receptive fields": self._decides,
            "nothing in the output is known to come from the input: its depth and receptive field "
            "are not known": self.lost,
        }
        return [sentence for sentence, holds in sentences.items() if holds]
