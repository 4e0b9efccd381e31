"""Which form answers fastest here of those that answer right; remembered for the next time."""

import contextlib
import hashlib
import json
import os
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn as nn
from torch import Tensor

from convatlas import strict_json
from convatlas.deploy.record import installed, sha256
from convatlas.errors import ExportError
from convatlas.machine import processor, user_cache
from convatlas.model_file import Saved, weights_file
from convatlas.regular_file import read_regular
from convatlas.settings import shown
from convatlas.speed.comparing import Reference
from convatlas.speed.forms import EAGER, ENGINES, FORMS, Answer, Form, Forms, is_installed
from convatlas.timing import Clock, alternated

FORMAT = 1
SECONDS = 2.0  # of measuring all
LONGER = 2  # times as long are those measured again that came close
CLOSE = 1.25  # times the fastest
PICTURES = 4  # that a remembered form is compared on
LARGEST = 10_000  # bytes of what is remembered
PACKAGES = ("convatlas", "torch", "onnxruntime", "openvino", "ncnn")


@dataclass(frozen=True)
class Chosen:
    """The form that was taken, and why."""

    form: Form
    answer: Answer
    reason: str

    def __str__(self) -> str:
        return f"{self.form.name}, {self.reason}"


class AsForm(nn.Module):
    """A network that answers through a form. What reads more of it than its answers, gives it
    images of another side, or moves it to another device, meets the network itself.
    """

    def __init__(self, net: nn.Module, answer: Answer, size: tuple[int, ...]):
        super().__init__()
        self.net = net
        self.answer = answer
        self.size = size

    def forward(self, images: Tensor) -> Tensor:
        is_usual = images.shape[1:] == self.size and images.device.type == "cpu"
        return self.answer(images) if is_usual else self.net(images)

    def __getattr__(self, name: str):
        try:
            return super().__getattr__(name)
        except AttributeError:
            return getattr(super().__getattr__("net"), name)


def on_engine(saved: Saved, engine: str = "auto", bf16: bool = False) -> tuple[Saved, Chosen]:
    """The network, answering through the fastest form of an engine, or of all with "auto".

    Only forms count whose answers to the built-in pictures are within the limits of an export's
    proof; those in bfloat16 only where `bf16` asks for them. Raises ExportError for an engine that
    is unknown, missing, or refused with the reason; and for a network that is not on the processor.
    """
    if engine not in ("auto", *ENGINES):
        allowed = " | ".join(("auto", *ENGINES))
        raise ExportError(f"there is no engine {shown(engine)}; allowed: {allowed}")
    if next(saved.net.parameters()).device.type != "cpu":
        raise ExportError("engines are chosen for the processor; leave --device or --engine out")
    chosen = choose(saved, _candidates(engine, bf16))
    prep = saved.preprocess
    size = (prep.channels, prep.side, prep.side)
    return replace(saved, net=AsForm(saved.net, chosen.answer, size).eval()), chosen


def _candidates(engine: str, bf16: bool) -> list[Form]:
    found = [
        form
        for form in FORMS.values()
        if not form.slow
        and (bf16 or form.precision == "f32")
        and engine in ("auto", form.engine)
        and (engine != "auto" or is_installed(form))
    ]
    if bf16 and all(form.precision == "f32" for form in found):
        raise ExportError(
            "bfloat16 is counted in by OpenVINO: pip install 'convatlas[openvino]' and leave "
            "--engine out, or leave --bf16 out"
        )
    return found


def choose(saved: Saved, candidates: list[Form]) -> Chosen:
    """What was remembered where it still answers right, else measured anew and remembered."""
    forms = Forms(saved)
    place = _place(saved, candidates)
    known = _remembered(place)
    if known in [form.name for form in candidates] and (answer := _near(forms, FORMS[known])):
        return Chosen(FORMS[known], answer, "the fastest when it was measured here")
    chosen = measured(forms, candidates, Reference(saved))
    _remember(place, chosen.form)
    return chosen


def _near(forms: Forms, form: Form) -> Answer | None:
    """A remembered form, unless it cannot be made any more or answers otherwise."""
    with contextlib.suppress(ExportError):
        answer = forms.made(form)
        few = Reference(forms.saved, PICTURES)
        if form == EAGER or few.compare(answer, form.precision).is_near:
            return answer
    return None


def measured(
    forms: Forms,
    candidates: list[Form],
    reference: Reference,
    threads: int | None = None,
    seconds: float = SECONDS,
    clock: Clock = time.perf_counter,
) -> Chosen:
    """The fastest at one picture, of those within their limits, by the lower quartile of each, in
    `seconds` of measuring, and LONGER times as many where several are close. ExportError where none
    is within its limits.
    """
    answers: dict[str, Answer] = {}
    refused: dict[str, str] = {}
    for form in candidates:
        try:
            answer = forms.made(form, threads)
            compared = reference.compare(answer, form.precision)
        except ExportError as error:
            refused[form.name] = str(error)
            continue
        if compared.holds:
            answers[form.name] = answer
        else:
            refused[form.name] = f"{form.name} does not answer as predict does ({compared})"
    if not answers:
        raise ExportError("; ".join(refused.values()))
    times = _quartiles(answers, reference.images[:1], seconds, clock)
    best = min(times, key=lambda name: times[name])
    return Chosen(FORMS[best], answers[best], _reason(best, times, refused))


def _quartiles(
    answers: dict[str, Answer], images: Tensor, seconds: float, clock: Clock
) -> dict[str, float]:
    """Seconds of a call by form, in the lower quartile, since what else the machine does only adds
    to it. Those that come close to the fastest are measured again, for longer: a few rounds do not
    tell them apart.
    """
    calls = {name: lambda answer=answer: answer(images) for name, answer in answers.items()}
    times = {name: found.low for name, found in alternated(calls, seconds, clock).items()}
    near = CLOSE * min(times.values())
    close = {name: call for name, call in calls.items() if times[name] <= near}
    if len(close) > 1:
        longer = alternated(close, LONGER * seconds, clock)
        times |= {name: found.low for name, found in longer.items()}
    return times


def _reason(best: str, times: dict[str, float], refused: dict[str, str]) -> str:
    others = (f"{name} {1e3 * t:.1f}" for name, t in times.items() if name != best)
    more = "".join(f", {name}" for name in others)
    left = "".join(f"; refused: {why}" for why in refused.values())
    return f"{1e3 * times[best]:.1f} ms a picture{more}{left}"


def _place(saved: Saved, candidates: list[Form]) -> Path | None:
    """A file named for all that the choice depends on; None for a user without a home."""
    prep = saved.preprocess
    about = {
        "format": FORMAT,
        "network": saved.network,
        "weights": sha256(weights_file(saved.net.state_dict())),
        "side": [prep.channels, prep.side],
        "candidates": [form.name for form in candidates],
        "threads": torch.get_num_threads(),
        "versions": installed(*PACKAGES),
        "processor": processor(),
    }
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
    cache = user_cache()
    return cache and cache / "engines" / f"{digest}.json"


def _remembered(place: Path | None) -> str:
    """The name of a form; "" where nothing sound is remembered."""
    if place is None:
        return ""
    try:
        about = strict_json.loads(read_regular(place, LARGEST))
        name = about["form"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return name if isinstance(name, str) and name in FORMS else ""


def _remember(place: Path | None, form: Form) -> None:
    """Where there is no place for it, the next time measures again."""
    if place is None:
        return
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=place.parent, delete=False, encoding="utf-8"
        ) as file:
            json.dump({"form": form.name}, file)
        os.replace(file.name, place)
