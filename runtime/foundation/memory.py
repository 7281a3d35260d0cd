"""
Keeps freed memory in the process instead of handing it back to the kernel after every batch.

A batch of records is some megabytes that are freed and needed again a moment later. glibc returns them to the kernel
each time, which then has to find and clear the same pages again; that costs more than making the records. Call
:func:`keep` once, early, in processes that move records.
"""

import ctypes
import sys

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # glibc's malloc.h
_KEPT = 256 * 1024 * 1024
_STEP = 16 * 1024 * 1024
_LARGEST_ON_HEAP = 32 * 1024 * 1024


def keep() -> bool:
    """Let the heap grow in large steps and keep up to 256 MB that are free; False where malloc has no such settings."""
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    settings = ((_TRIM_THRESHOLD, _KEPT), (_TOP_PAD, _STEP), (_MMAP_THRESHOLD, _LARGEST_ON_HEAP))
    return all(mallopt(setting, value) == 1 for setting, value in settings)
