"""A server under load: whether it loses an answer, whether it grows, how long those wait whom it
has let in.

    python -m benchmarks.serving                     # resnet18 with fresh weights, in ONNX Runtime
    python -m benchmarks.serving FILE --write        # adds a line to benchmarks/serving.jsonl, and
                                                     # writes the table of docs/ship/serve.md

Four parts, one after the other on the same server: many requests from four clients; as many as it
answers at most; ten times as many, sent when they are due whether answers come or not; and clients
that leave before they are answered.
"""

import argparse
import asyncio
import http.client
import io
import itertools
import json
import math
import os
import resource
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks import results
from benchmarks.asking import Running
from convatlas.deploy.record import installed
from convatlas.deploy.sample_pictures import sample_batches

RESULTS = Path(__file__).with_suffix(".jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "ship" / "serve.md"
PARTS = 10  # of a soak, after each of which the memory is noted
WARM = 500  # requests, after which a process has its size
SMALL = 20_000  # bytes of a photograph that is sent by the hundred


def photographs() -> list[bytes]:
    """The built-in pictures, as JPEG."""
    found = []
    for batch in sample_batches():
        for picture in batch:
            file = io.BytesIO()
            Image.fromarray(picture).save(file, "JPEG", quality=90)
            found.append(file.getvalue())
    return found


def tensor(pictures: np.ndarray) -> tuple[bytes, dict[str, str]]:
    """A request of the Open Inference Protocol for pictures (N, H, W, C): its body and headers."""
    about = {"name": "pictures", "datatype": "UINT8", "shape": list(pictures.shape)}
    about["parameters"] = {"binary_data_size": pictures.size}
    start = json.dumps({"inputs": [about]}).encode()
    return start + pictures.tobytes(), {"Inference-Header-Content-Length": str(len(start))}


def asked(model: str) -> list[tuple[str, bytes, dict[str, str]]]:
    """(path, body, headers) of requests that take turns: every fourth is a tensor."""
    body, headers = tensor(np.full((1, 64, 96, 3), 99, np.uint8))
    infer = (f"/v2/models/{model}/infer", body, headers)
    requests = []
    for number, photograph in enumerate(photographs()):
        requests.append(infer if number % 4 == 3 else ("/predict", photograph, {}))
    return requests


def one_by_one(server: Running, requests: list, numbers: Iterator[int], clients: int) -> Counter:
    """How many answers of each status `clients` are given, each of which keeps its connection."""
    statuses = Counter()

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        for number in numbers:  # which all clients share
            path, body, headers = requests[number % len(requests)]
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                answer.read()
                statuses[answer.status] += 1
            except (OSError, http.client.HTTPException) as fault:
                statuses[type(fault).__name__] += 1
                connection.close()
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


def soak(server: Running, model: str, count: int) -> dict:
    requests = asked(model)
    one_by_one(server, requests, iter(range(min(WARM, count))), 4)
    memory, handles = [server.memory()], server.handles()
    began, statuses = time.perf_counter(), Counter()
    for part in range(PARTS):
        numbers = iter(range(count * part // PARTS, count * (part + 1) // PARTS))
        statuses += one_by_one(server, requests, numbers, 4)
        memory.append(server.memory())
    return {
        "requests": count,
        "seconds": round(time.perf_counter() - began, 1),
        "lost": count - statuses[200],
        "megabytes": [round(size / 1e6, 1) for size in memory],
        "handles": [handles, server.handles()],
    }


def capacity(server: Running, model: str, seconds: float) -> float:
    """Requests a second, as many as it can answer to sixteen clients."""
    requests, began = asked(model), time.perf_counter()
    numbers = itertools.takewhile(
        lambda _: time.perf_counter() < began + seconds, itertools.count()
    )
    statuses = one_by_one(server, requests, numbers, 16)
    return statuses[200] / (time.perf_counter() - began)


def overload(server: Running, rate: float, seconds: float) -> dict:
    """Photographs at a rate that waits for no answer, from a process of its own; the server's
    health is asked for all the while.
    """
    before = server.metric("pictures_total")
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        sending = pool.submit(open_loop, server.port, rate, seconds)
        health = probed(server, sending.done)
        found = sending.result()
    server.wait_until(lambda: server.metric("requests_inside") == 0)
    waited = sorted(took for status, took in found if status == 200)
    statuses = Counter(status for status, _ in found)
    return {
        "asked_a_second": round(rate, 1),
        "requests": len(found),
        "answered": statuses[200],
        "refused": statuses[503],
        "neither": {str(key): n for key, n in statuses.items() if key not in (200, 503)},
        "accepted_and_lost": server.metric("pictures_total") - before - statuses[200],
        "seconds": {str(p): percentile(waited, p) for p in (50, 99, 100)},
        "health_seconds": {str(p): percentile(health, p) for p in (50, 99, 100)},
    }


def open_loop(port: int, rate: float, seconds: float) -> list[tuple[int | str, float]]:
    """(status, seconds since it was due) of each request."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    body = next(each for each in photographs() if len(each) < SMALL)
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    request = head.encode() + b"Connection: close\r\n\r\n" + body

    async def one(due: float) -> tuple[int | str, float]:
        try:
            async with asyncio.timeout(60):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(request)
                answer = await reader.read()
                writer.close()
            status = int(answer[9:12])
        except (OSError, TimeoutError, ValueError) as fault:
            status = type(fault).__name__
        return status, time.perf_counter() - due

    async def all_of_them() -> list[tuple[int | str, float]]:
        began, sent = time.perf_counter(), []
        for number in range(int(rate * seconds)):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            sent.append(asyncio.ensure_future(one(due)))
        return await asyncio.gather(*sent)

    return asyncio.run(all_of_them())


def probed(server: Running, done: Callable[[], bool]) -> list[float]:
    """The seconds that each question after its health took, sorted."""
    found = []
    while not done():
        began = time.perf_counter()
        assert server.ask("GET", "/v2/health/live")[0] == 200
        found.append(time.perf_counter() - began)
        time.sleep(0.05)
    return sorted(found)


def percentile(ordered: list[float], share: float) -> float | None:
    """The smallest of them that `share` percent do not exceed; None of none."""
    if not ordered:
        return None
    return round(ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)], 4)


def leaving(server: Running, count: int) -> dict:
    """Clients that leave with a third of their body unsent, or before the answer."""
    body = photographs()[0]
    head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    memory, handles = server.memory(), server.handles()
    for number in range(count):
        server.send(head.encode() + body[: len(body) * (2 + number % 2) // 3]).close()
    server.wait_until(lambda: server.metric("requests_inside") == 0)
    return {
        "clients": count,
        "megabytes": [round(size / 1e6, 1) for size in (memory, server.memory())],
        "handles": [handles, server.handles()],
    }


def growth(part: dict) -> float:
    """Of the memory, in percent."""
    before, *_, after = part["megabytes"]
    return 100 * (after / before - 1)


def measured(file: Path, requests: int, seconds: float) -> dict:
    machine = processor()  # and what else it does, before we begin
    server = Running(["-m", "convatlas", "serve", file, "--port", "0"])
    try:
        model = file.stem
        most = soak(server, model, requests)
        rate = capacity(server, model, seconds)
        return {
            "date": date.today().isoformat(),
            "model": server.said.splitlines()[0],
            "processor": machine,
            "versions": installed("convatlas", "onnxruntime", "openvino", "starlette", "uvicorn"),
            "soak": most,
            "capacity": round(rate, 1),
            "overload": overload(server, 10 * rate, seconds),
            "leaving": leaving(server, 500),
        }
    finally:
        server.close()


def processor() -> str:
    import torch

    from convatlas.training.provenance import provenance

    facts = provenance(torch.device("cpu"))
    return f"{facts['device']}, {facts['cores']} cores, load {os.getloadavg()[0]:.1f}"


def fresh(folder: Path) -> Path:
    """resnet18 with weights that nobody trained: they take as long as any."""
    from convatlas.data import Preprocess
    from convatlas.deploy.exporting import export
    from convatlas.model_file import Saved
    from convatlas.registry import create_model

    net = create_model("resnet18").eval()
    classes = tuple(str(number) for number in range(1000))
    preprocess = Preprocess(3, 224, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), "resize", 256)
    saved = Saved(net, "resnet18", classes, preprocess, {"weights": "fresh"})
    return export(saved, "onnx", folder / "resnet18.onnx")[0]


def table(rows: list[dict]) -> str:
    lines = [
        "| server, machine | requests, lost | memory | handles | answers a second "
        "| asked ten times as much: answered, sent away, lost "
        "| seconds of the answered: half, 99 % | health: 99 % "
        "| 500 that left: memory, handles |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join(lines + [line(row) for row in rows])


def line(row: dict) -> str:
    most, over, left = row["soak"], row["overload"], row["leaving"]
    lost = sum(over["neither"].values()) + over["accepted_and_lost"]
    waited, health = over["seconds"], over["health_seconds"]
    return (
        f"| {row['model']}; {row['processor']} | {most['requests']:,}, {most['lost']} | "
        f"{growth(most):+.1f} % | {most['handles'][1] - most['handles'][0]:+d} | "
        f"{row['capacity']:.0f} | {over['answered']:,}, {over['refused']:,}, {lost} | "
        f"{waited['50']:.2f}, {waited['99']:.2f} | {1000 * health['99']:.0f} ms | "
        f"{growth(left):+.1f} %, {left['handles'][1] - left['handles'][0]:+d} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", type=Path, help="an exported file, .onnx or .xml")
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10.0, help="of overload")
    parser.add_argument("--write", action="store_true", help="to the ledger and the page")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = chosen.file or fresh(Path(folder))
        row = measured(file, chosen.requests, chosen.seconds)
    print(json.dumps(row, indent=1))
    if chosen.write:
        results.keep(row, RESULTS)
        results.show(table(results.stored(RESULTS)), RESULTS, PAGE)


if __name__ == "__main__":
    main()
