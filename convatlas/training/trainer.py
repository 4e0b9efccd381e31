"""A network, its optimiser and how far they are: all of it goes into a checkpoint and comes back
the same.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor, nn

from convatlas.errors import RunError
from convatlas.model_file import is_finite
from convatlas.training import restoring
from convatlas.training.checkpoint import Checkpoint
from convatlas.training.distributed import ProcessGroup
from convatlas.training.ema import averaged
from convatlas.training.fine_tune import freeze
from convatlas.training.loss import balanced, hits, loss_function, weighted
from convatlas.training.optimisers import optimiser
from convatlas.training.recipe import Recipe
from convatlas.training.schedule import ends_early, learning_rate
from convatlas.training.seeds import seed_for
from convatlas.training.sync_bn import synchronise


class Diverged(RunError):
    """A loss that is no finite number."""


@dataclass
class Progress:
    """How far a run is, in plain numbers."""

    epoch: int = 0  # the epoch under way, from 0
    batch: int = 0  # its steps that are done
    step: int = 0  # steps done in all
    seen: int = 0  # images of this epoch, with their loss and hits
    loss_sum: float = 0.0
    correct: int = 0
    scores: list[float] = field(default_factory=list)  # validation accuracy of the finished epochs
    best_epoch: int = -1  # the latest of the best ones
    seconds: float = 0.0  # of training and validation


class _Heads(nn.Module):
    """The network as a step differentiates it: (N, C, H, W) -> [(logits, weight)], the main head
    first.
    """

    def __init__(self, net: nn.Module, compiled: bool):
        super().__init__()
        self.net = net
        self.many = hasattr(
            net, "training_outputs"
        )  # such networks say the weights of their auxiliary heads
        self.main = torch.compile(net) if compiled else net

    def forward(self, x: Tensor) -> list[tuple[Tensor, float]]:
        return self.net.training_outputs(x) if self.many else [(self.main(x), 1.0)]


class Trainer:
    """One step at a time. Everything random in step n of a run is a function of (seed, n), so no
    state is kept. `counts`, of each class's training images, are what class_weights go by.
    """

    def __init__(
        self,
        recipe: Recipe,
        net: nn.Module,
        steps_per_epoch: int,
        device: torch.device,
        group: ProcessGroup | None = None,
        start: dict | None = None,
        counts: Sequence[int] = (),
    ):
        self.recipe, self.steps_per_epoch, self.device = recipe, steps_per_epoch, device
        self.group = group or ProcessGroup()
        self.layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.net = net.to(device, memory_format=self.layout)
        if recipe.sync_bn and self.group.size > 1:
            synchronise(net)
        self.resting = (
            freeze(net, recipe.freeze, recipe.freeze_bn)
            if recipe.freeze or recipe.freeze_bn
            else []
        )
        self.heads = self.group.joined(_Heads(net, recipe.compile))
        self.average = averaged(net, recipe.ema) if recipe.ema else None
        self.loss = loss_function(recipe.loss, recipe.label_smoothing)
        self.training_loss = self.loss
        if recipe.class_weights == "balanced" and counts:
            self.training_loss = weighted(self.loss, balanced(counts))
        self.optimiser = optimiser(recipe, net)
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        self.start = start or {}  # the weights that the run began with, if not fresh: name, sha256
        self.again = ""  # what to type after a loss that is not finite, where that is known
        self._since = time.monotonic()

    @property
    def result(self) -> nn.Module:
        """The network that is measured and kept: the average of the weights where the recipe asks
        for one.
        """
        return self.average.module if self.average else self.net

    def step(self, x: Tensor, y: Tensor, whole: int | None = None) -> float:
        """One optimiser step; returns the loss. Diverged if it is not finite.

        x: images (N, C, H, W), y: labels (N,) or probabilities (N, classes); both this process's
        share of a batch of `whole` images.
        """
        progress, rank = self.progress, self.group.rank
        torch.manual_seed(
            seed_for(self.recipe.seed, f"step of process {rank}" if rank else "step", progress.step)
        )
        self._prepare()
        with self.group.watched(progress.step):
            found = self._differentiate(x, y, whole or len(y))
        loss_sum, correct, seen = self.group.sum(found, progress.step)
        value = loss_sum / seen
        if not math.isfinite(value):
            raise Diverged(
                f"the loss became {value} at step {progress.step} (epoch {progress.epoch + 1}, "
                f"batch {progress.batch + 1}); {self._lower()}",
                quiet=rank > 0,  # all processes find the same sum
            )
        if self.recipe.clip_grad:
            nn.utils.clip_grad_norm_(self.net.parameters(), self.recipe.clip_grad)
        self.optimiser.step()
        if self.average:
            self.average.update_parameters(self.net)
        progress.step += 1
        progress.batch += 1
        progress.seen += int(seen)
        progress.loss_sum += loss_sum
        progress.correct += int(correct)
        return value

    def _lower(self) -> str:
        return (
            "nothing of it was saved. Start again with a lower --lr (it was "
            f"{self.learning_rate:.2g} here), with --warmup-epochs, or with --clip-grad 1"
            + (f": {self.again}" if self.again else "")
        )

    def _prepare(self) -> None:
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate * group["share"]
        self.net.train()
        for part in self.resting:
            part.eval()
        self.optimiser.zero_grad(set_to_none=True)

    def _differentiate(self, x: Tensor, y: Tensor, whole: int) -> list[float]:
        """The gradient of the mean loss over the whole batch; of our share, the sum of losses, the
        hits, the count.

        Processes average their gradients, so each one's loss is weighted by its share times
        their number.
        """
        loss_sum, correct, parts = 0.0, 0, self.recipe.accumulate
        x, y = x.to(self.device, memory_format=self.layout), y.to(self.device)
        for number, (inputs, labels) in enumerate(
            zip(x.tensor_split(parts), y.tensor_split(parts), strict=True), 1
        ):
            with self.group.averaging(self.heads, last=number == parts):
                with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.amp):
                    outputs = self.heads(inputs)
                    loss = sum(
                        weight * self.training_loss(logits, labels) for logits, weight in outputs
                    )
                (loss * (self.group.size * len(labels) / whole)).backward()
            loss_sum += float(loss.detach()) * len(labels)
            correct += hits(outputs[0][0], labels)
        return [loss_sum, correct, len(y)]

    @property
    def is_over(self) -> bool:
        """Whether all epochs are done, or as many as early stopping waits for brought nothing."""
        progress = self.progress
        return progress.epoch >= self.recipe.epochs or ends_early(self.recipe, progress.scores)

    @property
    def learning_rate(self) -> float:
        return learning_rate(
            self.recipe, self.progress.step, self.steps_per_epoch, self.progress.scores
        )

    def end_epoch(self, score: float) -> dict:
        """Note the epoch's validation accuracy, keep the weights if none was better, in the place
        of those before; returns the log's line.
        """
        progress = self.progress
        record = {
            "epoch": progress.epoch + 1,
            "step": progress.step,
            "lr": self.learning_rate,
            "train_loss": progress.loss_sum / progress.seen,
            "train_accuracy": progress.correct / progress.seen,
            "val_accuracy": score,
            "seconds": self.seconds,
        }
        if score >= max(progress.scores, default=-1.0):
            progress.best_epoch = progress.epoch
            for name, tensor in self.result.state_dict().items():
                if name in self.best:  # the memory of the old ones is the new ones'
                    self.best[name].copy_(tensor)
                else:
                    self.best[name] = tensor.detach().cpu().clone()
        progress.scores.append(score)
        progress.epoch, progress.batch = progress.epoch + 1, 0
        progress.seen, progress.loss_sum, progress.correct = 0, 0.0, 0
        return record

    @property
    def seconds(self) -> float:
        """Time spent in this run, over all its processes."""
        return self.progress.seconds + time.monotonic() - self._since

    def snapshot(self, about: dict) -> Checkpoint:
        """`about` joins the state: what the run is of. RunError when a weight is no longer a finite
        number.

        Its tensors are those that the optimiser's next step changes, and copies of all that the
        network itself changes before, its running statistics.
        """
        model, learnt = self.net.state_dict(), dict(self.net.named_parameters())
        model = {name: t if name in learnt else t.clone() for name, t in model.items()}
        for name, tensor in model.items():
            if not is_finite(tensor):
                raise RunError(
                    f"{name} is no longer finite after step {self.progress.step}; {self._lower()}"
                )
        moments = {
            f"optimiser.{index}.{name}": value
            for index, values in self.optimiser.state_dict()["state"].items()
            for name, value in values.items()
            if isinstance(value, Tensor)
        }
        best = {f"best.{name}": tensor for name, tensor in self.best.items()}
        average = self.average.module.state_dict() if self.average else {}
        average = {f"average.{name}": tensor for name, tensor in average.items()}
        state = {
            "progress": asdict(self.progress) | {"seconds": self.seconds},
            "start": self.start,
            "tensors": len(moments | best | average),
        }
        return Checkpoint(self.progress.step, model, moments | best | average, state | about)

    @property
    def file_limits(self) -> dict[str, int]:
        """The most bytes that a checkpoint's files of tensors can have."""
        return restoring.limits(self.net)

    def require_fit(self, checkpoint: Checkpoint) -> None:
        """CheckpointError, naming what differs, unless restore can take up all of it."""
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        average = self.average.module if self.average else None
        restoring.require_progress(checkpoint, self.steps_per_epoch)
        restoring.require_tensors(checkpoint, self.recipe, self.net, average, parameters)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Take up a snapshot's state. CheckpointError, naming what differs, and nothing taken up,
        for one that is not of this network and recipe.
        """
        self.require_fit(checkpoint)
        state, train_state = checkpoint.state, checkpoint.train_state
        self.net.load_state_dict(checkpoint.model)
        self.best = restoring.under("best", train_state)
        if self.average:
            self.average.module.load_state_dict(restoring.under("average", train_state))
            self.average.n_averaged.fill_(checkpoint.step)
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in restoring.under("optimiser", train_state).items():
            index, name = key.split(".", 1)
            moments.setdefault(int(index), {})[name] = _like(parameters[int(index)], tensor)
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        self.progress = Progress(**restoring.require_progress(checkpoint, self.steps_per_epoch))
        self.start = state.get("start", {})
        self._since = time.monotonic()


def _like(parameter: Tensor, moment: Tensor) -> Tensor:
    """A moment in its parameter's memory layout: fused optimisers walk the two side by side."""
    return torch.empty_like(parameter).copy_(moment) if moment.shape == parameter.shape else moment
