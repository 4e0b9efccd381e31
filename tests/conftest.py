"""What every test relies on: one thread a process, for two test processes share two cores."""
import os

os.environ["OMP_NUM_THREADS"] = "1"
