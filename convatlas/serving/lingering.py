"""The answer to a request that is refused."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from convatlas.serving.refusal import Refusal

LINGER_SECONDS = 2.0
LINGER_BYTES = 50_000_000


class Lingering(JSONResponse):
    """Reads, and forgets, what its client still sends before the connection ends. One that is
    closed with bytes unread is reset, and the client may never see why.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        try:
            async with asyncio.timeout(LINGER_SECONDS):
                await self._rest(receive)
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b""})

    @staticmethod
    async def _rest(receive: Receive) -> None:
        read, more = 0, True
        while more and read < LINGER_BYTES:
            message = await receive()
            read += len(message.get("body", b""))
            more = message.get("more_body", False)


def refused(request: Request, refusal: Refusal) -> Response:
    """The connection ends with it, for a body that was refused is not read."""
    whole = getattr(request.state, "whole", False)
    kind = JSONResponse if whole else Lingering
    headers = {**refusal.headers, "Connection": "close"}
    return kind({"error": refusal.sentence}, refusal.status, headers=headers)
