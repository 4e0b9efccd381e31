"""An object store on loopback that serves a folder as S3 does, and can be made to fail."""

import base64
import hashlib
import os
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


class Bucket:
    """The folders of `root` are buckets; `private` may not be read. Every `every`-th request fails
    in one of the ways of `hows`: a number is what is answered, "reset" an end without an answer,
    "short" half of one, "late" a whole one after `pause` seconds, "lost" a request that is done and
    never answered. Nobody may write into the bucket `readonly`; `puts` are the keys written.
    """

    def __init__(self, root: Path):
        self.root, self.requests, self.failed, self.bytes = root, 0, 0, 0
        self.every, self.hows, self.pause, self.down = 0, (500,), 0.0, False
        self.puts: list[str] = []
        self.lock = threading.Lock()

    def fault(self):
        """What is to go wrong with this request: None for nothing."""
        with self.lock:
            self.requests += 1
            if self.down:
                return 503
            if not self.every or self.requests % self.every:
                return None
            self.failed += 1
            return self.hows[self.failed % len(self.hows)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def do_HEAD(self):
        self.do_GET()

    def _fails(self) -> bool:
        """Whether this request goes wrong so that there is nothing more to do."""
        bucket: Bucket = self.server.bucket
        fault = bucket.fault()
        if fault == "late":
            time.sleep(bucket.pause)
        elif fault == "short":
            self.cut = True
        elif fault == "lost":
            self.mute = True
        elif fault:
            self.close_connection = True
            if fault != "reset":
                body = b"<Error><Code>InternalError</Code></Error>"
                self._answer(fault, body, {"Connection": "close"})
            return True
        return False

    def do_PUT(self):
        bucket, path = self.server.bucket, self._path()
        if "100-continue" in self.headers.get("Expect", ""):
            self.send_response_only(100)
            self.end_headers()
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self._fails():
            return None
        if self._is_closed("readonly"):
            return self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        if not path.parents[len(path.relative_to(bucket.root).parts) - 2].is_dir():
            return self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        wanted = self.headers.get("x-amz-checksum-sha256")
        if wanted and base64.b64encode(hashlib.sha256(body).digest()).decode() != wanted:
            return self._answer(400, b"<Error><Code>BadDigest</Code></Error>")
        with bucket.lock:
            tag, match = _tag(path), self.headers.get("If-Match")
            if (match and match != tag) or (self.headers.get("If-None-Match") == "*" and tag):
                return self._answer(412, b"<Error><Code>PreconditionFailed</Code></Error>")
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{threading.get_ident()}")
            temporary.write_bytes(body)
            os.replace(temporary, path)
            bucket.puts.append(path.name)
            tag = _tag(path)
        return self._answer(200, b"", {"ETag": tag})

    def do_DELETE(self):
        if self._fails():
            return None
        if self._is_closed("readonly"):
            return self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        self._path().unlink(missing_ok=True)
        return self._answer(204, b"")

    def _path(self) -> Path:
        return self.server.bucket.root / unquote(urlsplit(self.path).path).lstrip("/")

    def _is_closed(self, name: str) -> bool:
        return self._path().relative_to(self.server.bucket.root).parts[0] in ("private", name)

    def do_GET(self):
        bucket: Bucket = self.server.bucket
        if self._fails():
            return None
        url = urlsplit(self.path)
        name, _, key = unquote(url.path).lstrip("/").partition("/")
        if name == "private":
            return self._answer(403, b"<Error><Code>AccessDenied</Code></Error>")
        if not (bucket.root / name).is_dir():
            return self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        if not key:
            return self._list(bucket.root / name, parse_qs(url.query))
        return self._object(bucket, bucket.root / name / key)

    def _object(self, bucket: Bucket, path: Path):
        if not path.is_file():
            return self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        content, asked = path.read_bytes(), self.headers.get("Range")
        size = len(content)
        extra = {"ETag": _tag(path), "Last-Modified": "Sat, 01 Jan 2022 00:00:00 GMT"}
        if not asked:
            return self._answer(200, content, extra)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        start = int(first) if first else size - int(last)
        if start >= size:
            return self._answer(416, b"<Error><Code>InvalidRange</Code></Error>")
        end = min(int(last) if first and last else size - 1, size - 1)
        extra["Content-Range"] = f"bytes {start}-{end}/{size}"
        return self._answer(206, content[start : end + 1], extra)

    def _list(self, place: Path, query: dict):
        prefix, start = query.get("prefix", [""])[0], query.get("start-after", [""])[0]
        delimiter = query.get("delimiter", [""])[0]
        keys = sorted(
            (Path(above) / file).relative_to(place).as_posix()
            for above, _, files in os.walk(place)
            for file in files
        )
        found, folders = [], set()
        for key in keys:
            if key.startswith(prefix) and key > start:
                rest = key[len(prefix) :]
                if delimiter and delimiter in rest:
                    folders.add(prefix + rest.partition(delimiter)[0] + delimiter)
                else:
                    found.append(key)
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{(place / key).stat().st_size}</Size>"
            '<LastModified>2022-01-01T00:00:00.000Z</LastModified><ETag>"1"</ETag></Contents>'
            for key in found
        ) + "".join(
            f"<CommonPrefixes><Prefix>{escape(one)}</Prefix></CommonPrefixes>" for one in folders
        )
        text = f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
        return self._answer(200, text.encode())

    def _answer(self, code: int, body: bytes, headers: dict | None = None):
        if getattr(self, "mute", False):
            self.mute, self.close_connection = False, True
            return
        self.server.bucket.bytes += len(body)
        self.send_response(code)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if getattr(self, "cut", False):
            self.cut, self.close_connection, body = False, True, body[: len(body) // 2]
        if self.command != "HEAD":
            self.wfile.write(body)


def _tag(path: Path) -> str:
    """What the store calls this content; "" where there is none."""
    return f'"{hashlib.md5(path.read_bytes()).hexdigest()}"' if path.is_file() else ""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, address):
        """A reader that has left is no matter here."""


@contextmanager
def served_by_moto(bucket: str):
    """(boto3's client, the address) of moto's S3 with an empty bucket, while it lasts."""
    from boto3.session import Session
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    try:
        address = "http://{}:{}".format(*server.get_host_and_port())
        session = Session("somebody", "secret", region_name="us-east-1")
        client = session.client("s3", endpoint_url=address)
        client.create_bucket(Bucket=bucket)
        yield client, address
    finally:
        server.stop()


@contextmanager
def served(root: Path):
    """(bucket, its address) while it lasts."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.bucket = Bucket(root)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server.bucket, f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
