"""What benchmarks/gpu.py tries on a device. Each check yields rows: what was tried, whether it held
(`ok`; None where there is nothing to hold), and its figures.
"""

import hashlib
import math
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from convatlas.data import Loader, Preprocess, fit_preprocess, open_data
from convatlas.data.split import ArraySplit
from convatlas.errors import DataError, Stopped
from convatlas.evaluation import evaluate
from convatlas.registry import create_model
from convatlas.training import Callback, Recipe, builtin, train
from convatlas.training.autotune import autotune
from convatlas.training.prepare import macs
from convatlas.training.seeds import seed_for
from convatlas.training.trainer import Trainer

CLASSES = 10
TOLERANCE = {False: 1e-3, True: 0.1}  # of the largest logit, by amp: bf16 has 8 bits a layer
STEPS = {True: 12, False: 60}  # on one batch, quick or not
ROUNDS = 3  # of each side in turn, where two loops are compared


@dataclass(frozen=True)
class Setting:
    """Where the checks run, and how large they are."""

    device: torch.device
    quick: bool  # small networks and few steps: what a processor does in a minute
    data_root: str
    place: Path  # for runs, which are not kept

    @property
    def networks(self) -> dict[str, tuple[int, int]]:
        """Six networks: side in pixels, images in a batch."""
        if self.quick:
            return {
                "lenet5": (32, 16),
                "lenet_caffe": (28, 16),
                "resnet20_cifar": (32, 8),
                "mobilenet_v2_x0_35": (32, 8),
                "shufflenet_v2_x0_5": (32, 8),
                "mobilenet_v3_small": (32, 8),
            }
        return {
            "resnet18": (224, 64),
            "resnet50": (224, 64),
            "mobilenet_v2": (224, 64),
            "shufflenet_v2": (224, 64),
            "efficientnet_b0": (224, 64),
            "densenet121": (224, 64),
        }

    def wait(self) -> None:
        """Until the device has done what it was given."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)


def painted(count: int, side: int) -> ArraySplit:
    """Noise over a pattern that each class has of its own: colours that any network can learn."""
    dice = torch.Generator().manual_seed(0)
    labels = torch.arange(count) % CLASSES
    patterns = torch.randint(0, 160, (CLASSES, 3, 4, 4), generator=dice).float()
    patterns = torch.nn.functional.interpolate(patterns, (side, side), mode="nearest")
    noise = torch.randint(0, 96, (count, 3, side, side), generator=dice)
    images = (patterns[labels] + noise).to(torch.uint8)
    return ArraySplit(images, labels, [f"{i}" for i in range(count)])


def prep_of(side: int) -> Preprocess:
    return Preprocess(3, side, (0.5,) * 3, (0.25,) * 3, "resize", side)


def fresh(name: str) -> torch.nn.Module:
    torch.manual_seed(0)
    return create_model(name, num_classes=CLASSES, in_channels=3)


def networks(setting: Setting) -> Iterator[dict]:
    """Six networks in fp32 and bf16: the loss of a batch falls, and device and processor give the
    same answers afterwards.
    """
    for name, (side, batch) in setting.networks.items():
        for amp in (False, True):
            yield {"case": f"{name}, {'bf16' if amp else 'fp32'}"} | _trained(
                setting, name, side, batch, amp
            )


def _trained(setting: Setting, name: str, side: int, batch: int, amp: bool) -> dict:
    recipe = Recipe(
        network=name,
        batch_size=batch,
        lr=2e-3 if setting.quick else 5e-4,
        weight_decay=0.0,
        sched="constant",
        warmup_epochs=0.0,
        amp=amp,
        channels_last=True,
        clip_grad=1.0,
    )
    loader = Loader(painted(batch, side), prep_of(side), batch)
    trainer = Trainer(recipe, fresh(name), 1, setting.device)
    losses = []
    for epoch in range(STEPS[setting.quick]):
        losses += [trainer.step(x, y) for x, y, _ in loader.epoch(epoch)]
    found = evaluate(trainer.net, loader, CLASSES)
    difference = _difference(trainer.net, loader, setting.device, amp)
    early, late = statistics.mean(losses[:3]), statistics.mean(losses[-3:])
    return {
        "ok": late < early and difference <= TOLERANCE[amp] and math.isfinite(found.loss),
        "loss": [round(early, 4), round(late, 4)],
        "accuracy": round(found.accuracy, 4),
        "difference": difference,
        "tolerance": TOLERANCE[amp],
    }


def _difference(net: torch.nn.Module, loader: Loader, device: torch.device, amp: bool) -> float:
    """Between the device's answers, in the precision that is tried (fp32 without TF32), and the
    processor's in single precision: the largest, over the largest logit.
    """
    x = next(iter(loader.all()))[0][:8]
    net.eval()
    with torch.inference_mode():
        with (
            torch.backends.cudnn.flags(enabled=True, allow_tf32=False),
            torch.autocast(device.type, torch.bfloat16, enabled=amp),
        ):
            here = net(x.to(device)).float().cpu()
        there = net.to("cpu")(x).float()
        net.to(device)
    return float((here - there).abs().max() / there.abs().max())


class _Stop(Callback):
    """Asks the run to stop at a step, as a scheduler would."""

    def __init__(self, at: int):
        self.at = at

    def step(self, progress, loss: float, rate: float) -> None:
        if progress.step == self.at:
            os.kill(os.getpid(), signal.SIGTERM)


def small_recipe(setting: Setting) -> Recipe:
    """A run of some seconds, to the same bits each time."""
    return Recipe(
        network="lenet5" if setting.quick else "resnet20_cifar",
        data="digits",
        epochs=2 if setting.quick else 4,
        batch_size=128,
        warmup_epochs=0.5,
        amp=True,
        channels_last=True,
        shift=1.0,
        # deterministic=True,
        device=setting.device.type,
        save_every=1e6,
    )


def resume(setting: Setting) -> Iterator[dict]:
    """A run that was stopped and resumed has the bits of one that was left alone."""
    recipe, place = small_recipe(setting), setting.place
    train(recipe, place / "whole", callback=Callback())
    try:
        train(recipe, place / "cut", callback=_Stop(at=11))
        stopped = False
    except Stopped:
        stopped = True
    train(recipe, place / "cut", resume=True, callback=Callback())
    whole, cut = (digest(place / name) for name in ("whole", "cut"))
    case = f"{recipe.network}, bf16, stopped at step 11"
    yield {"case": case, "ok": stopped and whole == cut, "sha256": [whole[:12], cut[:12]]}


def distributed(setting: Setting) -> Iterator[dict]:
    """One process under torchrun (NCCL on a GPU, else gloo) has the bits of one without."""
    recipe, place = small_recipe(setting), setting.place
    (place / "recipe.toml").write_text(recipe.to_toml(), encoding="utf-8")
    words = ["-m", "convatlas", "train", "--recipe", str(place / "recipe.toml"), "--output"]
    alone = [sys.executable, *words, str(place / "alone")]
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "1"]
    launched = [sys.executable, *launcher, *words, str(place / "launched")]
    for command in (alone, launched):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            yield {"case": command[2], "ok": False, "why": done.stderr[-500:]}
            return
    one, other = (digest(place / name) for name in ("alone", "launched"))
    backend = "NCCL" if setting.device.type == "cuda" else "gloo"
    case = f"{recipe.network}, one process, {backend}"
    yield {"case": case, "ok": one == other, "sha256": [one[:12], other[:12]]}


def digest(run: Path) -> str:
    return hashlib.sha256((run / "model.safetensors").read_bytes()).hexdigest()


def choice(setting: Setting) -> Iterator[dict]:
    """What --autotune chooses, and what each configuration takes for a step."""
    for name, (side, batch) in list(setting.networks.items())[-3:]:
        recipe = Recipe(network=name, batch_size=batch, size=side, autotune=True)
        loader = Loader(painted(batch, side), prep_of(side), batch, classes=CLASSES)
        found = autotune(recipe, fresh(name), loader, macs(recipe, side), setting.device)
        times = {str(config): round(1e3 * each, 3) for config, each in found.seconds.items()}
        case = f"{name}, {found.images} images"
        yield {"case": case, "ok": None, "kept": str(found.winner), "milliseconds": times}


def throughput(setting: Setting) -> Iterator[dict]:
    """Our step beside timm's, on the same network, batch and images in memory; in turn."""
    if find_spec("timm") is None:
        yield {"case": "timm", "ok": None, "why": "skipped: timm is not installed"}
        return
    ours, theirs, side, batch = (
        ("resnet18", "resnet18", 32, 8) if setting.quick else ("resnet50_v15", "resnet50", 224, 128)
    )
    dice = torch.Generator().manual_seed(0)
    x = torch.randn(batch, 3, side, side, generator=dice)
    y = torch.arange(batch) % CLASSES
    sides = {"ours": our_step(setting, ours, x, y), "timm": timm_step(setting, theirs, x, y)}
    steps = 2 if setting.quick else 20
    for step in sides.values():
        rate(setting, step, batch, 3)
    rates = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, step in sides.items():
            rates[name].append(rate(setting, step, batch, steps))
    medians = {name: round(statistics.median(each), 1) for name, each in rates.items()}
    yield {
        "case": f"{ours}, {side} pixels, {batch} images, bf16, channels last",
        "ok": None,
        "images_per_second": medians,
        "ratio": round(medians["ours"] / medians["timm"], 3),
    }


def our_step(setting: Setting, name: str, x: Tensor, y: Tensor) -> Callable[[], object]:
    recipe = Recipe(
        network=name, opt="sgd", lr=0.01, warmup_epochs=0.0, amp=True, channels_last=True
    )
    trainer = Trainer(recipe, fresh(name), 1, setting.device)
    return lambda: trainer.step(x, y)


def timm_step(setting: Setting, name: str, x: Tensor, y: Tensor) -> Callable[[], object]:
    """As timm's train.py does a step: autocast, its own SGD, the loss read back for the log."""
    import timm
    from timm.optim import create_optimizer_v2

    net = timm.create_model(name, num_classes=CLASSES)
    net = net.to(setting.device, memory_format=torch.channels_last).train()
    optimiser = create_optimizer_v2(net, opt="sgd", lr=0.01, weight_decay=0.02, momentum=0.9)

    def step() -> float:
        images = x.to(setting.device, memory_format=torch.channels_last)
        target = y.to(setting.device)
        with torch.autocast(setting.device.type, torch.bfloat16):
            loss = torch.nn.functional.cross_entropy(net(images), target)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def rate(setting: Setting, step: Callable[[], object], images: int, steps: int) -> float:
    """Images a second."""
    setting.wait()
    began = time.perf_counter()
    for _ in range(steps):
        step()
    setting.wait()
    return steps * images / (time.perf_counter() - began)


def seconds_to_accuracy(setting: Setting) -> Iterator[dict]:
    """Seconds of training until 99 % of MNIST's test images are right; quick: 90 % of the
    digits'.
    """
    name, goal = ("digits", 0.9) if setting.quick else ("mnist", 0.99)
    try:
        data = open_data(name, root=setting.data_root)
    except DataError as error:
        yield {"case": name, "ok": None, "why": f"skipped: {error}"}
        return
    epochs = 12 if setting.quick else 3
    recipe = builtin.read("lenet_caffe_mnist").change(epochs=epochs)
    began = time.perf_counter()
    prep = fit_preprocess(data, 28)
    loader = Loader(data.train, prep, recipe.batch_size, recipe.seed)
    test = Loader(data.test, prep, 500)
    torch.manual_seed(seed_for(recipe.seed, "weights"))
    trainer = Trainer(recipe, create_model(recipe.network), len(loader), setting.device)
    seconds, accuracy, epoch = 0.0, 0.0, 0
    while accuracy < goal and epoch < epochs:
        for x, y, _ in loader.epoch(epoch):
            trainer.step(x, y)
        setting.wait()
        seconds += time.perf_counter() - began
        accuracy = evaluate(trainer.result, test, len(data.classes)).accuracy
        trainer.end_epoch(accuracy)
        epoch += 1
        began = time.perf_counter()
    yield {
        "case": f"{name}, {recipe.network}, {100 * goal:g} %",
        "ok": accuracy >= goal,
        "seconds": round(seconds, 2),
        "epochs": epoch,
        "accuracy": round(accuracy, 4),
    }


CHECKS: dict[str, Callable[[Setting], Iterator[dict]]] = {
    "resume": resume,
    "distributed": distributed,
    "networks": networks,
    "throughput": throughput,
    "seconds-to-accuracy": seconds_to_accuracy,
    "autotune": choice,
}
