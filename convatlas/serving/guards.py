"""Who may ask: checked by the headers of a request, before its body is read.

A page that a browser has open can send requests to this machine. Its Origin gives it away, or, once
the page has rebound its name to this address, its Host. With a token neither helps it.
"""

import hmac
import re
from dataclasses import dataclass

from convatlas.serving.refusal import Refusal

ADDRESS = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(:\d{1,5})?")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
OPEN_TO_PROBES = ("/v2/health/live", "/v2/health/ready")


@dataclass(frozen=True)
class Guard:
    """`host` is the address that the server is bound to; `token` is "" where none is asked for."""

    host: str
    token: str

    def check(self, path: str, headers: list[tuple[bytes, bytes]]) -> None:
        """Raises Refusal (400, 401 or 403). `headers` have names in lower case."""
        hosts = _all(headers, b"host")
        if len(hosts) != 1:
            raise Refusal(400, "a request must have one Host header")
        if not self.token and _name(hosts[0]) not in {*LOOPBACK, self.host}:
            raise Refusal(403, "this server does not answer under that name (Host)")
        origins = _all(headers, b"origin")
        own = {f"http://{hosts[0]}", f"https://{hosts[0]}"}
        site = _all(headers, b"sec-fetch-site")
        if any(origin not in own for origin in origins) or {"cross-site", "same-site"} & {*site}:
            raise Refusal(403, "requests from pages of other origins are not answered (Origin)")
        if self.token and path not in OPEN_TO_PROBES:
            given = _all(headers, b"authorization")
            wanted = f"Bearer {self.token}"
            if len(given) != 1 or not hmac.compare_digest(given[0].encode(), wanted.encode()):
                raise Refusal(
                    401,
                    "the header Authorization must be 'Bearer ' and this server's token",
                    {"WWW-Authenticate": "Bearer"},
                )


def _all(headers: list[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1").strip() for key, value in headers if key == name]


def _name(host: str) -> str:
    """Without the port and the brackets of IPv6, in lower case; "" for what is no address."""
    found = ADDRESS.fullmatch(host.lower())
    return found[1].strip("[]") if found else ""
