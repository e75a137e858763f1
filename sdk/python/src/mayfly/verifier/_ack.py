"""Tells the broker what was applied, and when: receipts of revocations name who knew, and time to deny is measured."""

from __future__ import annotations

import itertools
import logging
import threading

from .._calls import Calls, may_pass
from .._elapsed import elapsed
from .._errors import MayflyError

_LOG = logging.getLogger("mayfly")
_EACH_SECONDS = 1.0
#: As the broker takes them: entries in one call, and how long ago they were applied.
_ENTRIES_MAX = 500
_WAITED_SECONDS_MAX = 60.0
#: An attack that ends everything must not fill the memory. The oldest are left out.
_PENDING_MAX = 5_000


class Acknowledger:
    """Sends in a thread of its own, at most once a second. What cannot be told within a minute is not told."""

    def __init__(self, calls: Calls, instance: str) -> None:
        self._calls, self._instance = calls, instance
        self._lock = threading.Lock()
        #: Numbers of one generation, and when each was applied.
        self._generation, self._pending = "", {}  # type: str, dict[int, float]
        #: Of those of which no receipt is kept, the latest is enough: it says how quick this verifier is.
        self._latest = 0
        self._there_is_some, self._stop = threading.Event(), threading.Event()
        self._is_running = False

    def applied(self, generation: str, seq: int, *, has_receipt: bool) -> None:
        """Note that this entry was applied now."""
        with self._lock:
            if generation != self._generation:
                self._generation, self._pending, self._latest = generation, {}, 0
            if not has_receipt:
                self._pending.pop(self._latest, None)
                self._latest = seq
            elif len(self._pending) >= _PENDING_MAX:
                del self._pending[next(iter(self._pending))]
            self._pending[seq] = elapsed()
            is_first, self._is_running = not self._is_running, True
        self._there_is_some.set()
        if is_first:
            threading.Thread(target=self._run, name="mayfly-ack", daemon=True).start()

    def close(self) -> None:
        self._stop.set()
        self._there_is_some.set()

    def _run(self) -> None:
        while True:
            self._there_is_some.wait()
            if self._stop.is_set():
                return
            self._send()
            self._stop.wait(_EACH_SECONDS)

    def _send(self) -> None:
        with self._lock:
            generation, batch = self._generation, dict(itertools.islice(self._pending.items(), _ENTRIES_MAX))
        now = elapsed()
        applied = [
            {"seq": seq, "waitedMs": int((now - at) * 1000)}
            for seq, at in batch.items()
            if now - at < _WAITED_SECONDS_MAX
        ]
        body: dict[str, object] = {"generation": generation, "instance": self._instance, "applied": applied}
        is_done = not applied or self._is_told(body)
        with self._lock:
            if is_done and generation == self._generation:
                for seq in batch:
                    self._pending.pop(seq, None)
            if not self._pending:
                self._there_is_some.clear()

    def _is_told(self, body: dict[str, object]) -> bool:
        """Return whether nothing more is to be said of these: they were taken, or refused for good."""
        try:
            self._calls.json("POST", "/revocations/feed/ack", body, once=True)
        except MayflyError as error:
            _LOG.info("what was applied could not be acknowledged: %s", error)
            return not may_pass(error)
        return True
