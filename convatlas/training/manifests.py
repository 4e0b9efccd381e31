"""A run on several machines as a file that their scheduler reads. Nothing is submitted."""

import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from convatlas.errors import RESUMABLE, RecipeError, RunError
from convatlas.printable import printable
from convatlas.training.recipe import Recipe

TIME = "01:00:00"  # of a job of Slurm; a longer run saves, and its job is queued again
WARNING = 120  # seconds that a run has to save before it is ended
NAME = 45  # letters of a Job's name; Kubernetes adds its own to make those of pods
PORT = 29500
TRIES = 10  # failed pods for each machine, then Kubernetes gives the run up
MOST = 10_000  # machines, and processes on each

SBATCH = """\
#!/bin/bash
# One run of {size} processes on {machines}. What else the job is to ask for goes here or into the
# variables that sbatch knows, such as SBATCH_PARTITION, SBATCH_ACCOUNT and SBATCH_TIMELIMIT.
#SBATCH --job-name={name}
#SBATCH --nodes={count}
#SBATCH --ntasks-per-node={processes}
#SBATCH --cpus-per-task={cores}{gpu}
#SBATCH --time={time}
#SBATCH --signal=USR1@{warning}
#SBATCH --requeue
#SBATCH --open-mode=append

export MASTER_ADDR=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
export MASTER_PORT=$((20000 + SLURM_JOB_ID % 20000))
export WORLD_SIZE={size} LOCAL_WORLD_SIZE={processes}
newest={newest}
before=$(cat "$newest" 2>/dev/null)
srun --cpus-per-task={cores} --distribution=block --kill-on-bad-exit=0 \\
  bash -c 'RANK=$SLURM_PROCID LOCAL_RANK=$SLURM_LOCALID exec "$@"' process \\
  {command}
code=$?
if [ $code -eq {resumable} ] && [ "$(cat "$newest" 2>/dev/null)" != "$before" ]; then
  scontrol requeue "$SLURM_JOB_ID"  # it has got on, and is to go on
fi
exit $code
"""

KUBERNETES = """\
# One run of {size} processes on {machines}, a pod for each. To be put in: an image that has
# convatlas, and a claim on a volume that many pods may write to, which holds the run's folder; the
# images are to lie there too, or in the image.
apiVersion: v1
kind: Service
metadata:
  name: {name}
spec:
  clusterIP: None  # for the pods' names only
  publishNotReadyAddresses: true
  selector: {{batch.kubernetes.io/job-name: {name}}}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
spec:
  completionMode: Indexed
  completions: {count}
  parallelism: {count}
  backoffLimit: {tries}  # torchrun leaves with 1 whether the run has saved or has failed
  podFailurePolicy:
    rules:
      - action: Ignore  # its node was wanted for something else
        onPodConditions: [{{type: DisruptionTarget, status: "True"}}]
  template:
    spec:
      subdomain: {name}
      restartPolicy: Never
      terminationGracePeriodSeconds: {warning}
      containers:
        - name: run
          image: convatlas:latest
          command:
{command}
          resources:
            requests: {{cpu: {cores}, memory: {memory}Gi}}{gpu}
          volumeMounts:
            - {{name: work, mountPath: {place}}}
            - {{name: shared-memory, mountPath: /dev/shm}}
      volumes:
        - name: work
          persistentVolumeClaim: {{claimName: {name}}}
        - name: shared-memory
          emptyDir: {{medium: Memory}}
"""


@dataclass(frozen=True)
class Machines:
    """`count` machines with `processes` of the run on each."""

    count: int = 1
    processes: int = 1

    def __post_init__(self):
        for flag, value in (("--machines", self.count), ("--processes", self.processes)):
            if not 1 <= value <= MOST:
                raise RecipeError(f"{flag} must be from 1 to {MOST:,}, not {value:,}")

    @property
    def size(self) -> int:
        return self.count * self.processes

    def __str__(self) -> str:
        return f"{self.count} machine{'s' if self.count > 1 else ''}"


def sbatch(words: Sequence[str], recipe: Recipe, folder: Path, machines: Machines) -> str:
    """A batch script for Slurm that carries out `convatlas train` with these words in `folder`.
    Each task of the job is a process of the run, with no torchrun between: so its exit code is the
    run's, and where it is 75 and the run has got on, the job is queued again. RecipeError where a
    step has too few images for so many processes; RunError for a folder whose name no script can
    hold.
    """
    folder = _checked(recipe, folder, machines)
    cores, is_for_gpu = needs_of(recipe)
    train = [sys.executable, "-m", "convatlas", "train", *words, *_going_on(folder)]
    return SBATCH.format(
        size=machines.size,
        machines=machines,
        name=name_of(folder),
        count=machines.count,
        processes=machines.processes,
        cores=cores,
        gpu=f"\n#SBATCH --gpus-per-node={machines.processes}" if is_for_gpu else "",
        time=TIME,
        warning=WARNING,
        newest=shlex.quote(str(folder / "checkpoints" / "LATEST")),
        command=shlex.join(train),
        resumable=RESUMABLE,
    )


def kubernetes(words: Sequence[str], recipe: Recipe, folder: Path, machines: Machines) -> str:
    """A Job for Kubernetes 1.31 or newer with a pod for each machine, and the Service by which they
    find each other, that carries out `convatlas train` with these words in `folder`. Raises as
    `sbatch` does.
    """
    folder = _checked(recipe, folder, machines)
    name, processes = name_of(folder), machines.processes
    cores, is_for_gpu = needs_of(recipe)
    torchrun = ["torchrun", f"--nnodes={machines.count}", "--node-rank=$(JOB_COMPLETION_INDEX)"]
    torchrun += [f"--nproc-per-node={processes}", f"--master-addr={name}-0.{name}"]
    torchrun += [f"--master-port={PORT}", "-m", "convatlas", "train"]
    train = [word.replace("$(", "$$(") for word in (*words, *_going_on(folder))]
    return KUBERNETES.format(
        size=machines.size,
        machines=machines,
        name=name,
        count=machines.count,
        tries=TRIES * machines.count,
        warning=WARNING,
        command="\n".join(f"            - {_yaml(word)}" for word in (*torchrun, *train)),
        cores=processes * cores,
        memory=2 * processes,
        gpu=f"\n            limits: {{nvidia.com/gpu: {processes}}}" if is_for_gpu else "",
        place=_yaml(str(folder.parent)),
    )


def needs_of(recipe: Recipe) -> tuple[int, bool]:
    """The cores that a process of a run keeps busy, and whether it must have a GPU. No core is free
    for readers that nobody asked for.
    """
    return max(1, recipe.threads) + max(0, recipe.workers), recipe.device == "cuda"


def name_of(folder: Path) -> str:
    """A name for the jobs of a run or a study: small letters, digits and hyphens."""
    word = re.sub(r"[^a-z0-9]+", "-", folder.name.lower())[:NAME].strip("-")
    return f"convatlas-{word}" if word else "convatlas"


def place_of(folder: Path) -> Path:
    """The folder, absolute. RunError where its name does not go into another program's file."""
    folder = folder.absolute()
    if not str(folder).isprintable():
        raise RunError(
            f"the folder {printable(str(folder))} has characters in its name that do not go into "
            "other programs' files; rename it"
        )
    return folder


def _checked(recipe: Recipe, folder: Path, machines: Machines) -> Path:
    if recipe.batch_size < machines.size:
        raise RecipeError(
            f"a step of {recipe.batch_size} images cannot be split over {machines.size} processes; "
            f"give --batch-size {2 * machines.size * recipe.accumulate} or more, or fewer "
            "--machines or --processes"
        )
    return place_of(folder)


def _going_on(folder: Path) -> list[str]:
    return ["--output", str(folder), "--resume", "auto"]


def _yaml(word: str) -> str:
    """A string of YAML: one of JSON, but that what no text may hold as it is has its number."""
    quoted = json.dumps(word, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in quoted)
