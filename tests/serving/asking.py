"""Stand-ins for a server with a network, and what is sent to them."""

import contextlib
import io
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from skips import needs

from benchmarks.asking import Running

NEEDS_SERVE = needs("the extra serve is not installed", "starlette", "uvicorn")

STAND_IN = Path(__file__).with_name("stand_in.py")
HEAD = "POST /predict HTTP/1.1\r\nHost: localhost\r\n"


def png(level: int = 200, side: int = 8) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), level, np.uint8)).save(file, "PNG")
    return file.getvalue()


@contextlib.contextmanager
def stand_in(seconds: float = 0, places: int = 64, drain: int = 8) -> Iterator[Running]:
    running = Running([STAND_IN, seconds, places, drain])
    try:
        yield running
    finally:
        running.close()


def everything(raw: socket.socket) -> bytes:
    with raw:
        return b"".join(iter(lambda: raw.recv(65536), b""))


def together(count: int, ask) -> list:
    found = []
    threads = [threading.Thread(target=lambda: found.append(ask())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found
