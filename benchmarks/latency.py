"""Latency at batch 1 of the form that `predict --engine auto` takes, beside torchvision's or timm's
network in eager float32 with the same weights, and beside the engines run by hand.

    python -m benchmarks.latency                # 12 networks, two threads, about 10 minutes
    python -m benchmarks.latency --networks resnet18 vgg16 --seconds 5
    python -m benchmarks.latency --inductor     # torch.compile, frozen, too: minutes more each
    python -m benchmarks.latency --peak         # resnet50_v15's share of the convolution peak
    python -m benchmarks.latency --page         # the tables of docs/ship/speed.md

Everything that is timed answers the built-in pictures first, and is left out where it differs from
eager float32 by more than the limits of an export's proof. All of a network is measured in turn, in
one process. A line of benchmarks/latency.jsonl for each network; the page shows the last one of
each. --clock cpu takes the processor's seconds of this process instead of the wall's: with one
thread that is what a busy machine can measure.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path

import torch

from benchmarks import by_hand, results
from convatlas.deploy.record import installed
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.speed import benching, peak
from convatlas.speed.choosing import measured
from convatlas.speed.comparing import Reference
from convatlas.speed.forms import FORMS, Answer, Forms, is_installed
from convatlas.speed.theirs import theirs
from convatlas.timing import Clock, alternated, geometric_mean
from convatlas.training.provenance import provenance

RESULTS = Path(__file__).with_suffix(".jsonl")
PAGE = Path(__file__).parents[1] / "docs" / "ship" / "speed.md"
# ours -> whose eager network it is held against. Where ours under the paper's name has no twin, the
# one with torchvision's graph is taken, so that weights and answers are the same.
NETWORKS = {
    "resnet18": "torchvision",
    "resnet50_v15": "torchvision",
    "vgg16": "torchvision",
    "mobilenet_v2": "torchvision",
    "mobilenet_v3_large": "torchvision",
    "shufflenet_v2_torchvision": "torchvision",
    "squeezenet1_1": "torchvision",
    "densenet121": "torchvision",
    "inception_v3": "torchvision",
    "efficientnet_b0_torchvision": "torchvision",
    "resnext50_32x4d": "torchvision",
    "se_resnet50": "timm",
}
CLOCKS: dict[str, Clock] = {"wall": time.perf_counter, "cpu": time.process_time}
PICTURES = 16  # that all that is timed is compared on
PRECISIONS = ("f32", "bf16")


def network_row(name: str, threads: int, seconds: float, slow: bool, clock: str) -> dict:
    """Times and errors of one network by way: "eager", "chosen-f32", "hand-openvino-f32", ..."""
    torch._dynamo.reset()  # it compiles one class eight times, and then answers with eager
    saved = benching.fresh(name)
    there, net = theirs(saved, NETWORKS[name])
    reference = Reference(saved, PICTURES, is_drawn=True)
    chosen = {}
    answers: dict[str, Answer] = {}
    forms = Forms(saved)
    for precision in PRECISIONS:
        candidates = [
            form
            for form in FORMS.values()
            if not form.slow and is_installed(form) and form.precision in ("f32", precision)
        ]
        taken = measured(forms, candidates, reference, threads, clock=CLOCKS[clock])
        chosen[precision] = str(taken)
        answers[f"chosen-{precision}"] = taken.answer
    one = reference.images[:1]
    answers["eager"] = by_hand.eager(net, threads)
    errors, refused = {}, {}
    for way, made in _by_hand(net, one, threads, slow):
        try:
            answers[way] = made()
        except Exception as error:  # each engine raises its own, and a user would see it
            refused[way] = next(iter(str(error).splitlines()), type(error).__name__)
    for way in list(answers):
        precision = "bf16" if way.endswith("bf16") else "f32"
        compared = _compared(reference, answers[way], precision)
        errors[way] = compared.error
        if not compared.is_near:
            refused[way] = str(compared)
            del answers[way]
    calls = {way: partial(answer, one) for way, answer in answers.items()}
    times = alternated(calls, seconds, CLOCKS[clock])
    return _about(threads, clock) | {
        "network": name,
        "theirs": f"{NETWORKS[name]} {there}",
        "chosen": chosen,
        "ms": {way: _milliseconds(timing) for way, timing in times.items()},
        "errors": errors,
        "refused": refused,
    }


def _compared(reference: Reference, answer: Answer, precision: str):
    """Picture by picture, since what is made by hand is made for one."""
    return reference.compare(
        lambda images: torch.cat([answer(image[None]) for image in images]), precision
    )


def _by_hand(net, one, threads: int, slow: bool) -> Iterator[tuple]:
    yield "hand-onnxruntime-f32", partial(by_hand.onnxruntime, net, one, threads)
    for precision in PRECISIONS:
        yield (
            f"hand-openvino-{precision}",
            partial(by_hand.openvino, net, one, threads, precision),
        )
    for precision in PRECISIONS if slow else ():
        yield (
            f"hand-inductor-{precision}",
            partial(by_hand.inductor, net, one, threads, precision),
        )


def _about(threads: int, clock: str) -> dict:
    said = provenance(torch.device("cpu"))
    return {
        "date": date.today().isoformat(),
        "processor": said["device"],
        "cores": said["cores"],
        "threads": threads,
        "clock": clock,
        "commit": said["commit"],
        "versions": installed("torch", "torchvision", "timm", "onnxruntime", "openvino", "ncnn"),
    }


def _milliseconds(timing) -> dict:
    return {
        key: value if key == "rounds" else round(1e3 * value, 3)
        for key, value in asdict(timing).items()
    }


def peak_row(threads: int, seconds: float, clock: str) -> dict:
    """What share of the convolution peak resnet50_v15 reaches, at one picture and at 16."""
    saved: Saved = benching.fresh("resnet50_v15")
    peaks = {threads: peak.peaks(threads, CLOCKS[clock])}
    ways = [*benching.ways(saved)]
    rows = benching.bench(
        Reference(saved, is_drawn=True),
        ways,
        [threads],
        peaks,
        seconds=seconds,
        clock=CLOCKS[clock],
    )
    return _about(threads, clock) | {
        "peak": "resnet50_v15",
        "operations_a_second": peaks[threads],
        "rows": [
            {
                "form": row.form,
                "precision": row.precision,
                "refused": row.refused,
                "ms": {n: _milliseconds(timing) for n, timing in row.times.items()},
                "shares": {n: round(share, 4) for n, share in row.shares.items()},
            }
            for row in rows
        ],
    }


def gains(row: dict) -> dict[str, float]:
    """precision -> times as fast as the other library's eager network."""
    ms = {way: found["median"] for way, found in row["ms"].items()}
    return {
        precision: ms["eager"] / ms[f"chosen-{precision}"]
        for precision in PRECISIONS
        if f"chosen-{precision}" in ms
    }


def beside_hand(row: dict) -> dict[str, float]:
    """precision -> the best by hand over the chosen form: 1 is level, more is faster."""
    ms = {way: found["median"] for way, found in row["ms"].items()}
    found = {}
    for precision in PRECISIONS:
        hand = [
            value
            for way, value in ms.items()
            if way.startswith("hand-") and (precision == "bf16" or way.endswith("f32"))
        ]
        if hand and f"chosen-{precision}" in ms:
            found[precision] = min(hand) / ms[f"chosen-{precision}"]
    return found


def table(rows: list[dict]) -> str:
    lines = [
        "| network | beside | eager ms | chosen, f32 | x | to best by hand | chosen, bf16 allowed "
        "| x | to best by hand |",
        "|---|---|---|---|---|---|---|---|---|",
        *map(line, rows),
    ]
    means = [
        f"{precision} {geometric_mean([gains(row)[precision] for row in rows]):.2f}"
        for precision in PRECISIONS
        if all(precision in gains(row) for row in rows)
    ]
    return "\n".join([*lines, "", f"Geometric means of the gains: {', '.join(means)}."])


def line(row: dict) -> str:
    cells = [row["network"], row["theirs"], _spread(row["ms"]["eager"])]
    for precision in PRECISIONS:
        way = f"chosen-{precision}"
        if way not in row["ms"]:
            cells += [row["refused"].get(way, ""), "", ""]
            continue
        form = row["chosen"][precision].partition(",")[0]
        beside = beside_hand(row).get(precision)
        cells += [
            f"{form} {_spread(row['ms'][way])}",
            f"{gains(row)[precision]:.2f}",
            "" if beside is None else f"{beside:.2f}",
        ]
    return f"| {' | '.join(cells)} |"


def _spread(found: dict) -> str:
    return f"{found['median']:.2f} ({found['low']:.2f}-{found['high']:.2f})"


def peak_table(row: dict) -> str:
    told = ", ".join(f"{v / 1e9:,.0f} in {name}" for name, v in row["operations_a_second"].items())
    lines = [
        f"The convolution peak with {row['threads']} threads: {told}, in 10^9 operations a second.",
        "",
        "| form | batch 1: ms, % of peak | batch 16: ms, % of peak |",
        "|---|---|---|",
    ]
    for one in row["rows"]:
        cells = [
            f"{one['ms'][n]['median']:.1f}, {100 * one['shares'][n]:.0f} %"
            if n in one["ms"]
            else one["refused"]
            for n in ("1", "16")
        ]
        lines.append(f"| {one['form']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def write_page() -> None:
    """The last line of each network that was measured with the wall's clock."""
    rows = [row for row in results.stored(RESULTS) if row["clock"] == "wall"]
    last = {row.get("network", "peak"): row for row in rows}
    networks = [last[name] for name in NETWORKS if name in last]
    parts = [_machine(networks[0]), table(networks)] if networks else []
    parts += [peak_table(last["peak"])] if "peak" in last else []
    results.show("\n\n".join(parts), RESULTS, PAGE)


def _machine(row: dict) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in row["versions"].items())
    return (
        f"{row['processor']}, {row['cores']} cores, {row['threads']} threads, {row['date']}; "
        f"{versions}. Milliseconds: median (quartiles)."
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", nargs="+", choices=[*NETWORKS], default=[*NETWORKS])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=12, help="to time each network [12]")
    parser.add_argument("--inductor", action="store_true", help="torch.compile by hand, too")
    parser.add_argument("--clock", choices=[*CLOCKS], default="wall")
    parser.add_argument("--peak", action="store_true", help="the share of the peak alone")
    parser.add_argument("--page", action="store_true", help="write the page from what is stored")
    given = parser.parse_args()
    names = [] if given.page or given.peak else given.networks
    done = []
    for name in names:
        begin = time.monotonic()
        try:
            row = network_row(name, given.threads, given.seconds, given.inductor, given.clock)
        except ExportError as error:
            print(f"{name}: {error}", flush=True)
            continue
        results.keep(row, RESULTS)
        done.append(row)
        print(f"{line(row)} {time.monotonic() - begin:.0f} s", flush=True)
    if given.peak:
        row = json.loads(json.dumps(peak_row(given.threads, given.seconds, given.clock)))
        results.keep(row, RESULTS)
        print(peak_table(row))
    if done:
        print(table(done).splitlines()[-1])
    write_page()


if __name__ == "__main__":
    main()
