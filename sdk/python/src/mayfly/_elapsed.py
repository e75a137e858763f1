"""Time that passes. This package does not use the time of day: a clock that is wrong, or is set, changes nothing."""

from __future__ import annotations

import time

if hasattr(time, "CLOCK_BOOTTIME"):

    def elapsed() -> float:
        """Return seconds since some moment. Unlike those of ``time.monotonic`` they go on while the machine sleeps."""
        return time.clock_gettime(time.CLOCK_BOOTTIME)

else:
    elapsed = time.monotonic
