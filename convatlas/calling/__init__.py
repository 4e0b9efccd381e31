"""How anybody's module is run once, to be looked at: what it is called on, on which copy of it, and
what is said where it does not run.

Functions of any torch.nn.Module; nothing of ours.
"""

from convatlas.calling.given import Given, class_of, given, module_of, name_of, tensors_in
from convatlas.calling.running import Pass, watched

__all__ = [
    "Given",
    "Pass",
    "class_of",
    "given",
    "module_of",
    "name_of",
    "tensors_in",
    "watched",
]
