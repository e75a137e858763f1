"""The entrance of the verifier: a broker, the API that this process is, and how it knows what is dead."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Literal

from .._calls import Calls
from .._elapsed import elapsed
from .._errors import MayflyError
from .._fork import tell_in_children
from .._http import parse_origin
from .._identity import Identity
from ._ack import Acknowledger
from ._belief import Belief
from ._errors import VerificationError
from ._events import Complete, Event, Revocation
from ._feed import Follower, Following
from ._keys import Keys
from ._token import Claims, Expected, read_token, scope_of
from ._usage import UsageReporter
from ._watch import OnDead, Watchers

_TIMEOUT_SECONDS = 5.0
#: Heartbeats come each second; and what was revoked must not work for much longer because a connection is gone.
_STALE_SECONDS = (2.0, 30.0)
_CACHE_SECONDS_MAX = 10.0
_ANSWERS_MAX = 10_000
_FORGET_EACH_SECONDS = 60.0


class Verifier:
    """Decides whether a credential may be used now. Safe to use from many threads, and from asyncio.

    >>> verifier = Verifier("https://mayfly.example", "https://tickets.example", identity=mayfly.from_file(path))
    >>> claims = verifier.verify(token, resource="incident/4711", action="read")
    """

    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        identity: Identity,
        by: Literal["feed", "introspection"] = "feed",
        url: str | None = None,
        ca_file: str | None = None,
        stale_seconds: float = 5.0,
        cache_seconds: float = 1.0,
        instance: str | None = None,
        report_usage: bool | None = None,
    ) -> None:
        """Name the broker and this API as the broker's configuration does, byte for byte.

        ``issuer`` is that of the broker, ``audience`` the ``resource`` of the target. ``identity`` returns the identity
        token of this API. ``url`` is the origin of the broker where that is not its issuer; ``ca_file`` as in
        ``mayfly.Broker``.

        ``by="feed"`` hears what dies, and needs ``followFeed`` in policy. After ``stale_seconds`` (2 to 30) in which it
        does not know for sure, everything is refused. ``instance`` is which of the instances of this API it is, by
        default the name of the host.

        ``by="introspection"`` asks about each token, and needs ``introspect`` on the target. A yes is believed for
        ``cache_seconds`` (at most 10), and a revoked credential may work for so long. Raises ValueError.

        ``report_usage`` is whether it tells the broker which uses it let pass and which it denied, every 15 seconds in a
        thread; it needs ``reportUsage`` on the target. True: whatever is verified or checked together with a resource;
        False: nothing. By default what ``McpTokenVerifier.require`` checks.
        """
        if by not in ("feed", "introspection"):
            raise ValueError("by is 'feed' or 'introspection'")
        if not _STALE_SECONDS[0] <= stale_seconds <= _STALE_SECONDS[1]:
            raise ValueError(f"stale_seconds is {_STALE_SECONDS[0]:.0f} to {_STALE_SECONDS[1]:.0f}")
        if not 0 <= cache_seconds <= _CACHE_SECONDS_MAX:
            raise ValueError(f"cache_seconds is 0 to {_CACHE_SECONDS_MAX:.0f}")
        origin = parse_origin(issuer if url is None else url)
        context = ssl.create_default_context(cafile=ca_file) if origin.scheme == "https" else None
        self.issuer, self.audience = issuer, audience
        self._expected = Expected(issuer, audience, Keys(origin, context, _TIMEOUT_SECONDS))
        self._stale, self._cache, self._reports = stale_seconds, cache_seconds, report_usage
        self._calls = Calls(
            origin, identity, context=context, timeout_seconds=_TIMEOUT_SECONDS, patience_seconds=_TIMEOUT_SECONDS
        )
        name = (instance or socket.gethostname())[:64]
        self._following = Following(origin, identity, context, name, stale_seconds)
        self._by_feed = by == "feed"
        self._is_closed = False
        self._begin()
        self._follow()
        tell_in_children(self)

    def verify(self, token: str, *, resource: str | None = None, action: str | None = None) -> Claims:
        """Return the claims of a credential that is for this API, lives now, and covers the action on the resource.

        Raises VerificationError with the status 401, 403 or 503. May wait: for keys, for the answer of the broker, or
        for news of a credential that was born a moment ago; never much longer than ``stale_seconds``, and then it
        refuses.
        """
        claims = self._verify(token, resource, action, may_wait=True)
        if claims is None:
            raise RuntimeError("undecided after waiting")
        return claims

    async def verify_async(self, token: str, *, resource: str | None = None, action: str | None = None) -> Claims:
        """Do the same without blocking the event loop."""
        claims = self._verify(token, resource, action, may_wait=False)
        if claims is not None:
            return claims
        return await asyncio.to_thread(self.verify, token, resource=resource, action=action)

    def check(
        self, claims: Claims, *, resource: str | None = None, action: str | None = None, report: bool = False
    ) -> None:
        """Raise VerificationError unless verified claims still hold, and cover that: for each step of longer work.

        By introspection, only their expiry is noticed. ``report`` is whether it is reported as a use where
        ``report_usage`` was left out.
        """
        is_reported = report if self._reports is None else self._reports
        self._decide(claims, resource, action, error=self._problem(claims), is_reported=is_reported)

    def on_revoked(self, claims: Claims, callback: OnDead) -> Callable[[], object]:
        """Call back once when the credential is not to be used any more: revoked, expired, or the feed is not heard.

        The callback runs in a thread that all share, with the VerificationError; in asyncio let it call
        ``loop.call_soon_threadsafe``. Returns how to stop. By introspection, only expiry is noticed.
        """
        self._follow()
        return self._watchers.watch(claims, callback)

    @property
    def is_ready(self) -> bool:
        """Whether it can decide now: for a readiness probe. By introspection always."""
        self._follow()
        return not self._by_feed or self._belief.is_live()

    def wait_ready(self, timeout_seconds: float) -> bool:
        """Wait until it can decide. Returns whether it can."""
        self._follow()
        with self._belief.changed:
            return self._belief.changed.wait_for(lambda: self.is_ready, timeout_seconds)

    def close(self) -> None:
        """Leave the feed, and send the last report of use. From then on all is refused, and what runs is cut."""
        self._is_closed = True
        if self._follower is not None:
            self._follower.close()
        self._belief.lose()
        self._watchers.close()
        self._acknowledger.close()
        self._usage.close()

    def __enter__(self) -> Verifier:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._belief = Belief(self._stale)
        self._watchers = Watchers(self._problem)
        self._acknowledger = Acknowledger(self._calls, self._following.instance)
        self._usage = UsageReporter(self._calls, self.audience)
        self._answers: dict[bytes, float] = {}
        self._forgotten_at = elapsed()
        self._follower: Follower | None = None

    def _after_fork(self) -> None:
        # The thread that follows is not in the child: one begins there at the first use, with a feed of its own.
        self._begin()

    def _follow(self) -> None:
        if not self._by_feed or self._follower is not None or self._is_closed:
            return
        with self._lock:
            if self._follower is None:
                self._follower = Follower(self._following, self._belief, self._heard)

    def _heard(self, event: Event) -> None:
        if isinstance(event, Revocation):
            self._watchers.look(event.cause)
            generation = self._belief.generation()
            if generation is not None:
                self._acknowledger.applied(generation, event.seq, has_receipt=event.has_receipt)
        elif isinstance(event, Complete):
            self._watchers.look(None)
        if elapsed() - self._forgotten_at > _FORGET_EACH_SECONDS:
            self._forgotten_at = elapsed()
            broker_time = self._follower.broker_time() if self._follower else None
            if broker_time is not None:
                # By the earlier clock: a wrong one must not make anything be forgotten that still ends something.
                self._belief.forget(min(time.time(), broker_time) * 1000)

    def _now(self) -> float:
        """The later of what this machine and the broker say: a wrong clock must not prolong a credential."""
        told = self._follower.broker_time() if self._follower else None
        return time.time() if told is None else max(time.time(), told)

    def _verify(self, token: str, resource: str | None, action: str | None, *, may_wait: bool) -> Claims | None:
        self._follow()
        if self._is_closed:
            raise VerificationError("stale")
        claims = read_token(token, self._expected, self._now, may_wait=may_wait)
        if claims is None:
            return None
        error: VerificationError | None = None
        if self._by_feed:
            error = self._problem(claims)
            if error is not None and error.reason == "unheard":
                if not may_wait:
                    return None
                error = self._wait_for_news(claims)
        else:
            try:
                if not self._is_active(token, may_wait):
                    return None
            except VerificationError as inactive:
                error = inactive
        self._decide(claims, resource, action, error=error, is_reported=self._reports is True)
        return claims

    def _decide(
        self,
        claims: Claims,
        resource: str | None,
        action: str | None,
        *,
        error: VerificationError | None,
        is_reported: bool,
    ) -> None:
        """Raise the error, or another one where the claims do not cover that; and report the use."""
        if (resource is None) != (action is None):
            raise TypeError("resource and action go together")
        found = error
        if resource is not None and action is not None:
            found = error or _access_problem(claims, resource, action)
            # With 503 nobody knows: that is no denial.
            if is_reported and (found is None or found.status != 503):
                self._usage.note(claims.jti, resource, action, permitted=found is None)
        if found is not None:
            raise found

    def _problem(self, claims: Claims) -> VerificationError | None:
        if self._is_closed:
            return VerificationError("stale")
        if claims.exp <= self._now():
            return VerificationError("expired")
        if not self._by_feed:
            return None
        verdict = self._belief.verdict(claims.epoch, claims.causes)
        if verdict == "alive":
            return None
        return VerificationError("dead" if verdict == "dead" else "unheard" if verdict == "unborn" else "stale")

    def _wait_for_news(self, claims: Claims) -> VerificationError | None:
        """A credential may be shown here before the entry before its birth was heard."""
        until = elapsed() + self._stale
        with self._belief.changed:
            while True:
                error = self._problem(claims)
                left = until - elapsed()
                if error is None or error.reason != "unheard" or left <= 0:
                    return error
                self._belief.changed.wait(left)

    def _is_active(self, token: str, may_wait: bool) -> bool:
        """Return whether the broker says so, or said so a moment ago. False: it would have to be asked."""
        key = hashlib.sha256(token.encode()).digest()
        if elapsed() < self._answers.get(key, 0.0):
            return True
        if not may_wait:
            return False
        asked_at = elapsed()
        try:
            active = self._calls.show("/introspect", token).get("active")
        except MayflyError:
            raise VerificationError("broker") from None
        if active is not True:
            raise VerificationError("dead")
        if self._cache:
            if len(self._answers) >= _ANSWERS_MAX:
                self._answers.clear()
            self._answers[key] = asked_at + self._cache
        return True


def _access_problem(claims: Claims, resource: str, action: str) -> VerificationError | None:
    if claims.covers(resource, action):
        return None
    return VerificationError("access", scope=scope_of(resource, action))
