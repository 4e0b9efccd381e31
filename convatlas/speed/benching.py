"""Latency and throughput of a network in all its forms, each compared before it is timed."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
from torch import Tensor

from convatlas import strict_json
from convatlas.anatomy import summary
from convatlas.data import Preprocess
from convatlas.deploy.engines import LARGEST_PROOF, Opened, open_export, proof_path
from convatlas.deploy.sample_pictures import sample_batches
from convatlas.errors import ExportError
from convatlas.model_file import Saved
from convatlas.registry import create_model, stored_facts
from convatlas.regular_file import read_regular
from convatlas.speed.comparing import Comparison, Reference
from convatlas.speed.forms import FORMS, Answer, Forms, is_installed
from convatlas.speed.theirs import theirs
from convatlas.timing import Clock, Timing, alternated, share_of_peak

BATCHES = (1, 16)
SECONDS = 3.0  # of measuring a batch size at a number of threads
FEW = 4  # pictures that are compared with the second number of threads, and those after
SETTLED = 8  # pictures from which the norms of a fresh network take their statistics
SHIFT = 1.0  # of what is scaled to a spread of 1
MEAN = (0.485, 0.456, 0.406)  # of ImageNet's pixels
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class Row:
    """A form at a number of threads; its times by batch size, or why it was not timed."""

    form: str
    precision: str
    threads: int
    compared: Comparison | None = None
    refused: str = ""
    times: dict[int, Timing] = field(default_factory=dict)
    shares: dict[int, float] = field(default_factory=dict)  # of the convolution peak

    def to_dict(self) -> dict:
        return asdict(self)


@dataclass(frozen=True)
class Way:
    """Something that answers, to be compared and timed."""

    name: str
    precision: str
    made: Callable[[int], Answer]  # of a number of threads


def fresh(network: str) -> Saved:
    """A network with drawn weights, whose norms have seen the built-in pictures, so that its values
    are of the size that trained ones have. UnknownNetwork.
    """
    torch.manual_seed(0)
    net = create_model(network)
    channels = net.in_channels
    mean, std = (MEAN, STD) if channels == 3 else ((0.5,), (0.25,))
    prep = Preprocess(channels, net.side, mean, std, "resize", net.side)
    classes = tuple(map(str, range(stored_facts()[network]["num_classes"])))
    saved = Saved(net, network, classes, prep, {"weights": "drawn"})
    _settle(net, Reference(saved, SETTLED))
    return saved


def _settle(net: nn.Module, pictures: Reference) -> None:
    """Statistics of the norms from these pictures, layer after layer, and shifts that keep most
    ReLUs open. With half of them shut, or where a norm takes a large mean away and blows up what is
    left, deep networks of drawn weights are chaotic: one rounding more or less moves the answers.
    """
    norms = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    hooks = [norm.register_forward_pre_hook(_take_statistics) for norm in norms]
    with torch.no_grad():
        net.eval()(pictures.images)
    for hook in hooks:
        hook.remove()


def _take_statistics(norm: nn.Module, args: tuple[Tensor]) -> None:
    variance, mean = torch.var_mean(args[0], (0, 2, 3), correction=0)
    norm.running_mean.copy_(mean)
    norm.running_var.fill_(variance.mean() + mean.square().mean())
    if norm.bias is not None:
        nn.init.normal_(norm.bias, SHIFT, 0.1)


def ways(saved: Saved, slow: bool = False, against: str | None = None) -> Iterator[Way]:
    """All forms that are installed, those that take minutes only if asked, and another library's
    module. ExportError where it has none.
    """
    forms = Forms(saved)
    for form in FORMS.values():
        if is_installed(form) and (slow or not form.slow):
            yield Way(form.name, form.precision, partial(forms.made, form))
    if against:
        name, net = theirs(saved, against)
        other = Forms(Saved(net, name, saved.classes, saved.preprocess, {}))
        yield Way(against, "f32", partial(other.made, FORMS["eager"]))


def bench(
    reference: Reference,
    measured: Sequence[Way],
    threads: Sequence[int],
    peaks: dict[int, dict[str, float]],
    batches: Sequence[int] = BATCHES,
    seconds: float = SECONDS,
    clock: Clock = time.perf_counter,
) -> Iterator[Row]:
    """A row a way and number of threads. `peaks` are operations a second by threads and precision.

    A way that does not answer as eager torch does in float32, within the limits of an export's
    proof, is never timed.
    """
    saved = reference.saved
    macs = summary(saved.net, (saved.preprocess.channels, *2 * (saved.preprocess.side,))).macs
    images = {n: _pictures(reference, n) for n in batches}
    few = Reference(saved, FEW, is_drawn=True)  # with other threads only the rounding is another
    compared: dict[str, Row] = {}
    for count in threads:
        answers: dict[str, Answer] = {}
        for way in measured:
            row, answer = _tried(way, count, reference if count == threads[0] else few)
            compared[way.name] = row
            if answer:
                answers[way.name] = answer
        times = _times(answers, images, seconds, clock)
        for name, row in compared.items():
            found = {n: by_name[name] for n, by_name in times.items() if name in by_name}
            peak = peaks.get(count, {}).get(row.precision)
            shares = {
                n: share_of_peak(macs, n, timing.median, peak)
                for n, timing in found.items()
                if peak
            }
            yield Row(row.form, row.precision, count, row.compared, row.refused, found, shares)


def _pictures(reference: Reference, count: int) -> Tensor:
    """As many as are asked for, some of them twice if need be."""
    places = torch.arange(count) % len(reference.images)
    return reference.images[places]


def _tried(way: Way, threads: int, reference: Reference) -> tuple[Row, Answer | None]:
    try:
        answer = way.made(threads)
        compared = reference.compare(answer, way.precision)
    except ExportError as error:
        return Row(way.name, way.precision, threads, None, str(error)), None
    if compared.holds:
        return Row(way.name, way.precision, threads, compared), answer
    return Row(way.name, way.precision, threads, compared, str(compared)), None


def _times(answers, images, seconds: float, clock: Clock) -> dict[int, dict[str, Timing]]:
    """By batch size, then by way."""
    return {
        n: alternated(
            {name: partial(answer, batch) for name, answer in answers.items()}, seconds, clock
        )
        for n, batch in images.items()
        if answers
    }


def bench_file(
    path: Path,
    threads: Sequence[int],
    batches: Sequence[int] = BATCHES,
    seconds: float = SECONDS,
    clock: Clock = time.perf_counter,
) -> tuple[Opened, list[Row]]:
    """An exported file as it is, pictures of 375x500 in, in its engine's own settings but for the
    threads. Its proof stands for the comparison. ExportError as open_export raises it.
    """
    picture = next(sample_batches())
    rows = []
    for count in threads:
        opened = open_export(path, threads=count)
        times = {
            n: alternated({path.name: partial(opened, np.repeat(picture, n, 0))}, seconds, clock)[
                path.name
            ]
            for n in batches
        }
        rows.append(Row(path.name, _precision(path, opened), count, times=times))
    return opened, rows


def _precision(path: Path, opened: Opened) -> str:
    """As its proof has it: an int8 file's engine says f32 of what is around the whole numbers."""
    proof = strict_json.loads(read_regular(proof_path(path), LARGEST_PROOF))
    return str(proof.get("precision", opened.precision))
