"""The thread that follows the revocation feed: it comes again for ever, and each time at a moment of its own."""

from __future__ import annotations

import http.client
import logging
import random
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import quote

from .._elapsed import elapsed
from .._errors import MayflyError
from .._http import Url, connection_to
from .._identity import Identity, token_from
from ._belief import Belief
from ._events import End, Event, FeedBroken, Reader

_LOG = logging.getLogger("mayfly")
#: Longer waits between attempts would not spare the broker much, and delay the return of the API.
_PAUSE_SECONDS_MAX = 5.0
#: The broker ended the stream in good order: all whom it sent away come back spread over this.
_RETURN_SECONDS_MAX = 1.0
#: No permit, a hold, an identity that is not accepted: only people can mend that.
_REFUSED_SECONDS = (5.0, 10.0)
#: The answers that shut this API out, and why.
_HINTS = {
    401: "because it does not accept the identity of this API",
    403: "because no policy permits this API `followFeed`, or because it is held",
}
_PIECE_BYTES = 1 << 16


class _RefusedHere(Exception):
    """The broker does not let this workload follow."""


@dataclass(frozen=True)
class Following:
    """What it needs."""

    origin: Url
    identity: Identity
    context: ssl.SSLContext | None
    #: Which instance of the API this is, for receipts of revocations.
    instance: str
    #: A stream that says nothing for so long is left.
    silence_seconds: float


def pause_after(end: Literal["again", "refused", "failed"], failures: int) -> float:
    """Return seconds, at random: after a failover, a thousand verifiers must not come in the same moment."""
    if end == "refused":
        return random.uniform(*_REFUSED_SECONDS)
    most = _RETURN_SECONDS_MAX if end == "again" else min(_PAUSE_SECONDS_MAX, 0.5 * 2 ** min(failures, 10))
    return random.uniform(0.02, most)


class Follower:
    """Follows until it is closed."""

    def __init__(self, following: Following, belief: Belief, heard: Callable[[Event], None]) -> None:
        self._following = following
        self._belief = belief
        self._heard = heard
        self._stop = threading.Event()
        self._socket: socket.socket | None = None
        #: The broker's time of day, and when it said it.
        self._told: tuple[float, float] | None = None
        threading.Thread(target=self._run, name="mayfly-feed", daemon=True).start()

    def broker_time(self) -> float | None:
        """Return the time by the broker's clock, in seconds since 1970; None if it was not heard yet."""
        told = self._told
        return None if told is None else told[0] + elapsed() - told[1]

    def close(self) -> None:
        """Leave the feed."""
        self._stop.set()
        if (used := self._socket) is not None:
            try:
                used.shutdown(socket.SHUT_RDWR)  # Wakes the thread that reads from it.
            except OSError:
                return

    def _run(self) -> None:
        failures = 0
        while not self._stop.is_set():
            try:
                reason = self._follow_once()
                pause, failures = pause_after("again", 0), 0
                if reason == "refused":
                    raise _RefusedHere("the broker has ended the stream: this workload may not follow any more")
            except _RefusedHere as error:
                _LOG.warning("the feed is not followed: %s", error)
                pause = pause_after("refused", 0)
            except Exception as error:
                if isinstance(error, FeedBroken):
                    self._belief.lose()  # Something may have been missed.
                if self._stop.is_set():
                    return
                _LOG.warning("the feed was lost: %s", _in_words(error))
                pause, failures = pause_after("failed", failures), failures + 1
            self._stop.wait(pause)

    def _follow_once(self) -> str:
        """Follow one stream to its end, and return the reason that the broker gives for it."""
        following = self._following
        token = token_from(following.identity, "the identity source")
        last_event_id = self._belief.last_event_id()
        sent = elapsed()
        self._belief.begin(sent)
        headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {token}", "Connection": "close"}
        if last_event_id is not None:
            headers["Last-Event-ID"] = last_event_id
        connection = connection_to(following.origin, following.silence_seconds, following.context)
        try:
            path = f"/revocations/feed?instance={quote(following.instance, safe='')}"
            connection.request("GET", path, headers=headers)
            self._socket = connection.sock
            if self._stop.is_set():
                return "closed"
            response = connection.getresponse()
            self._check(response)
            return self._read(response)
        finally:
            self._socket = None
            connection.close()

    def _check(self, response: http.client.HTTPResponse) -> None:
        if response.status in _HINTS:
            forget = getattr(self._following.identity, "forget", None)
            if forget is not None:
                forget()
            raise _RefusedHere(f"the broker answers {response.status}, {_HINTS[response.status]}")
        if response.status != 200:
            raise ConnectionError(f"the broker answers {response.status}")
        kind, date = response.headers.get("Content-Type", ""), response.headers.get("Date", "")
        try:
            told = parsedate_to_datetime(date).timestamp()
        except (ValueError, TypeError):
            told = None
        if told is None or not kind.startswith("text/event-stream"):
            raise ConnectionError("what answers is not the feed of a broker")
        self._told = (told, elapsed())

    def _read(self, response: http.client.HTTPResponse) -> str:
        reader, last = Reader(), elapsed()
        while piece := response.read1(_PIECE_BYTES):
            for event in reader.read(piece):
                last = elapsed()
                self._belief.take(event)
                self._heard(event)
                if isinstance(event, End):
                    return event.reason
            # The timeout of the socket begins anew with each byte.
            if elapsed() - last > self._following.silence_seconds:
                raise TimeoutError("silence")
        raise ConnectionError("broken off")


def _in_words(error: Exception) -> str:
    """Errors of HTTP repeat what was sent, and so perhaps a token. Those written here do not."""
    return str(error) if isinstance(error, (FeedBroken, MayflyError, OSError)) else type(error).__name__
