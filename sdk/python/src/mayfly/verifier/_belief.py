"""What a verifier believes to be dead, and how long ago it knew for sure: ``docs/feed.md`` as a state that events move.

It refuses whenever it may have missed something.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Literal

from .._elapsed import elapsed
from ._events import Complete, Event, FeedBroken, HeartbeatHeard, Hello, Revocation, Snapshot, Tombstones
from ._rules import Epoch, Tombstone, death, grown, order_of, parse_epoch

#: How much longer than needed a tombstone is kept: clocks differ.
_FORGET_AFTER_MS = 120_000
#: Two clocks that run well differ by less in the ten minutes that a stream lasts.
_CLOCKS_DIFFER_SECONDS = 1.0

#: ``unborn``: its birth is in a part of the log that has not come yet. ``unknown``: nothing may be believed now.
Verdict = Literal["alive", "dead", "unborn", "unknown"]


class Belief:
    """Safe to use from many threads: one applies events, the others ask."""

    def __init__(self, stale_seconds: float) -> None:
        self._stale = stale_seconds
        #: Notified at each change.
        self.changed = threading.Condition()
        self._kept: dict[str, Tombstone] = {}
        #: A snapshot that is not whole yet.
        self._coming: tuple[str, dict[str, Tombstone]] | None = None
        #: Everything up to here was applied. None: everything must come anew.
        self._place: Epoch | None = None
        #: The broker's look at the log that was heard of last was made no earlier than this, by `elapsed`.
        self._sure_at: float | None = None
        #: Nearly the same moment, by our clock and by that of the broker (in milliseconds).
        self._sent, self._said_at = 0.0, None  # type: float, float | None

    def begin(self, sent: float) -> None:
        """A new stream begins, whose request was sent at ``sent``, by ``elapsed``."""
        with self.changed:
            self._sent, self._said_at = sent, None

    def take(self, event: Event) -> None:
        """Apply an event. Raises FeedBroken where something is missing before it: then nothing is believed any more."""
        with self.changed:
            try:
                self._take(event)
            except Exception:
                self._lose()
                raise
            finally:
                self.changed.notify_all()

    def lose(self) -> None:
        """Believe nothing until everything has come anew."""
        with self.changed:
            self._lose()
            self.changed.notify_all()

    def verdict(self, epoch: str, causes: Sequence[str]) -> Verdict:
        """Say what is known about a credential with this epoch and these causes."""
        born = parse_epoch(epoch)
        with self.changed:
            if self._place is None or not self._is_live():
                return "unknown"
            generation, seq = self._place
            if order_of(born.generation) > order_of(generation):
                return "unborn"
            if death(born, generation, map(self._kept.get, causes)) is not None:
                return "dead"
            return "unborn" if born.seq > seq else "alive"

    def is_live(self) -> bool:
        """Whether what is kept may be believed now."""
        with self.changed:
            return self._is_live()

    def last_event_id(self) -> str | None:
        """Return what a new stream is to go on from; None: everything must come anew."""
        with self.changed:
            return None if self._place is None else str(self._place)

    def forget(self, now_ms: float) -> None:
        """Forget what can end nothing any more, by a time that is not too late. Milliseconds since 1970."""
        with self.changed:
            for cause in [cause for cause, kept in self._kept.items() if kept.until + _FORGET_AFTER_MS < now_ms]:
                del self._kept[cause]

    def generation(self) -> str | None:
        """Return the log that everything was applied of; None: everything must come anew."""
        with self.changed:
            return None if self._place is None else self._place.generation

    def __len__(self) -> int:
        return len(self._kept)

    def _is_live(self) -> bool:
        return self._place is not None and self._sure_at is not None and elapsed() - self._sure_at <= self._stale

    def _lose(self) -> None:
        self._place = self._sure_at = self._coming = None

    def _take(self, event: Event) -> None:
        if isinstance(event, Hello):
            self._said_at = event.at if self._said_at is None else self._said_at
        elif isinstance(event, Snapshot):
            self._lose()
            self._coming = (event.place.generation, {})
        elif isinstance(event, Tombstones):
            if self._coming is None:
                raise FeedBroken("the feed has left the begin of a snapshot out")
            for cause, tombstone in event.pairs:
                _join(self._coming[1], cause, tombstone)
        elif isinstance(event, Complete):
            if self._coming is None or self._coming[0] != event.place.generation:
                raise FeedBroken("the feed ends another snapshot")
            self._kept, self._coming, self._place = self._coming[1], None, event.place
        elif isinstance(event, Revocation):
            if self._place is None or event.seq > self._place.seq + 1:
                raise FeedBroken("the feed has left an entry out")
            _join(self._kept, event.cause, event.tombstone)
            self._place = self._place._replace(seq=max(event.seq, self._place.seq))
        elif isinstance(event, HeartbeatHeard):
            self._confirm(event)

    def _confirm(self, heartbeat: HeartbeatHeard) -> None:
        if self._place is None or heartbeat.place != self._place or self._said_at is None:
            raise FeedBroken("the feed has left an entry out")
        since_sent = (heartbeat.at - self._said_at) / 1000
        looked_at, now = self._sent + since_sent, elapsed()
        if looked_at > now + _CLOCKS_DIFFER_SECONDS:
            # A machine that was paused: from now on, events that are late would pass for fresh ones.
            raise FeedBroken("the clock of this machine stood still")
        # Not later than now: a clock of the broker that runs ahead must not make us surer than we are.
        looked_at = min(looked_at, now)
        self._sure_at = looked_at if self._sure_at is None else max(looked_at, self._sure_at)


def _join(into: dict[str, Tombstone], cause: str, tombstone: Tombstone) -> None:
    into[cause] = grown(into.get(cause), tombstone)
