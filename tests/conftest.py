"""What every test may rely on: one thread less than noise, and no data set from outside the clone."""
import os

os.environ.setdefault("OMP_NUM_THREADS", "2")
