"""A server in a process of its own, asked through sockets, and looked at from outside."""

import http.client
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path


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
