"""Clients that are slow, that lie, that leave, and that send whatever comes to mind."""

import contextlib
import json
import random
import re

import pytest
from asking import HEAD, NEEDS_SERVE, everything, png, stand_in
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = NEEDS_SERVE


@pytest.fixture(scope="module")
def server():
    with stand_in() as running:
        yield running
        assert running.ask("GET", "/v2/health/live")[0] == 200, "it did not live to the end"
        assert running.answered(500) == 0


@pytest.fixture(scope="module")
def hasty():
    """For those who wait until it has lost its patience."""
    with stand_in(patience=0.4) as running:
        yield running


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        (HEAD + "Content-Length: 99999999\r\n\r\n", {b"413"}),
        (HEAD + "Content-Length: 99999999\r\nExpect: 100-continue\r\n\r\n", {b"413"}),
        (HEAD + "Content-Length: -5\r\n\r\n", {b"400"}),
        (HEAD + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", {b"400"}),
        (HEAD + "Host: localhost\r\n\r\n", {b"400"}),
        (HEAD + "Content-Length: 50\r\n\r\nslow", {b"408"}),
        (HEAD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", {b"400"}),
        (HEAD + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", {b"400"}),
        (HEAD + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {b"400", b"501"}),
        (HEAD + f"X: {'x' * 20_000}\r\n\r\n", {b"400", b"431"}),
        ("GET /v2 HTTP/1.1\r\n\r\n", {b"400"}),
        ("GET http://evil.example/v2 HTTP/1.1\r\nHost: localhost\r\n\r\n", {b"404"}),
        ("\0\1\2 nonsense\r\n\r\n", {b"400"}),
    ],
)
def test_a_hostile_socket_is_answered_and_closed(hasty, text, statuses):
    assert everything(hasty.send(text)).split(b" ")[1] in statuses


@pytest.mark.parametrize("chunked", [False, True])
def test_who_sends_too_much_is_told_so_and_nothing_is_kept(server, chunked):
    """Read to its end by the server: a client that is reset never sees the answer."""
    if chunked:
        piece = b"80000\r\n" + bytes(0x80000) + b"\r\n"
        text = HEAD.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + 6 * piece + b"0\r\n\r\n"
    else:
        text = HEAD.encode() + b"Content-Length: 3000000\r\n\r\n" + bytes(3_000_000)
    for _ in range(3):
        everything(server.send(text))
    before = server.memory("VmHWM")
    for _ in range(20):  # 60 MB
        assert b"may have 300000 bytes" in everything(server.send(text))
    assert server.memory("VmHWM") - before < 15_000_000
    assert server.metric("requests_inside") == 0


def test_slow_clients_are_closed_and_keep_nobody_waiting(hasty):
    idle = [hasty.send("GET / HTTP/1.1\r\nHost: loc") for _ in range(120)]
    idle += [hasty.send(HEAD + "Content-Length: 50\r\n\r\nslow") for _ in range(80)]
    assert hasty.ask("GET", "/v2/health/live")[0] == 200
    for raw in idle:
        assert everything(raw)[:12] in (b"", b"HTTP/1.1 408", b"HTTP/1.1 503")


@pytest.mark.parametrize("rest", [b"GET /v2 HT", b""])
def test_the_next_request_of_a_connection_must_come_in_time_too(hasty, rest):
    raw = hasty.send("GET /v2 HTTP/1.1\r\nHost: localhost\r\n\r\n")
    whole = raw.makefile("rb")  # a body may come after its header
    head = b"".join(iter(whole.readline, b"\r\n"))
    assert head.startswith(b"HTTP/1.1 200")
    whole.read(int(re.search(rb"(?i)content-length: (\d+)", head)[1]))
    if rest:
        raw.sendall(rest)
        assert everything(raw) == b""
    else:
        raw.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b"convatlas_places" in everything(raw)


def test_a_body_that_nobody_waits_for_does_not_hold_the_connection(server):
    raw = server.send("GET /v2 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n")
    assert raw.recv(65536).startswith(b"HTTP/1.1 200")
    with contextlib.suppress(ConnectionError):
        raw.sendall(b"slow")  # were it waited for, nothing would end the wait
        everything(raw)


def test_who_does_not_read_its_answers_is_left(hasty):
    """Answers of 290 kB, until no buffer takes more."""
    body = json.dumps({"inputs": [TENSOR], "id": "x" * 290_000})
    head = f"POST /v2/models/other/infer HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}"
    with hasty.send("") as raw, pytest.raises(ConnectionError):
        raw.sendall(100 * f"{head}\r\n\r\n{body}".encode())


def test_clients_that_leave_leave_nothing_behind(server):
    """With the whole request, with half of its body, with a part of its headers, which is no
    request yet: a third of them each, fewer at a time than there are places.
    """
    body = png()
    head = (HEAD + f"Content-Length: {len(body)}\r\n\r\n").encode()
    sent = (head + body, head + body[: len(body) // 2], head[:-3])
    handles, before = server.handles(), server.answered(499)

    def are_missed(count: int) -> None:
        server.wait_until(lambda: server.answered(499) - before >= count)
        server.wait_until(lambda: server.metric("requests_inside") == 0)

    for thirty in range(1, 8):
        for number in range(30):
            server.send(sent[number % 3]).close()
        are_missed(10 * thirty)
    server.wait_until(lambda: server.handles() <= handles + 1)
    assert server.answered(503) == 0


METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "BREW"]
ADDRESSES = [
    *("/", "/v2", "/v2/", "/v2/health", "/v2/health/live", "/v2/health/ready", "/metrics"),
    *("/predict", "/predict?", "/predict?top=", "/predict?top=1e9", "/predict?model=%ff&top=2"),
    *("/v2/models", "/v2/models/stand_in", "/v2/models/stand_in/infer", "/v2/models/%F0%9F%98%80"),
    *("/v2/models/stand_in/versions/1/infer", "/v2/models/stand_in/versions/9/ready"),
    *("/" + "a" * 8000, "/%00%01%ff?x=%zz#y"),
]


@pytest.mark.parametrize("method", METHODS)
def test_every_method_at_every_address_has_an_answer(server, method):
    assert len(ADDRESSES) == 20
    for address in ADDRESSES:
        for body in (None, b"{}"):
            assert 200 <= server.ask(method, address, body)[0] < 500


TENSOR = {"name": "pictures", "datatype": "UINT8", "shape": [1, 2, 2, 1], "data": [1, 2, 3, 4]}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
TENSORS = st.builds(
    lambda key, value: TENSOR | {key: value},
    st.sampled_from([*TENSOR, "parameters"]),
    ANYTHING | st.just({"binary_data_size": 4}),
)
REQUESTS = st.fixed_dictionaries(
    {"inputs": st.just([TENSOR]) | st.lists(TENSORS, max_size=2) | ANYTHING},
    optional={"outputs": ANYTHING, "parameters": ANYTHING, "id": ANYTHING},
)
LENGTHS = st.none() | st.integers(-5, 300).map(str) | st.text("0123456789xe.-+ ", max_size=6)


def infer(server, asked, behind, length):
    body = json.dumps(asked).encode() + behind
    headers = {} if length is None else {"Inference_Header_Content_Length": length}
    status, _, answer = server.ask("POST", "/v2/models/stand_in/infer", body, **headers)
    assert status in (200, 400, 413) and (status == 200 or json.loads(answer)["error"])


def decode(server, seed):
    """A picture with some of its bytes changed."""
    dice = random.Random(seed)
    content = bytearray(png(dice.randrange(256)))
    for _ in range(dice.randrange(1, 5)):
        content[dice.randrange(len(content))] = dice.randrange(256)
    status, answer = server.predict(bytes(content))
    assert status == 200 or (status == 400 and answer["error"])


@settings(max_examples=80, deadline=None, suppress_health_check=[*HealthCheck])
@given(REQUESTS, st.binary(max_size=6), LENGTHS)
def test_a_tensor_of_any_kind_has_an_answer(server, asked, behind, length):
    infer(server, asked, behind, length)


@pytest.mark.full
@settings(max_examples=2000, deadline=None, suppress_health_check=[*HealthCheck])
@given(REQUESTS, st.binary(max_size=6), LENGTHS)
def test_two_thousand_tensors_of_any_kind_have_an_answer(server, asked, behind, length):
    infer(server, asked, behind, length)


def test_damaged_pictures_have_an_answer(server):
    for seed in range(150):
        decode(server, seed)
