"""The routes."""

import asyncio
import contextlib
import functools
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import convatlas
from convatlas.data.image_file import read_pixels
from convatlas.errors import DataError
from convatlas.serving import protocol
from convatlas.serving.guards import Guard
from convatlas.serving.line import Line
from convatlas.serving.metrics import MEDIA_TYPE, Metrics
from convatlas.serving.models import Model, likeliest
from convatlas.serving.refusal import Refusal

TOP = 5
GONE = 499  # the client had left; nobody reads it
HINT = "curl -H 'Content-Type: image/jpeg' --data-binary @photo.jpg"


@dataclass(frozen=True)
class Limits:
    """body_bytes and body_seconds: for the body of a request, whole. places: Line's."""

    body_bytes: int = 10_000_000
    body_seconds: float = 10.0
    max_megapixels: float = 64
    places: int = 64


@dataclass(frozen=True, eq=False)
class Server:
    models: dict[str, Model]
    guard: Guard
    limits: Limits
    line: Line
    metrics: Metrics

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
            asked = await run_in_threadpool(
                protocol.question,
                body,
                request.headers.get(protocol.HEADER),
                self.limits.max_megapixels,
            )
            found = await self._while_there(request, self.line.answer(model, asked.pictures))
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
        if not kind.startswith(("image/", "application/octet-stream")):
            raise Refusal(
                415, f"Content-Type must be that of a picture, its bytes the body: {HINT}"
            )
        with self.line:
            body = await self._body(request)
            read = functools.partial(
                read_pixels, body, white=model.white, max_megapixels=self.limits.max_megapixels
            )
            try:
                pixels = await run_in_threadpool(read)
            except DataError as error:
                raise Refusal(400, f"the picture in the body {error.reason}") from None
            picture = pixels.transpose(1, 2, 0)[None]
            logits, _ = await self._while_there(request, self.line.answer(model, picture))
        classes, probabilities = likeliest(model, logits[0], top)
        answer = {"model": model.name, "engine": model.opened.engine}
        return JSONResponse(answer | {"classes": classes, "probabilities": probabilities})

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
                response = _refused(status, refusal.sentence, refusal.headers)
            except ClientDisconnect:
                status = GONE
                response = Response(status_code=status)
            finally:
                self.metrics.answered(status, time.perf_counter() - began)
            return response

        return guarded


def application(models: dict[str, Model], guard: Guard, limits: Limits) -> Starlette:
    """What uvicorn runs."""
    server = Server(models, guard, limits, Line(limits.places), Metrics())
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

    async def unrouted(request: Request, error: HTTPException) -> Response:
        try:
            guard.check(request.url.path, request.scope["headers"])
        except Refusal as refusal:
            return _refused(refusal.status, refusal.sentence, refusal.headers)
        return _refused(error.status_code, error.detail.lower(), dict(error.headers or {}))

    async def failed(request: Request, error: Exception) -> Response:
        return _refused(500, "the engine could not answer this request", {})

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette):
        work = asyncio.create_task(server.line.work())
        yield
        work.cancel()

    app = Starlette(
        routes=[
            Route(path, server.route(answer), methods=[method])
            for path, (method, answer) in routes.items()
        ],
        lifespan=lifespan,
        exception_handlers={HTTPException: unrouted, Exception: failed},
    )
    app.router.redirect_slashes = False
    return app


def _top(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and int(text) > 0):
        raise Refusal(400, "top must be a whole number above 0")
    return int(text)


def _refused(status: int, sentence: str, headers: dict[str, str]) -> Response:
    """The connection ends with it: a body that was refused is not read."""
    return JSONResponse({"error": sentence}, status, headers={**headers, "Connection": "close"})
