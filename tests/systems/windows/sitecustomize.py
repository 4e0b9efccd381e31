"""Makes a Python on Linux as poor as one on Windows, as far as convatlas could notice.

Python runs it first in every process. What it takes away is missing on Windows too; that other
packages still run shows that they need none of it, or have another way.
"""

import multiprocessing.popen_fork
import os
import pathlib
import signal
import sys
import types

for absent in ("fcntl", "grp", "pwd", "resource", "termios"):
    sys.modules[absent] = None

# multiprocessing ends processes here by a signal, there by a call of the system
multiprocessing.popen_fork.signal = types.SimpleNamespace(**vars(signal))
for name in [name for name in vars(signal) if name.startswith("SIG") and name[3:].isalnum()]:
    if name not in ("SIGABRT", "SIGFPE", "SIGILL", "SIGINT", "SIGSEGV", "SIGTERM"):
        delattr(signal, name)
for name in ("fork", "getuid", "killpg", "mkfifo", "sched_getaffinity", "setsid", "waitid"):
    delattr(os, name)
multiprocessing.set_start_method("spawn")

system_open, system_replace, system_rename, read_text = (
    os.open,
    os.replace,
    os.rename,
    pathlib.Path.read_text,
)


def no_folders(path, *others, **named):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", str(path))
    return system_open(path, *others, **named)


def no_open_files(rename):
    """Nothing is renamed while this process has it open, nor a folder with an open file in it."""

    def renamed(source, target, **named):
        for number in os.listdir("/proc/self/fd"):
            held = os.path.realpath(f"/proc/self/fd/{number}")
            for path in map(os.path.realpath, (source, target)):
                if held == path or held.startswith(path + os.sep):
                    raise PermissionError(13, "used by a process", str(path))
        return rename(source, target, **named)

    return renamed


def no_proc(path, *others, **named):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(2, "No such file or directory", str(path))
    return read_text(path, *others, **named)


os.open, pathlib.Path.read_text = no_folders, no_proc
os.replace, os.rename = no_open_files(system_replace), no_open_files(system_rename)
