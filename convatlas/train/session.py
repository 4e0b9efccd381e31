"""A network, its optimiser and how far they are: all of it goes into a checkpoint and comes back the same."""
import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor, nn

from convatlas.train.checkpoint import Checkpoint
from convatlas.train.folder import RunError
from convatlas.train.loss import loss_function
from convatlas.train.recipe import Recipe
from convatlas.train.schedule import learning_rate

OPTIMISERS: dict[str, Callable] = {
    "sgd": lambda parameters, r: torch.optim.SGD(parameters, r.lr, r.momentum, weight_decay=r.weight_decay,
                                                 nesterov=r.nesterov, fused=True),
    "adam": lambda parameters, r: torch.optim.Adam(parameters, r.lr, weight_decay=r.weight_decay, fused=True),
    "adamw": lambda parameters, r: torch.optim.AdamW(parameters, r.lr, weight_decay=r.weight_decay, fused=True),
}


@dataclass
class Progress:
    """How far a run is, in plain numbers."""
    epoch: int = 0              # the epoch under way, from 0
    batch: int = 0              # its steps that are done
    step: int = 0               # steps done in all
    seen: int = 0               # pictures of this epoch, with their loss and hits
    loss_sum: float = 0.0
    correct: int = 0
    scores: list[float] = field(default_factory=list)   # validation accuracy of the finished epochs
    best_epoch: int = -1        # the latest of the best ones
    seconds: float = 0.0        # of training and validation
    log_length: int = 0         # bytes of log.jsonl


class Session:
    """One step at a time. Everything random in step n of a run is a function of (seed, n), so no state is kept."""

    def __init__(self, recipe: Recipe, net: nn.Module, steps_per_epoch: int, device: torch.device):
        self.recipe, self.steps_per_epoch, self.device = recipe, steps_per_epoch, device
        layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        self.net = net.to(device, memory_format=layout)
        self.layout = layout
        self.forward = torch.compile(net) if recipe.compile else net
        self.loss = loss_function(recipe.loss, recipe.label_smoothing)
        self.optimiser = OPTIMISERS[recipe.opt](net.parameters(), recipe)
        self.progress = Progress()
        self.best: dict[str, Tensor] = {}
        self._since = time.monotonic()

    def step(self, x: Tensor, y: Tensor) -> float:
        """One optimiser step on pictures (N, C, H, W) and labels (N,); returns the loss. RunError if not finite."""
        progress = self.progress
        torch.manual_seed(seed_for(self.recipe.seed, "step", progress.step))
        for group in self.optimiser.param_groups:
            group["lr"] = self.learning_rate
        self.net.train()
        x, y = x.to(self.device, memory_format=self.layout), y.to(self.device)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.amp):
            loss, logits = self._loss_of(x, y)
        value = float(loss.detach())
        if not math.isfinite(value):
            raise RunError(f"the loss became {value} at step {progress.step} (epoch {progress.epoch + 1}); nothing of "
                           f"it was saved. Start again with a lower --lr (it was {self.learning_rate:.2g} here), or "
                           f"with --warmup-epochs")
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        progress.step += 1
        progress.batch += 1
        progress.seen += len(y)
        progress.loss_sum += value * len(y)
        progress.correct += int((logits.detach().argmax(1) == (y if y.ndim == 1 else y.argmax(1))).sum())
        return value

    def _loss_of(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, and the logits of the main head. Networks with auxiliary heads say their weights themselves."""
        if not hasattr(self.net, "training_outputs"):
            logits = self.forward(x)
            return self.loss(logits, y), logits
        outputs = self.net.training_outputs(x)
        return sum(weight * self.loss(logits, y) for logits, weight in outputs), outputs[0][0]

    @property
    def learning_rate(self) -> float:
        return learning_rate(self.recipe, self.progress.step, self.steps_per_epoch, self.progress.scores)

    def end_epoch(self, score: float) -> dict:
        """Note the epoch's validation accuracy, keep the weights if none was better; returns the log's line."""
        progress = self.progress
        record = {"epoch": progress.epoch + 1, "step": progress.step, "lr": self.learning_rate,
                  "train_loss": progress.loss_sum / progress.seen, "train_accuracy": progress.correct / progress.seen,
                  "val_accuracy": score, "seconds": self.seconds}
        if score >= max(progress.scores, default=-1.0):
            progress.best_epoch = progress.epoch
            self.best = {name: tensor.detach().cpu().clone() for name, tensor in self.net.state_dict().items()}
        progress.scores.append(score)
        progress.epoch, progress.batch = progress.epoch + 1, 0
        progress.seen, progress.loss_sum, progress.correct = 0, 0.0, 0
        return record

    @property
    def seconds(self) -> float:
        """Time spent in this run, over all its processes."""
        return self.progress.seconds + time.monotonic() - self._since

    def snapshot(self, about: dict) -> Checkpoint:
        """`about` joins the state: what the run is of (recipe, classes, fingerprint)."""
        moments = {f"optimiser.{index}.{name}": value
                   for index, values in self.optimiser.state_dict()["state"].items()
                   for name, value in values.items() if isinstance(value, Tensor)}
        best = {f"best.{name}": tensor for name, tensor in self.best.items()}
        state = {"progress": asdict(self.progress) | {"seconds": self.seconds}} | about
        return Checkpoint(self.progress.step, self.net.state_dict(), moments | best, state)

    def restore(self, checkpoint: Checkpoint) -> None:
        self.net.load_state_dict(checkpoint.model)
        parameters = [p for group in self.optimiser.param_groups for p in group["params"]]
        moments: dict[int, dict[str, Tensor]] = {}
        for key, tensor in checkpoint.train_state.items():
            kind, rest = key.split(".", 1)
            if kind == "best":
                self.best[rest] = tensor
            else:
                index, name = rest.split(".", 1)
                moments.setdefault(int(index), {})[name] = _like(parameters[int(index)], tensor)
        groups = self.optimiser.state_dict()["param_groups"]
        self.optimiser.load_state_dict({"state": moments, "param_groups": groups})
        self.progress = Progress(**checkpoint.state["progress"])
        self._since = time.monotonic()


def _like(parameter: Tensor, moment: Tensor) -> Tensor:
    """A moment in its parameter's memory layout: fused optimisers walk the two side by side."""
    return torch.empty_like(parameter).copy_(moment) if moment.shape == parameter.shape else moment


def seed_for(seed: int, what: str, number: int = 0) -> int:
    """A 63-bit seed that depends on all three and on nothing else."""
    digest = hashlib.sha256(f"{seed}/{what}/{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
