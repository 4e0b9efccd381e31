"""Makes a Python on Linux start processes as macOS does, and takes /proc away."""

import multiprocessing
import pathlib

multiprocessing.set_start_method("spawn")
read_text = pathlib.Path.read_text


def no_proc(path, *others, **named):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(2, "No such file or directory", str(path))
    return read_text(path, *others, **named)


pathlib.Path.read_text = no_proc
