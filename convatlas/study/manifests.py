"""A plan as files that other schedulers read: job i carries out line i. Nothing is submitted."""

import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from convatlas.errors import RESUMABLE
from convatlas.interruption import LEFT_BY_SIGNAL
from convatlas.study import jobs
from convatlas.study.plan import Line, continue_command
from convatlas.training.manifests import TIME, WARNING, name_of, place_of

MODULE = "convatlas.study.carrying"
INTERRUPTED = LEFT_BY_SIGNAL + 15  # SIGTERM before a run had begun

SBATCH = """\
#!/bin/bash
# {count} runs, one a job. What else a job is to ask for goes here or into the variables that sbatch
# knows, such as SBATCH_PARTITION, SBATCH_ACCOUNT and SBATCH_GPUS. Where all have trained:
#   {afterwards}
#SBATCH --job-name={name}
#SBATCH --array=0-{last}{limit}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={cores}{gpu}
#SBATCH --time={time}
#SBATCH --signal=USR1@{warning}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output={log}

srun --cpus-per-task={cores} {python} -m {module} {study}
code=$?
if [ $code -eq {resumable} ]; then  # saved, for its time was over
  scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
fi
exit $code
"""

KUBERNETES = """\
# {count} runs, one a pod. To be put in: an image that has convatlas, and a claim on a volume that
# many pods may write to; it is to hold the study, and the images at the places where the study's
# recipes look for them. Where all have trained, where the volume is at hand:
#   {afterwards}
apiVersion: batch/v1
kind: Job
metadata:
  name: {name}
spec:
  completionMode: Indexed
  completions: {count}
  parallelism: {at_once}
  backoffLimitPerIndex: 5
  maxFailedIndexes: {count}
  podFailurePolicy:
    rules:
      - action: Ignore  # saved: another pod goes on
        onExitCodes: {{containerName: run, operator: In, values: [{resumable}, {interrupted}]}}
      - action: Ignore  # its node was wanted for something else
        onPodConditions: [{{type: DisruptionTarget, status: "True"}}]
      - action: FailIndex  # it has been tried twice by then
        onExitCodes: {{containerName: run, operator: In, values: [1, 2]}}
  template:
    spec:
      restartPolicy: Never
      terminationGracePeriodSeconds: {warning}
      containers:
        - name: run
          image: convatlas:latest
          command: [python, -m, {module}, {study}]
          resources:
            requests: {{cpu: {cores}, memory: 2Gi}}{gpu}
          volumeMounts:
            - {{name: work, mountPath: {study}}}
      volumes:
        - name: work
          persistentVolumeClaim: {{claimName: {name}}}
"""


def sbatch(lines: Sequence[Line], study: Path, at_once: int = 0) -> str:
    """A batch script for Slurm: an array of a job for each line. `at_once` run at a time: 0 is all
    that Slurm lets. RunError for a folder whose name no script can hold.
    """
    study = place_of(study)
    cores, is_for_gpu = _needs(lines, study)
    return SBATCH.format(
        count=len(lines),
        afterwards=continue_command(study),
        name=name_of(study),
        last=len(lines) - 1,
        limit=f"%{at_once}" if at_once else "",
        cores=cores,
        gpu="\n#SBATCH --gpus=1" if is_for_gpu else "",
        time=TIME,
        python=shlex.quote(sys.executable),
        warning=WARNING,
        log=shlex.quote(str(study).replace("%", "%%") + "/slurm-%A_%a.txt"),
        module=MODULE,
        study=shlex.quote(str(study)),
        resumable=RESUMABLE,
    )


def kubernetes(lines: Sequence[Line], study: Path, at_once: int = 0) -> str:
    """A Job for Kubernetes 1.31 or newer, with a pod for each line. `at_once` run at a time: 0 is
    all that there is room for. RunError for a folder whose name no file of its kind can hold.
    """
    study = place_of(study)
    cores, is_for_gpu = _needs(lines, study)
    return KUBERNETES.format(
        count=len(lines),
        at_once=at_once or len(lines),
        afterwards=continue_command(study),
        name=name_of(study),
        cores=cores,
        gpu="\n            limits: {nvidia.com/gpu: 1}" if is_for_gpu else "",
        warning=WARNING,
        module=MODULE,
        study=json.dumps(str(study), ensure_ascii=False),  # a string of JSON is one of YAML
        resumable=RESUMABLE,
        interrupted=INTERRUPTED,
    )


def _needs(lines: Sequence[Line], study: Path) -> tuple[int, bool]:
    """What is enough for each line."""
    found = [jobs.needs_of(study, line) for line in lines]
    return max(cores for cores, _ in found), any(is_for_gpu for _, is_for_gpu in found)
