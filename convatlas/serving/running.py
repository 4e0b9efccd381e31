"""The socket, the clock and the signals of a server."""

import contextlib
import ctypes
import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator

import h11
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from convatlas.errors import ExportError

HEADER_SECONDS = 10.0  # for the first line and the headers of a request; to read on in an answer
IDLE_SECONDS = 5  # between two requests of a connection
DRAIN_SECONDS = 8  # for those who are inside when the server is asked to leave
LARGEST_HEADER = 16_384  # bytes
BACKLOG = 1024
ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


class Timed(H11Protocol):
    """Ends a connection whose headers do not come, or whose client does not read what it is
    answered: uvicorn waits for ever.
    """

    header_seconds = HEADER_SECONDS
    clock = None

    def connection_made(self, transport) -> None:
        super().connection_made(transport)
        self._wind()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.flow.write_paused:
            return  # what still comes from a client that reads nothing does not stop its clock
        if self.conn.their_state is not h11.IDLE:
            self._stop()
        elif self.clock is None:
            self._wind()

    def on_response_complete(self) -> None:
        """Closes where an answer was given before the request had come whole, for nothing would
        ever end the wait for its rest.
        """
        unread = self.conn.their_state is h11.SEND_BODY
        super().on_response_complete()
        if unread:
            self.transport.close()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop()
        self._wind()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop()

    def connection_lost(self, fault: Exception | None) -> None:
        self._stop()
        super().connection_lost(fault)

    def _wind(self) -> None:
        self.clock = self.loop.call_later(self.header_seconds, self.transport.abort)

    def _stop(self) -> None:
        if self.clock is not None:
            self.clock.cancel()
            self.clock = None


class Graceful(uvicorn.Server):
    """Leaves on SIGTERM and SIGINT once those inside are answered, with exit code 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        numbers = (signal.SIGTERM, signal.SIGINT)
        before = {number: signal.signal(number, self.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def use_one_heap() -> None:
    """Before there are threads. glibc gives each a heap of its own, and what one has given back no
    other takes: with requests of many sizes the process grows by a tenth, in steps, for hours.
    """
    if sys.platform == "linux":
        with contextlib.suppress(AttributeError, OSError):  # a libc without this setting
            ctypes.CDLL(None).mallopt(ARENA_MAX, 1)


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def bound(host: str, port: int) -> socket.socket:
    """Raises ExportError where the port is in use or the address is none of this machine."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, number)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(BACKLOG)  # who asks before uvicorn has begun waits
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ExportError(
            f"cannot listen on {host}:{port} ({reason}); give another --port or --host"
        ) from None
    return listening


def run(app: Starlette, listening: socket.socket) -> None:
    """Until a signal asks it to leave. Ends the process where the engine keeps a batch even then:
    Python would wait for its thread.
    """
    config = uvicorn.Config(
        app,
        http=Timed,
        ws="none",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        h11_max_incomplete_event_size=LARGEST_HEADER,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    Graceful(config).run(sockets=[listening])
    if app.state.line.busy:
        sys.stdout.flush()
        os._exit(0)
