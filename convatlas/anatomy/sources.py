"""Which box each tensor of a pass comes from, where tensors are views of one storage too."""

from typing import NamedTuple

from torch import Tensor
from torch.utils.weak import WeakTensorKeyDictionary

from convatlas.anatomy.storages import Storages


class Draft:
    """A box while the pass runs: it may still become part of another one."""

    def __init__(self, name: str, kind: str, reads: list["Draft"], output: tuple[int, ...]):
        self.name = name
        self.kind = kind
        self.reads = reads
        self.output = output
        self.row: int | None = None
        self.owner: object = None  # the call of a layer whose weights it reads
        self.into: Draft | None = None

    @property
    def final(self) -> "Draft":
        """The box that it has become."""
        draft = self
        while draft.into is not None:
            draft = draft.into
        return draft


class Content(NamedTuple):
    """What a storage holds."""

    times: int  # how often it has been written since it was made
    draft: Draft | None  # None: nothing that depends on the input


class Sources:
    """By tensor. One that is older than the last write into its storage may hold all of it."""

    def __init__(self):
        self._kept = WeakTensorKeyDictionary()  # (draft, how often its storage had been written)
        self._contents: Storages[Content] = Storages()

    def get(self, t: Tensor) -> Draft | None:
        """The box that made `t`; None where it does not depend on the input."""
        draft, times = self._kept.get(t, (None, 0))
        content = self._contents.get(t)
        if content and content.times and content.times != times:
            draft = content.draft
        return draft and draft.final

    def put(self, t: Tensor, draft: Draft) -> None:
        """Of a new tensor, or of one that a layer hands on."""
        content = self._contents.get(t)
        if content is None:
            self._contents.put(t, Content(0, draft))
        self._kept[t] = (draft, content.times if content else 0)

    def write(self, t: Tensor, draft: Draft, all_of_it: Draft) -> None:
        """Of a tensor that existed before; `all_of_it` is what its storage holds now."""
        before = self._contents.get(t)
        self._contents.put(t, Content(before.times + 1 if before else 1, all_of_it))
        self.put(t, draft)

    def around(self, t: Tensor) -> Draft | None:
        """What the storage of `t` holds, of which `t` is a part."""
        content = self._contents.get(t)
        return content.draft and content.draft.final if content else None


def is_part(t: Tensor) -> bool:
    """Whether a storage holds more than this tensor."""
    try:
        return t.numel() * t.element_size() < t.untyped_storage().nbytes()
    except (NotImplementedError, RuntimeError):
        return False
