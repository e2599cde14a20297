"""Cuts a forked process off: its files lead nowhere, shared memory is its own, it ends in time."""

from __future__ import annotations

import ctypes
import gc
import io
import logging
import math
import os
import resource
import signal
import sys
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path

# Bytes that the process may take beyond what it has, and as a multiple of what is in memory.
MEMORY = 1 << 30
MEMORIES = 4

PROT_READ, PROT_WRITE, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS = 1, 2, 2, 16, 32

# What the system names memory that is shared without a file, beside true devices.
MEMORY_FILES = ("/dev/shm/", "/dev/zero")

# The user may have set handlers for these, which are not to run in a process that they never made.
SIGNALS = (signal.SIGTERM, signal.SIGALRM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)


def confine(keep: Collection[int], seconds: float) -> None:
    """Cut this process, a fork, off from all that it shares with the one it comes from.

    Parameters
    ----------
    keep
        Descriptors of the files that stay open.
    seconds
        After which it ends by itself, should nobody end it before.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the user's process
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.set_wakeup_fd(-1)
    if math.isfinite(seconds):
        signal.setitimer(signal.ITIMER_REAL, math.ceil(seconds) + 1)
    gc.disable()  # what it visits would be copied first, and the process does not last
    _silence()
    _divert_files(keep)
    _own_shared_memory()
    _limit_resources()
    if "torch" in sys.modules:  # its other threads do not survive a fork
        sys.modules["torch"].set_num_threads(1)


def _silence() -> None:
    sys.stdin = sys.stdout = sys.stderr = io.StringIO()
    logging.disable()
    warnings.simplefilter("ignore")


def _divert_files(keep: Collection[int]) -> None:
    """Let every open file but those kept lead nowhere, whatever holds it.

    A closed one could be given to another file, which its holder would then write to, or close.
    """
    nowhere = os.open(os.devnull, os.O_RDWR)
    for name in os.listdir("/proc/self/fd") if os.path.isdir("/proc/self/fd") else range(256):
        descriptor = int(name)
        if descriptor not in keep and descriptor != nowhere and _is_open(descriptor):
            os.dup2(nowhere, descriptor, inheritable=False)


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _own_shared_memory() -> None:
    """Put copies in place of memory whose changes others would see, as of `numpy.memmap`."""
    shared = list(_shared_memory())
    if not shared:
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    for start, size in shared:
        content = ctypes.string_at(start, size)
        flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS
        if libc.mmap(start, size, PROT_READ | PROT_WRITE, flags, -1, 0) != start:
            raise OSError(ctypes.get_errno(), "shared memory cannot be set apart")
        ctypes.memmove(start, content, size)


def _shared_memory() -> Iterator[tuple[int, int]]:
    """Yield address and size in bytes of what is mapped, writable and shared, devices excepted."""
    maps = Path("/proc/self/maps")
    for line in maps.read_text().splitlines() if maps.exists() else ():
        addresses, access, _, _, _, *path = line.split(maxsplit=5)
        device = path and path[0].startswith("/dev/") and not path[0].startswith(MEMORY_FILES)
        if access[1] == "w" and access[3] == "s" and not device:
            start, end = (int(address, 16) for address in addresses.split("-"))
            yield start, end - start


def _limit_resources() -> None:
    """Forbid files to grow, dumps, and more memory than a few times what there is."""
    for limit in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        resource.setrlimit(limit, (0, resource.getrlimit(limit)[1]))
    statistics = Path("/proc/self/statm")
    if statistics.exists():
        mapped, resident = (int(pages) for pages in statistics.read_text().split()[:2])
        page = os.sysconf("SC_PAGE_SIZE")
        most = mapped * page + max(MEMORY, MEMORIES * resident * page)
        resource.setrlimit(resource.RLIMIT_AS, (most, resource.getrlimit(resource.RLIMIT_AS)[1]))
