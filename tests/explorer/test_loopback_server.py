"""The loopback server gives out its table and nothing else, to this machine alone."""

import http.client
import socket

import pytest

from convatlas.errors import RunError
from convatlas.explorer import server


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "site" / "deep").mkdir(parents=True)
    (tmp_path / "site" / "index.html").write_bytes(b"<p>first")
    (tmp_path / "site" / "deep" / "a.js").write_bytes(b"export {}")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "site" / "link.txt").symlink_to(tmp_path / "secret.txt")
    return tmp_path / "site"


@pytest.fixture
def ask(folder):
    with server.serving(folder) as address:
        port = int(address.rsplit(":", 1)[1].strip("/"))

        def asked(path: str, method: str = "GET", host: str | None = None):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
            connection.putrequest(method, path, skip_host=host is not None)
            if host is not None:
                connection.putheader("Host", host)
            connection.endheaders()
            answer = connection.getresponse()
            return answer.status, answer.read(), dict(answer.getheaders())

        yield asked


def test_a_page_and_its_kind(ask):
    status, body, headers = ask("/")
    assert (status, body) == (200, b"<p>first")
    assert headers["Content-Type"].startswith("text/html")
    assert ask("/deep/a.js?x=1")[2]["Content-Type"].startswith("text/javascript")
    assert ask("/index.html", "HEAD")[1] == b""


def test_what_is_served_may_reach_no_other_host(ask):
    policy = ask("/")[2]["Content-Security-Policy"]
    assert policy.startswith("default-src 'self'") and "http" not in policy


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/deep/../../secret.txt",
        "/deep/",
        "/deep",
        "/link.txt",
        "//etc/passwd",
        "/etc/passwd",
        "/index.html%00",
    ],
)
def test_no_path_leads_out_and_none_is_listed(ask, path):
    status, body, _ = ask(path)
    assert status == 404 and b"secret" not in body


def test_a_file_that_cannot_be_had_any_more_is_said_until_it_can(ask, folder, capfd):
    (folder / "deep" / "a.js").rename(folder / "b.js")
    status, body, _ = ask("/deep/a.js")
    assert status == 500 and b"No such file" in body
    assert capfd.readouterr().err == ""
    (folder / "b.js").rename(folder / "deep" / "a.js")
    assert ask("/deep/a.js")[:2] == (200, b"export {}")


@pytest.mark.parametrize("host", ["", "evil.example", "evil.example:80", "127.0.0.1"])
def test_another_host_is_refused(ask, host):
    assert ask("/", host=host)[0] == 421


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_nothing_but_reading(ask, method):
    assert ask("/", method)[0] == 501


def test_a_port_in_use_is_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(RunError, match=rf"port {port} of 127\.0\.0\.1 .* --port 0"):
            server.bound({}, port)


def test_it_listens_on_loopback_only():
    with server.bound({}) as bound:
        assert bound.server_address[0] == "127.0.0.1"
