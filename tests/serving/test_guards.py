"""Who is let in, by the headers of a request."""

import pytest

from convatlas.serving.guards import Guard
from convatlas.serving.refusal import Refusal

OPEN = Guard("127.0.0.1", "")
TOKEN = "a-secret-of-the-test"
CLOSED = Guard("0.0.0.0", TOKEN)


def status(guard: Guard, path: str = "/predict", **headers: str) -> int:
    pairs = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    try:
        guard.check(path, pairs)
    except Refusal as refusal:
        return refusal.status
    return 200


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "LOCALHOST:80", "[::1]:8000"])
def test_a_name_of_this_machine_is_let_in(host):
    assert status(OPEN, host=host) == 200
    assert status(OPEN, host=host, origin=f"http://{host}", sec_fetch_site="same-origin") == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "localhost@evil.example"},
        {"host": ""},
        {"host": "localhost", "origin": "null"},
        {"host": "localhost", "origin": "http://evil.example"},
        {"host": "localhost", "origin": "http://localhost:9999"},
        {"host": "localhost", "sec_fetch_site": "cross-site"},
        {"host": "localhost", "sec_fetch_site": "same-site"},
    ],
)
def test_a_page_of_elsewhere_is_not(headers):
    assert status(OPEN, **headers) == 403


def test_one_host_is_named():
    assert status(OPEN) == 400
    with pytest.raises(Refusal, match="one Host"):
        OPEN.check("/predict", [(b"host", b"localhost"), (b"host", b"localhost")])


def test_a_token_is_asked_for():
    named = {"host": "server.example:8000"}
    assert status(CLOSED, **named) == 401
    assert status(CLOSED, authorization=f"Bearer {TOKEN}x", **named) == 401
    assert status(CLOSED, authorization=TOKEN, **named) == 401
    assert status(CLOSED, authorization=f"Bearer {TOKEN}", **named) == 200
    assert status(CLOSED, "/v2/health/ready", **named) == 200
    assert status(CLOSED, "/metrics", **named) == 401
    evil = {"origin": "http://evil.example", "authorization": f"Bearer {TOKEN}"}
    assert status(CLOSED, **evil, **named) == 403
