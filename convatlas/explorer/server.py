"""The loopback server: the site's bytes under http://127.0.0.1, for this machine alone.

Answers GET and HEAD. What it may give out is a table of paths (or the files under a folder, listed
once), so no path leads out of it, and there is no listing. A request whose Host is another one is
refused: a page elsewhere cannot reach us under a name of its own.
"""

import contextlib
import mimetypes
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from convatlas.errors import Error, RunError

LOOPBACK = "127.0.0.1"
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".wasm": "application/wasm",
    ".json": "application/json; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
Held = Path | Mapping[str, Callable[[], bytes]]


def bound(held: Held, port: int = 0) -> ThreadingHTTPServer:
    """A server of these files, bound and not yet answering.  RunError for a port that is taken."""
    table = _table(held)

    class Handler(_Handler):
        files = table
        made: dict[str, bytes] = {}

    try:
        server = ThreadingHTTPServer((LOOPBACK, port), Handler)
    except (OSError, OverflowError) as error:
        raise RunError(
            f"port {port} of {LOOPBACK} cannot be had ({getattr(error, 'strerror', '') or error}); "
            "give another with --port, or --port 0 for a free one"
        ) from None
    server.daemon_threads = True
    return server


def address(server: ThreadingHTTPServer) -> str:
    return f"http://{LOOPBACK}:{server.server_address[1]}/"


@contextmanager
def serving(held: Held, port: int = 0) -> Iterator[str]:
    """Serves in a thread of its own; gives the address."""
    server = bound(held, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield address(server)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _table(held: Held) -> Mapping[str, Callable[[], bytes]]:
    if not isinstance(held, Path):
        return held
    return {
        file.relative_to(held).as_posix(): file.read_bytes
        for file in held.rglob("*")
        if file.is_file() and not file.is_symlink()
    }


class _Handler(BaseHTTPRequestHandler):
    files: Mapping[str, Callable[[], bytes]]
    made: dict[str, bytes]
    protocol_version = "HTTP/1.1"
    timeout = 30

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def _answer(self, body: bool) -> None:
        port = self.server.server_address[1]
        if self.headers.get("Host") not in (f"{LOOPBACK}:{port}", f"localhost:{port}"):
            return self._say(
                HTTPStatus.MISDIRECTED_REQUEST, b"this server is for its own machine\n"
            )
        path = unquote(urlsplit(self.path).path).lstrip("/")
        path = f"{path}index.html" if path in ("",) or path.endswith("/") else path
        if path not in self.files:
            return self._say(HTTPStatus.NOT_FOUND, b"there is no such page\n", body=body)
        if path not in self.made:
            try:
                self.made[path] = self.files[path]()
            except (Error, OSError) as fault:  # a file of a run that has changed since
                said = f"{fault}\n".encode()
                return self._say(HTTPStatus.INTERNAL_SERVER_ERROR, said, body=body)
        self._say(HTTPStatus.OK, self.made[path], kind_of(path), body)

    def _say(
        self, status: HTTPStatus, text: bytes, kind: str = "text/plain", body: bool = True
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(text)))
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        if body:
            with contextlib.suppress(ConnectionError):  # a reader that left for another page
                self.wfile.write(text)

    def version_string(self) -> str:
        return "convatlas"

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a page asks for many files."""


def kind_of(path: str) -> str:
    """The Content-Type of a path, by its ending; never by what the system's tables happen to say of
    the web's own kinds.
    """
    suffix = Path(path).suffix
    return TYPES.get(suffix) or mimetypes.guess_type(path)[0] or "application/octet-stream"
