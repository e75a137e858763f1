"""The thread that tells the broker that the agent is alive."""

from __future__ import annotations

import random
import threading
import weakref
from collections.abc import Callable

#: At least two heartbeats fit into an interval, so that one that is late or lost is no missed one.
_PAUSE_FROM, _PAUSE_TO = 0.4, 0.5


class Heartbeat:
    """Beats until it is stopped, or until nobody holds the task any more: then the broker ends it."""

    def __init__(self, beat: Callable[[], object], interval_seconds: float) -> None:
        # The thread must not keep the task alive that it beats for. `beat` is a method of it.
        self._beat = weakref.WeakMethod(beat)
        self._interval = interval_seconds
        self._stop = threading.Event()
        threading.Thread(target=self._run, name="mayfly-heartbeat", daemon=True).start()

    def stop(self) -> None:
        """Send no heartbeat from now on, but for one that is on its way."""
        self._stop.set()

    def _run(self) -> None:
        while not self._stop.wait(self._interval * random.uniform(_PAUSE_FROM, _PAUSE_TO)):
            beat = self._beat()
            if beat is None:
                return
            beat()
            del beat
