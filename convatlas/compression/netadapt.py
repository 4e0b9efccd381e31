"""NetAdapt (Yang, Howard, Chen, Zhang, Go, Sandler, Sze, Adam; ECCV 2018): a network is brought
within a budget by taking filters, step by step, from the one layer where that costs least accuracy.

In each step every layer makes a proposal: as many of its filters go as the step's target needs,
those of least L2 norm; the rest is trained for a few batches, and scored on the validation
pictures. The best proposal is kept. Schedule, norm and short training are those of the authors'
code, github.com/denru01/netadapt; ties are broken by the loss, which is ours.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path

import torch
from torch import Tensor, nn

from convatlas.compression import retraining
from convatlas.compression.adaptation import Journal, Step
from convatlas.compression.latency import Cost, Latency, Macs, networks_latency
from convatlas.compression.subject import BATCH, Run
from convatlas.data import Loader
from convatlas.errors import InputError, Stopped
from convatlas.evaluation import Evaluation, evaluate
from convatlas.model_file import Saved, load_model, weights_file
from convatlas.narrowing import proof, steps
from convatlas.narrowing.groups import Anatomy, Group, dissected, fewest
from convatlas.narrowing.surgery import cut
from convatlas.training.plain_files import kind, read_plain
from convatlas.training.prepare import threads
from convatlas.training.seeds import seed_for
from convatlas.training.signals import StopRequest

SHORT = 10  # batches after each proposal, as in the authors' README
RATE = 1e-3  # the same
MOMENTUM = 0.9  # of their AlexNet example, with the decay
WEIGHT_DECAY = 1e-4
EPOCHS = 20  # at the end
FINAL = 1_000_000  # the number of their first: no step's batches are of it
LARGEST_RECIPE = 1_000_000  # bytes


@dataclass(frozen=True)
class Settings:
    """How far, by which measure, and how long it is trained. InputError for what cannot be."""

    budget: str  # "0.7x", or a number in the measure's unit
    measure: str = "macs"
    batches: int = SHORT
    rate: float = RATE
    epochs: int = EPOCHS
    first: float = steps.FIRST
    decay: float = steps.DECAY
    seed: int = 0

    def __post_init__(self):
        if self.measure not in ("macs", "latency"):
            raise InputError(f"--measure is macs or latency, not {self.measure!r}")
        if self.batches < 0 or self.epochs < 0 or not 0 < self.rate < 100:
            raise InputError(
                "--batches and --epochs are 0 or more and --lr a number above 0, not "
                f"{self.batches}, {self.epochs} and {self.rate}"
            )
        self.of(1.0)

    def of(self, full: float) -> float:
        """The budget of a network that costs `full`. InputError where the text is no budget."""
        share = self.budget.endswith("x")
        try:
            number = float(self.budget.removesuffix("x"))
        except ValueError:
            number = 0.0
        if not 0 < number < float("inf") or (share and number >= 1):
            raise InputError(
                f"--budget is a share of the network's cost such as 0.7x, or a number of MACs or "
                f"milliseconds, not {self.budget!r}"
            )
        return number * full if share else number


@dataclass(frozen=True)
class Proposal:
    """A network with one layer narrower, trained for a few batches."""

    group: Group
    gone: int
    cost: float
    net: nn.Module
    found: Evaluation

    @cached_property
    def scored(self) -> steps.Scored:
        filters = self.group.filters[self.gone]
        return steps.Scored(self.group.name, filters, self.found.correct, self.found.loss)


@dataclass
class Adaptation:
    """What a run is adapted with; holds the journal's folder while it works."""

    run: Run
    settings: Settings
    journal: Journal
    tell: Callable[[Step], None] = lambda step: None
    warn: Callable[[str], None] = lambda text: None
    stop: StopRequest = field(default_factory=StopRequest)

    def __post_init__(self):
        self.teaching = self.run.teaching()
        images = self.run.images
        val = images.of(images.split("val"))
        self.validation = Loader(val, self.run.saved.preprocess, BATCH)
        prepare = self.run.saved.preprocess
        self.size = (prepare.channels, prepare.side, prepare.side)
        by_latency = self.settings.measure == "latency"
        self.cost: Cost = Latency(dict(self.journal.table)) if by_latency else Macs()

    def go(self) -> Saved:
        """The narrowed network. Raises Stopped after a signal, with all finished steps saved."""
        start = replace(self.run.saved, net=deepcopy(self.run.saved.net).cpu().float())
        saved = self.journal.last_network(start)
        net = saved.net
        if not self.journal.result:
            while (step := self._step(net)) is not None:
                net = step
            self._finish(start, net)
        return load_model(self.journal.path)

    def _step(self, net: nn.Module) -> nn.Module | None:
        """The network after one more step; None where it is within the budget."""
        anatomy = dissected(net, self.size)
        if not self.journal.steps:
            self._begin(net, anatomy)
        first, last = self.journal.steps[0], self.journal.steps[-1]
        budget, number = self.settings.of(first.cost), len(self.journal.steps)
        if last.cost <= budget:
            return None
        goal = steps.target(
            *(last.cost, first.cost, budget, number - 1),
            *(self.settings.first, self.settings.decay),
        )
        goal = steps.reachable(goal, last.cost, self._least(anatomy), first.cost)
        best, count = None, 0
        for proposal in self._proposals(net, anatomy, goal, number):
            count += 1
            both = [proposal.scored] if best is None else [best.scored, proposal.scored]
            if steps.best(both) is proposal.scored:
                best = proposal
        if best is None:
            return self._step(net)  # those that could have are refused by now
        self._add(best, number, goal, count)
        return best.net

    def _open(self, anatomy: Anatomy) -> list[Group]:
        return [group for group in anatomy.narrowable if group.name not in self.journal.refused]

    def _least(self, anatomy: Anatomy) -> float:
        """What the network costs when the layer that can save most has its fewest filters."""
        fewest_left = [g.shapes(g.choices[-1], anatomy.shapes) for g in self._open(anatomy)]
        return min((self.cost(anatomy, shapes) for shapes in fewest_left), default=math.inf)

    def _begin(self, net: nn.Module, anatomy: Anatomy) -> None:
        """Row 0. InputError where the budget cannot be reached, or nothing can be narrowed."""
        full = self.cost(anatomy, {})
        settings = self.settings
        budget = settings.of(full)
        steps.require_reachable(full, budget, settings.first, settings.decay)
        self.journal.refused = {g.name: g.reason for g in anatomy.groups if g.reason}
        if not anatomy.narrowable:
            why = "; ".join(f"{name}: {why}" for name, why in self.journal.refused.items())
            raise InputError(f"no layer of {self.run.saved.network} can be narrowed: {why}")
        found = self._evaluate(net)
        row = Step(
            *(0, "", 0, 0, full, full, anatomy.macs(), _params(net)),
            *(found.correct, found.count, found.loss, 0),
        )
        self._keep(row, net)

    def _proposals(
        self, net: nn.Module, anatomy: Anatomy, goal: float, number: int
    ) -> Iterator[Proposal]:
        batches = self._batches(number)
        for group in self._open(anatomy):
            self._leave_if_asked()
            gone = fewest(group, partial(self.cost, anatomy), anatomy.shapes, goal)
            if gone is None:
                continue
            keeps = group.keeps(gone)
            off = proof.error(net, keeps, self.size)
            if off > proof.LIMIT:
                self.journal.refused[group.name] = f"its proof failed, by {off:.1e}"
                continue
            small = cut(net, keeps)
            self._train(small, batches, number)
            cost = self.cost(anatomy, group.shapes(gone, anatomy.shapes))
            yield Proposal(group, gone, cost, small, self._evaluate(small))

    def _add(self, best: Proposal, number: int, goal: float, proposals: int) -> None:
        macs = dissected(best.net, self.size).macs()
        filters = best.group.filters
        row = Step(
            *(number, best.group.name, filters[0], filters[best.gone], goal, best.cost, macs),
            *(_params(best.net), best.found.correct, best.found.count, best.found.loss, proposals),
        )
        self._keep(row, best.net)

    def _keep(self, row: Step, net: nn.Module) -> None:
        table = self.cost.table if isinstance(self.cost, Latency) else {}
        self.journal.add(row, self.run.saved, net, list(table.items()))
        self.tell(row)

    def _batches(self, number: int) -> list[tuple[Tensor, Tensor]]:
        """The batches that all proposals of a step are trained with."""
        loader, found = self.teaching.loader, []
        epoch = number * (1 + self.settings.batches // len(loader))
        while len(found) < self.settings.batches:
            for x, y, _ in loader.epoch(epoch):
                found.append((x, y))
                if len(found) == self.settings.batches:
                    break
            epoch += 1
        return found

    def _train(self, net: nn.Module, batches: list[tuple[Tensor, Tensor]], number: int) -> None:
        torch.manual_seed(seed_for(self.settings.seed, "netadapt", number))
        optimiser = torch.optim.SGD(
            net.parameters(), self.settings.rate, MOMENTUM, weight_decay=WEIGHT_DECAY
        )
        net.train()
        for x, y in batches:
            self._leave_if_asked()
            optimiser.zero_grad(set_to_none=True)
            retraining.loss_of(net, x, y, self.teaching.loss).backward()
            optimiser.step()
        net.eval()

    def _evaluate(self, net: nn.Module, loader: Loader | None = None) -> Evaluation:
        classes = len(self.run.saved.classes)
        return evaluate(net, loader or self.validation, classes, self.teaching.loss)

    def _leave_if_asked(self) -> None:
        if self.stop.name:
            self.stop.leave()
            done = max(0, len(self.journal.steps) - 1)
            raise Stopped(
                f"stopped by {self.stop.name} with {done} step{'' if done == 1 else 's'} saved; "
                f"go on with {self.journal.resume}"
            )

    def _finish(self, start: Saved, net: nn.Module) -> None:
        """The long training at the end, kept where it is better on the validation pictures; then
        the test pictures, for the first time.
        """
        self._leave_if_asked()
        last, found = net, self._evaluate(net)
        if self.settings.epochs:
            trained = deepcopy(net)
            torch.manual_seed(seed_for(self.settings.seed, "netadapt", -1))
            retraining.train(
                *(trained, list(trained.parameters()), lambda: {}, self.teaching.loader),
                *(self.teaching.loss, self.settings.epochs, self.settings.rate),
                *(FINAL, self._leave_if_asked),
            )
            after = self._evaluate(trained)
            if (after.correct, -after.loss) > (found.correct, -found.loss):
                last, found = trained, after
        figures = self._figures(start, last, found) | {"trained_at_the_end": last is not net}
        self.journal.finish(start, last, figures, self.warn)

    def _figures(self, start: Saved, net: nn.Module, found: Evaluation) -> dict:
        tests = [self.run.accuracy(replace(start, net=one)) for one in (start.net, net)]
        times = networks_latency([start.net, net], self.size)
        return {
            "validation": {
                "right": found.correct,
                "pictures": found.count,
                "loss": found.loss,
            },
            "test": {
                "count": tests[0].count,
                "before": tests[0].correct,
                "after": tests[1].correct,
            },
            "milliseconds": {"before": round(times[0], 3), "after": round(times[1], 3)},
        }


def _params(net: nn.Module) -> int:
    return sum(weight.numel() for weight in net.parameters())


def adapt(
    run: Run,
    place: Path,
    settings: Settings,
    output: Path,
    resume: bool = False,
    tell: Callable[[Step], None] = lambda step: None,
    warn: Callable[[str], None] = lambda text: None,
) -> tuple[Saved, Journal]:
    """The network of a run within its budget, in the folder `output` with its trace.

    `place` is the run's own folder. `resume` goes on in an `output` that was begun with the same
    settings. Raises InputError for a budget that cannot be reached or a network of which no layer
    can be narrowed, RunError for the folder, Stopped after a signal.
    """
    saved = run.saved
    about = {
        "network": saved.network,
        "data": run.images.name,
        "fingerprint": str(saved.provenance.get("fingerprint", "")),
        "weights": hashlib.sha256(weights_file(saved.net.state_dict())).hexdigest(),
        "unit": "ms" if settings.measure == "latency" else "MACs",
        "settings": asdict(settings),
    }
    journal = Journal(output.expanduser(), about)
    journal.open(resume)
    with journal.folder, StopRequest() as stop, threads(run.recipe):
        recipe = place.expanduser() / "recipe.toml"
        if kind(recipe):
            journal.recipe = read_plain(recipe, LARGEST_RECIPE)
        return Adaptation(run, settings, journal, tell, warn, stop).go(), journal
