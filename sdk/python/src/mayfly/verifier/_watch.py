"""Work that goes on while a credential lives, and is to be cut when it dies."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable

from ._errors import VerificationError
from ._token import Claims

OnDead = Callable[[VerificationError], object]

_LOG = logging.getLogger("mayfly")
#: Expiry and silence come without an event.
_EACH_SECONDS = 1.0


class _Watcher:
    def __init__(self, claims: Claims, on_dead: OnDead) -> None:
        self.claims, self.on_dead = claims, on_dead


class Watchers:
    """Calls back once for each, in a thread of its own: a slow callback must not hold up the feed."""

    def __init__(self, judge: Callable[[Claims], VerificationError | None]) -> None:
        self._judge = judge
        self._lock = threading.Lock()
        self._by_cause: dict[str, set[_Watcher]] = {}
        self._all: set[_Watcher] = set()
        #: Causes under which something changed. None: look at all; False: end.
        self._queue: queue.SimpleQueue[str | None | bool] = queue.SimpleQueue()
        self._is_running = False

    def watch(self, claims: Claims, on_dead: OnDead) -> Callable[[], object]:
        """Return how to stop. A credential that is dead already is called back for at once, in the thread."""
        watcher = _Watcher(claims, on_dead)
        with self._lock:
            self._all.add(watcher)
            for cause in claims.causes:
                self._by_cause.setdefault(cause, set()).add(watcher)
            if not self._is_running:
                self._is_running = True
                threading.Thread(target=self._run, name="mayfly-watch", daemon=True).start()
        self._queue.put(claims.causes[0])
        return lambda: self._stop(watcher)

    def look(self, cause: str | None) -> None:
        """Look at those that hang on the cause, or at all."""
        if self._is_running and (cause is None or cause in self._by_cause):
            self._queue.put(cause)

    def close(self) -> None:
        """Look at all once more: what is not to be believed from now on must not go on."""
        self._queue.put(False)

    def _run(self) -> None:
        while True:
            try:
                cause = self._queue.get(timeout=_EACH_SECONDS)
            except queue.Empty:
                cause = None
            is_last = cause is False
            with self._lock:
                is_all = cause is None or is_last
                found: Iterable[_Watcher] = self._all if is_all else self._by_cause.get(str(cause), ())
                found = list(found)
                if is_last:
                    self._is_running = False
            for watcher in found:
                if (error := self._judge(watcher.claims)) is not None and self._stop(watcher):
                    self._call(watcher, error)
            if is_last:
                return

    def _stop(self, watcher: _Watcher) -> bool:
        with self._lock:
            if watcher not in self._all:
                return False
            self._all.discard(watcher)
            for cause in watcher.claims.causes:
                others = self._by_cause.get(cause, set())
                others.discard(watcher)
                if not others:
                    self._by_cause.pop(cause, None)
            return True

    @staticmethod
    def _call(watcher: _Watcher, error: VerificationError) -> None:
        try:
            watcher.on_dead(error)
        except Exception as mistake:
            _LOG.error("a callback of on_revoked failed: %s", type(mistake).__name__)
