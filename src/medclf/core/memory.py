"""Memory that was freed stays at hand for the next image or step.

By default glibc gives large pieces back to the system and asks for fresh pages, each cleared first,
the next time. That takes as long as decoding an image, and 10 to 20 percent of the step of a small
network. Other allocators do not do so.
"""

import ctypes
import sys

MMAP_THRESHOLD, TRIM_THRESHOLD = -3, -1  # glibc's numbers for mallopt
LARGEST = 1 << 30


def keep_memory() -> None:
    """Let the C library keep freed memory, as long as the process lasts."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(MMAP_THRESHOLD, LARGEST)
        libc.mallopt(TRIM_THRESHOLD, 2**31 - 1)
