"""The routes."""

import asyncio
import contextlib
import functools
import math
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import convatlas
from convatlas.data.image_file import read_header, read_pixels
from convatlas.errors import DataError
from convatlas.serving import protocol
from convatlas.serving.guards import Guard
from convatlas.serving.line import Line
from convatlas.serving.lingering import refused
from convatlas.serving.metrics import MEDIA_TYPE, Metrics
from convatlas.serving.models import Model, likeliest
from convatlas.serving.refusal import Refusal
from convatlas.serving.room import Room

TOP = 5
GONE = 499  # the client had left; nobody reads it
PICTURES = ("image/", "application/octet-stream", "application/x-www-form-urlencoded")
HINT = "curl --data-binary @photo.jpg"  # which calls any file a form
DECODERS = 2  # pictures that are decoded at once


@dataclass(frozen=True)
class Limits:
    """body_bytes and body_seconds: for the body of a request, whole. places: Line's. megapixels:
    of one request's pictures; of all that are decoded, twice that.
    """

    body_bytes: int = 10_000_000
    body_seconds: float = 10.0
    megapixels: float = 64
    places: int = 64


@dataclass(frozen=True, eq=False)
class Server:
    models: dict[str, Model]
    guard: Guard
    limits: Limits
    line: Line
    metrics: Metrics
    room: Room
    decoders: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(DECODERS, thread_name_prefix="decoder")
    )

    def model(self, name: str, version: str | None = None) -> Model:
        if name not in self.models:
            raise Refusal(404, f"no such model; there are: {', '.join(self.models)}")
        if version not in (None, protocol.VERSION):
            raise Refusal(404, f"no such version; there is {protocol.VERSION}")
        return self.models[name]

    async def live(self, request: Request) -> Response:
        return JSONResponse({"live": True})

    async def ready(self, request: Request) -> Response:
        return JSONResponse({"ready": True})

    async def about(self, request: Request) -> Response:
        about = {"name": "convatlas", "version": convatlas.__version__}
        return JSONResponse(about | {"extensions": protocol.EXTENSIONS})

    async def model_ready(self, request: Request) -> Response:
        model = self.model(**request.path_params)
        return JSONResponse({"name": model.name, "ready": True})

    async def model_about(self, request: Request) -> Response:
        return JSONResponse(protocol.metadata(self.model(**request.path_params)))

    async def show_metrics(self, request: Request) -> Response:
        return Response(self.metrics.text(self.line), media_type=MEDIA_TYPE)

    async def infer(self, request: Request) -> Response:
        model = self.model(**request.path_params)
        with self.line:
            body = await self._body(request)
            length = request.headers.get(protocol.HEADER)
            asked = await self._decoded(protocol.question, body, length, self.limits.megapixels)
            found = await self._while_there(request, self._found(model, asked.pictures))
        content, length = protocol.answer(
            model, asked, dict(zip(protocol.OUTPUTS, found, strict=True))
        )
        if length == len(content):
            return Response(content, media_type="application/json")
        return Response(
            content, media_type="application/octet-stream", headers={protocol.HEADER: str(length)}
        )

    async def predict(self, request: Request) -> Response:
        model = self.model(request.query_params.get("model", next(iter(self.models))))
        top = _top(request.query_params.get("top", str(TOP)))
        kind = request.headers.get("content-type", "image/").lower()
        if not kind.startswith(PICTURES):
            raise Refusal(415, f"the body must be a picture's bytes and nothing else: {HINT}")
        with self.line:
            body = await self._body(request)
            logits = await self._while_there(request, self._seen(model, body))
        classes, probabilities = likeliest(model, logits[0], top)
        answer = {"model": model.name, "engine": model.opened.engine}
        return JSONResponse(answer | {"classes": classes, "probabilities": probabilities})

    async def _seen(self, model: Model, body: bytes) -> np.ndarray:
        """The logits (1, classes) of a picture's bytes. Raises Refusal (400)."""
        limit = self.limits.megapixels
        try:
            _, height, width = await self._decoded(read_header, body)
            async with self.room.holding(min(height * width / 1e6, limit)):
                pixels = await self._decoded(read_pixels, body, 0, model.white, limit)
                picture = pixels.transpose(1, 2, 0)[None]
                return (await self.line.answer(model, picture))[0]
        except DataError as error:
            raise Refusal(400, f"the picture in the body {error.reason}") from None

    async def _found(self, model: Model, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        async with self.room.holding(math.prod(pictures.shape[:3]) / 1e6):
            return await self.line.answer(model, pictures)

    def _decoded(self, function: Callable, *arguments: object) -> Awaitable:
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self.decoders, function, *arguments)

    async def _body(self, request: Request) -> bytes:
        """Raises Refusal (408, 413 or 415) before more than the limit is held."""
        if request.headers.get("content-encoding", "identity") != "identity":
            raise Refusal(415, "a body with a Content-Encoding is not read; send it as it is")
        limit = self.limits.body_bytes
        too_large = Refusal(413, f"the body of a request may have {limit} bytes")
        if int(request.headers.get("content-length", 0)) > limit:
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.body_seconds):
                async for piece in request.stream():
                    body += piece
                    if len(body) > limit:
                        raise too_large
        except TimeoutError:
            raise Refusal(408, "the body of the request did not come in time") from None
        request.state.whole = True
        return bytes(body)

    @staticmethod
    async def _while_there(request: Request, answering: Awaitable):
        """Its result, unless the client leaves before. Raises ClientDisconnect."""
        work = asyncio.ensure_future(answering)
        gone = asyncio.ensure_future(request.receive())  # the body is read: nothing else can come
        try:
            await asyncio.wait({work, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise ClientDisconnect
            return work.result()
        finally:
            work.cancel()
            gone.cancel()

    def route(self, answer: Callable[[Request], Awaitable[Response]]):
        """With the guard before it, every refusal as JSON, and its time in the metrics."""

        @functools.wraps(answer)
        async def guarded(request: Request) -> Response:
            began, status = time.perf_counter(), 500
            try:
                self.guard.check(request.url.path, request.scope["headers"])
                response = await answer(request)
                status = response.status_code
            except Refusal as refusal:
                status = refusal.status
                response = refused(request, refusal)
            except ClientDisconnect:
                status = GONE
                response = Response(status_code=status)
            finally:
                self.metrics.answered(status, time.perf_counter() - began)
            return response

        return guarded


def application(models: dict[str, Model], guard: Guard, limits: Limits) -> Starlette:
    """What uvicorn runs."""
    room = Room(2 * limits.megapixels)
    server = Server(models, guard, limits, Line(limits.places), Metrics(), room)

    async def unrouted(request: Request, error: HTTPException) -> Response:
        async def answer(request: Request) -> Response:
            raise Refusal(error.status_code, error.detail.lower(), error.headers)

        return await server.route(answer)(request)

    async def failed(request: Request, error: Exception) -> Response:
        return refused(request, Refusal(500, "the engine could not answer this request"))

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette):
        work = asyncio.create_task(server.line.work())
        yield
        work.cancel()

    app = Starlette(
        routes=[
            Route(path, server.route(answer), methods=[method])
            for path, (method, answer) in _routes(server).items()
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: unrouted, Exception: failed},
    )
    app.router.redirect_slashes = False
    app.state.line = server.line
    return app


def _routes(server: Server) -> dict[str, tuple[str, Callable]]:
    """path -> method, and what answers."""
    one = "/v2/models/{name}"
    routes = {
        "/v2/health/live": ("GET", server.live),
        "/v2/health/ready": ("GET", server.ready),
        "/v2": ("GET", server.about),
        "/metrics": ("GET", server.show_metrics),
        "/predict": ("POST", server.predict),
    }
    for model in (one, one + "/versions/{version}"):
        routes[model] = ("GET", server.model_about)
        routes[model + "/ready"] = ("GET", server.model_ready)
        routes[model + "/infer"] = ("POST", server.infer)
    return routes


def _top(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) > 0):
        raise Refusal(400, "top must be a whole number above 0")
    return int(text)
