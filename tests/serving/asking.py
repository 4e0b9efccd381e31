"""A server in a process of its own, asked through sockets."""

import contextlib
import http.client
import io
import json
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

STAND_IN = Path(__file__).with_name("stand_in.py")
HEAD = "POST /predict HTTP/1.1\r\nHost: localhost\r\n"


def png(level: int = 200, side: int = 8) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), level, np.uint8)).save(file, "PNG")
    return file.getvalue()


class Running:
    """`words` are those of a command that prints its address."""

    def __init__(self, words: Sequence[object], **settings):
        command = [sys.executable, *map(str, words)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **settings)
        self.said = ""
        for line in self.process.stdout:
            self.said += line
            if found := re.search(r"listening on http://.*:(\d+)$", line):
                self.port = int(found[1])
                return
        raise AssertionError(f"it ended with {self.process.wait()}")

    def ask(self, method: str, path: str, body=None, **headers):
        """(status, headers, body)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        try:
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def predict(self, body: bytes, query: str = "", **headers):
        status, _, answer = self.ask("POST", f"/predict{query}", body, **headers)
        return status, json.loads(answer)

    def send(self, text: str | bytes) -> socket.socket:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        raw.sendall(text.encode() if isinstance(text, str) else text)
        return raw

    def metric(self, name: str) -> int:
        """The value of a line of /metrics; 0 where there is none yet."""
        for line in self.ask("GET", "/metrics")[2].decode().splitlines():
            if line.startswith(f"convatlas_{name} "):
                return int(line.split()[-1])
        return 0

    def answered(self, status: int) -> int:
        return self.metric(f'requests_total{{status="{status}"}}')

    def wait_until(self, holds) -> None:
        deadline = time.monotonic() + 20
        while not holds():
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def memory(self, name: str = "VmRSS") -> int:
        """In bytes."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return 1024 * int(re.search(rf"{name}:\s+(\d+) kB", status)[1])

    def handles(self) -> int:
        return len([*Path(f"/proc/{self.process.pid}/fd").iterdir()])

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


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
