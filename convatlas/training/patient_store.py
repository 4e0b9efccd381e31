"""The processes' common store, asked with patience that ends. torch's own calls wait for the answer
of a host whose cable is out until the system gives the connection up, a quarter of an hour.
"""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

import torch.distributed as dist

T = TypeVar("T")


class PatientStore:
    """What is asked of `store`, each within `seconds`. Raises dist.DistStoreError where there is no
    answer, then at once every time: the call that waits holds the connection.
    """

    def __init__(self, store: dist.Store, seconds: float):
        self.store, self.seconds = store, seconds
        self.is_lost = False

    def set(self, key: str, value: str) -> None:
        self._asked(lambda: self.store.set(key, value))

    def get(self, key: str) -> bytes:
        return self._asked(lambda: self.store.get(key))

    def check(self, keys: Sequence[str]) -> bool:
        return self._asked(lambda: self.store.check(list(keys)))

    def add(self, key: str, amount: int) -> int:
        return self._asked(lambda: self.store.add(key, amount))

    def _asked(self, call: Callable[[], T]) -> T:
        answer: list[T] = []
        errors: list[Exception] = []

        def ask() -> None:
            try:
                answer.append(call())
            except Exception as error:
                errors.append(error)

        if not self.is_lost:
            thread = threading.Thread(target=ask, daemon=True)  # nobody waits for it at the end
            thread.start()
            thread.join(self.seconds)
        if errors:
            raise errors[0]
        if not answer:
            self.is_lost = True
            raise dist.DistStoreError(f"no answer from the store within {self.seconds:g} s")
        return answer[0]
