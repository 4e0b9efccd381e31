"""SET RUN: a run on the command line whose images are read by a second process, batch by batch."""

import sys
from functools import partial

import torch

from convatlas.cli import main
from convatlas.data import Loader
from convatlas.training import prepare

torch.multiprocessing.set_sharing_strategy("file_system")  # the way of Windows and macOS
prepare.Loader = partial(Loader, memory_limit=0)

if __name__ == "__main__":
    images, folder = sys.argv[1:]
    settings = ["--epochs", "1", "--batch-size", "8", "--shift", "1", "--workers", "1"]
    main(["train", "lenet1989", "--data", images, "--output", folder, *settings])
