"""A server in a process of its own, asked through sockets as clients, and enemies, do."""

import contextlib
import http.client
import io
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("starlette", reason="the extra serve is not installed")
pytest.importorskip("uvicorn", reason="the extra serve is not installed")

STAND_IN = Path(__file__).with_name("stand_in.py")
HEAD = "POST /predict HTTP/1.1\r\nHost: localhost\r\n"


def png(level: int = 200, side: int = 8) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((side, side, 3), level, np.uint8)).save(file, "PNG")
    return file.getvalue()


class Running:
    def __init__(self, seconds: float = 0, places: int = 64):
        self.process = subprocess.Popen(
            [sys.executable, str(STAND_IN), str(seconds), str(places)], stdout=subprocess.PIPE
        )
        self.port = int(self.process.stdout.readline())

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

    def send(self, text: str) -> socket.socket:
        raw = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        raw.sendall(text.encode())
        return raw

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def everything(raw: socket.socket) -> bytes:
    with raw:
        return b"".join(iter(lambda: raw.recv(65536), b""))


@pytest.fixture(scope="module")
def server():
    running = Running()
    yield running
    assert running.ask("GET", "/v2/health/live")[0] == 200, "it did not live through the tests"
    running.close()


@pytest.fixture
def slow():
    """A second for each batch, and two places."""
    running = Running(seconds=1, places=2)
    yield running
    running.close()


def test_a_picture_is_answered(server):
    status, answer = server.predict(png(), "?top=1", Content_Type="image/png")
    assert status == 200
    assert answer["classes"] == ["bright"] and answer["probabilities"] == pytest.approx([1])
    assert (answer["model"], answer["engine"]) == ("stand_in", "numpy 2")


def test_the_protocol_is_spoken(server):
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/stand_in/versions/1/ready"):
        assert server.ask("GET", path)[0] == 200
    assert json.loads(server.ask("GET", "/v2")[2])["extensions"] == ["binary_tensor_data"]
    assert json.loads(server.ask("GET", "/v2/models/stand_in")[2])["versions"] == ["1"]
    tensor = {"name": "pictures", "datatype": "UINT8", "shape": [1, 1, 2, 1], "data": [2, 4]}
    asked = json.dumps({"inputs": [tensor]})
    status, _, body = server.ask("POST", "/v2/models/stand_in/infer", asked)
    assert status == 200 and json.loads(body)["outputs"][0]["data"] == [3, 0]


def test_nvidias_client_is_answered(server):
    client = pytest.importorskip("tritonclient.http", reason="tritonclient is not installed")
    pictures = np.arange(36, dtype=np.uint8).reshape(3, 2, 2, 3)
    with client.InferenceServerClient(f"127.0.0.1:{server.port}") as asking:
        assert asking.is_server_live() and asking.is_server_ready()
        assert asking.is_model_ready("stand_in") and asking.is_model_ready("stand_in", "1")
        assert asking.get_model_metadata("stand_in")["outputs"][0]["name"] == "logits"
        assert asking.get_server_metadata()["name"] == "convatlas"
        for binary in (True, False):
            tensor = client.InferInput("pictures", [3, 2, 2, 3], "UINT8")
            tensor.set_data_from_numpy(pictures, binary_data=binary)
            wanted = [client.InferRequestedOutput("logits", binary_data=binary)]
            found = asking.infer("stand_in", [tensor], outputs=wanted, request_id="9")
            np.testing.assert_allclose(found.as_numpy("logits")[:, 0], pictures.mean((1, 2, 3)))
        with pytest.raises(client.InferenceServerException, match="no such model"):
            asking.infer("another", [tensor])


@pytest.mark.parametrize(
    ("body", "query", "headers", "status", "sentence"),
    [
        (b"no picture", "", {}, 400, "is none of the formats"),
        (b"", "", {}, 400, "is empty"),
        (png()[:-45], "", {}, 400, "the picture in the body is"),
        (png(side=1001), "", {}, 400, "more than the limit of 1 megapixels"),
        (png(), "?top=0", {}, 400, "top must be"),
        (png(), "?model=../stand_in", {}, 404, "no such model"),
        (png(), "", {"Content_Type": "multipart/form-data; boundary=x"}, 415, "Content-Type"),
        (png(), "", {"Content_Encoding": "gzip"}, 415, "Content-Encoding"),
        (bytes(100_001), "", {}, 413, "100000 bytes"),
        (png(), "", {"Origin": "null"}, 403, "Origin"),
        (png(), "", {"Host": "evil.example"}, 403, "Host"),
    ],
)
def test_a_bad_request_is_refused(server, body, query, headers, status, sentence):
    found, answer = server.predict(body, query, **headers)
    assert found == status and sentence in answer["error"]
    assert "/" not in answer["error"].replace("image/jpeg", "")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/models/..%2f..%2fetc%2fpasswd",
        "/v2/models/../../etc/passwd",
        "/v2/models/%2e%2e/ready",
        "/v2/models/stand_in%00",
        "/v2/models/stand_in:$DATA",
        "//etc/passwd",
        "/predict/",
        "/docs",
    ],
)
def test_nothing_else_is_there(server, path):
    status, _, body = server.ask("GET", path)
    assert status == 404 and json.loads(body)["error"]


def test_no_page_of_elsewhere_learns_anything(server):
    status, headers, _ = server.ask("OPTIONS", "/predict", Origin="http://evil.example")
    assert status == 403
    assert not [name for name in headers if name.lower().startswith("access-control")]
    assert server.ask("OPTIONS", "/predict")[0] == 405


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        (HEAD + "Content-Length: 99999999\r\n\r\n", {b"413"}),
        (HEAD + "Content-Length: -5\r\n\r\n", {b"400"}),
        (HEAD + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", {b"400"}),
        (HEAD + "Host: localhost\r\n\r\n", {b"400"}),
        (HEAD + "Content-Length: 50\r\n\r\nslow", {b"408"}),
        (HEAD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", {b"400"}),
        (HEAD + f"X: {'x' * 20_000}\r\n\r\n", {b"400", b"431"}),
        ("\0\1\2 nonsense\r\n\r\n", {b"400"}),
    ],
)
def test_a_hostile_socket_is_answered_and_closed(server, text, statuses):
    assert everything(server.send(text)).split(b" ")[1] in statuses


def test_a_chunked_body_has_the_same_limit(server):
    def refused() -> list[str]:
        lines = server.ask("GET", "/metrics")[2].decode().splitlines()
        return [line for line in lines if 'status="413"' in line]

    before = refused()
    piece = "8000\r\n" + "x" * 0x8000 + "\r\n"
    raw = server.send(HEAD + "Transfer-Encoding: chunked\r\n\r\n" + 4 * piece)
    with contextlib.suppress(ConnectionResetError):  # closed with bytes that nobody has read
        everything(raw)
    assert refused() != before


def test_slow_clients_are_closed_and_keep_nobody_waiting(server):
    idle = [server.send("GET / HTTP/1.1\r\nHost: loc") for _ in range(60)]
    idle += [server.send(HEAD + "Content-Length: 50\r\n\r\nslow") for _ in range(40)]
    assert server.ask("GET", "/v2/health/live")[0] == 200
    for raw in idle:
        assert everything(raw)[:12] in (b"", b"HTTP/1.1 408")


def test_the_next_request_of_a_connection_must_come_in_time_too(server):
    raw = server.send("GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert raw.recv(65536).startswith(b"HTTP/1.1 200")
    raw.sendall(b"GET /v2 HT")
    assert everything(raw) == b""


def together(count: int, ask) -> list:
    found = []
    threads = [threading.Thread(target=lambda: found.append(ask())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_who_finds_no_place_is_sent_away_and_nobody_inside_is_lost(slow):
    def ask():
        status, headers, _ = slow.ask("POST", "/predict", png())
        return status, headers["Retry-After"]

    found = together(12, ask)
    assert {*found} == {(200, None), (503, "1")}
    assert slow.ask("GET", "/v2/health/ready")[0] == 200
    text = slow.ask("GET", "/metrics")[2].decode()
    answered = sum(status == 200 for status, _ in found)
    assert f'convatlas_requests_total{{status="200"}} {answered + 1}\n' in text
    assert f'convatlas_requests_total{{status="503"}} {12 - answered}\n' in text
    assert "convatlas_requests_inside 0\n" in text


def test_a_client_that_leaves_frees_its_place(slow):
    body = png()
    head = (HEAD + f"Content-Length: {len(body)}\r\n\r\n").encode()
    for _ in range(2):
        raw = slow.send("")
        raw.sendall(head + body)
        raw.close()
    deadline = time.monotonic() + 10
    while "requests_inside 0" not in slow.ask("GET", "/metrics")[2].decode():
        assert time.monotonic() < deadline
    assert 'status="499"} 2' in slow.ask("GET", "/metrics")[2].decode()


def test_asked_to_leave_it_answers_those_inside(slow):
    found = []
    asking = threading.Thread(target=lambda: found.append(slow.predict(png())))
    asking.start()
    while "requests_inside 1" not in slow.ask("GET", "/metrics")[2].decode():
        assert not found
    slow.process.send_signal(signal.SIGTERM)
    asking.join()
    assert found[0][0] == 200
    assert slow.process.wait(20) == 0
