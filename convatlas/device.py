"""Where a network answers: the processor, a GPU, or a Mac's (Metal)."""

import re

import torch

from convatlas.errors import InputError
from convatlas.settings import shown

LEGAL = re.compile(r"auto|cpu|mps|cuda(?::[0-9]{1,3})?")


def usable_device(asked: str | torch.device) -> torch.device:
    """cpu, cuda, cuda:N, mps, or with "auto" the best that there is. InputError for what this
    machine does not have.
    """
    name = str(asked)
    if not isinstance(asked, str | torch.device) or not LEGAL.fullmatch(name):
        raise InputError(f"there is no device {shown(asked)}; give cpu, cuda, cuda:1, mps or auto")
    asked = name
    cuda, metal = torch.cuda.is_available(), torch.backends.mps.is_available()
    if asked == "auto":
        return torch.device("cuda" if cuda else "mps" if metal else "cpu")
    kind, _, number = asked.partition(":")
    if (kind == "cuda" and not cuda) or (kind == "mps" and not metal):
        raise InputError(
            f"this machine has no {asked} that torch can use; leave the device out to use the "
            "processor"
        )
    if kind == "cuda" and int(number or 0) >= torch.cuda.device_count():
        raise InputError(
            f"there is no {asked}, for this machine has {torch.cuda.device_count()}, counted from "
            "cuda:0"
        )
    return torch.device(kind, int(number)) if number else torch.device(kind)
