"""Tells the broker what was used, so that people see what was granted and not used. Nothing depends on it."""

from __future__ import annotations

import logging
import threading
from typing import NamedTuple

from .._calls import Calls, may_pass
from .._elapsed import elapsed
from .._errors import MayflyError
from ._token import scope_of

_LOG = logging.getLogger("mayfly")
_EACH_SECONDS = 15.0
#: As the broker takes them.
_USES_MAX, _COUNT_MAX = 100, 1_000_000
#: Different uses that wait. Of more, the credential alone is told; of more credentials than that, nothing.
_WAITING_MAX = 1_000
#: After a refusal that repeating does not change: policy may let us report one day.
_REFUSED_SECONDS = 600.0


class _Use(NamedTuple):
    credential: str
    permitted: bool
    #: None: uses that are not kept apart.
    resource: str | None = None
    action: str | None = None


class UsageReporter:
    """Gathers uses, and sends them in a thread of its own, which is there while some wait. What cannot be told is dropped."""

    def __init__(self, calls: Calls, target: str) -> None:
        self._calls, self._target = calls, target
        self._lock = threading.Lock()
        self._waiting: dict[_Use, int] = {}
        self._is_running = False
        self._paused_until = 0.0
        self._stop = threading.Event()

    def note(self, credential: str, resource: str, action: str, *, permitted: bool) -> None:
        """Count one use. What is no path or no action is counted without them."""
        use = _Use(credential, permitted, resource, action)
        with self._lock:
            if use not in self._waiting:
                is_named = scope_of(resource, action) is not None
                if not is_named or len(self._waiting) >= _WAITING_MAX:
                    use = _Use(credential, permitted)
                is_full = use not in self._waiting and len(self._waiting) >= 2 * _WAITING_MAX
                if is_full or elapsed() < self._paused_until:
                    return
            self._waiting[use] = min(_COUNT_MAX, self._waiting.get(use, 0) + 1)
            is_first, self._is_running = not self._is_running, True
        if is_first:
            threading.Thread(target=self._run, name="mayfly-usage", daemon=True).start()

    def close(self) -> None:
        """Send what waits, without waiting for it."""
        self._stop.set()

    def _run(self) -> None:
        while True:
            self._stop.wait(_EACH_SECONDS)
            with self._lock:
                uses, self._waiting = list(self._waiting.items()), {}
                if not uses:
                    self._is_running = False
                    return
            for start in range(0, len(uses), _USES_MAX):
                if not self._is_told(uses[start : start + _USES_MAX]):
                    break

    def _is_told(self, uses: list[tuple[_Use, int]]) -> bool:
        body = {"target": self._target, "uses": [_on_wire(use, count) for use, count in uses]}
        try:
            self._calls.json("POST", "/usage", body, once=True)
        except MayflyError as error:
            _LOG.info("what was used could not be reported: %s", error)
            if not may_pass(error):
                self._paused_until = elapsed() + _REFUSED_SECONDS
            return False
        return True


def _on_wire(use: _Use, count: int) -> dict[str, object]:
    named = {name: value for name, value in use._asdict().items() if value is not None}
    return {**named, "count": count}
