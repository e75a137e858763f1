"""Time that passes. This package does not use the time of day: a clock that is wrong, or is set, changes nothing."""

from __future__ import annotations

import sys
import time

#: The clock that goes on while the machine sleeps: ``time.monotonic`` stands still then, on Linux and on macOS.
if hasattr(time, "CLOCK_BOOTTIME"):

    def elapsed() -> float:
        """Return seconds since some moment."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

elif sys.platform == "darwin":

    def elapsed() -> float:
        """Return seconds since some moment."""
        return time.clock_gettime(time.CLOCK_MONOTONIC)

else:
    elapsed = time.monotonic
