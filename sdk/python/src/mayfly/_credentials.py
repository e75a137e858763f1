"""Credentials of one task: kept while they live, replaced before they die, asked for once for all threads."""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, TypeAlias

from ._calls import may_pass
from ._elapsed import elapsed
from ._errors import ApprovalNeeded, Refused, TaskEnded, Unavailable
from ._fork import tell_in_children

#: Scopes such as ``incident/4711:read``, separated by spaces; or RFC 9396 objects, as an AWS role needs them.
Access: TypeAlias = str | Sequence[Mapping[str, object]]

_SEGMENT = re.compile(r"[A-Za-z0-9._~@+=,:-]+")


def scope(*path: str | int, action: str) -> str:
    """Return the scope ``<path>:<action>``, made of parts that may come from a model or a user.

    ``scope("incident", 4711, action="read")`` is ``incident/4711:read``. Raises ValueError for a part that is more than
    one segment of a path: a space, a slash or a wildcard in it would ask for more than was meant.
    """
    for part in (*path, action):
        if not isinstance(part, (str, int)) or str(part) in (".", "..") or _SEGMENT.fullmatch(str(part)) is None:
            raise ValueError("a part of the scope is not one plain segment")
    return f"{'/'.join(map(str, path))}:{action}"


#: A credential is replaced when this part of its life is over, at random in between: agents that began together must
#: not renew together.
_RENEWED_FROM, _RENEWED_TO = 0.7, 0.85
#: Seconds until a renewal that got no answer is tried again.
_PAUSE_SECONDS = (2.0, 5.0)


@dataclass(frozen=True, eq=False)
class Credential:
    """What the target takes. ``repr`` and ``str`` hide the token."""

    token: str = field(repr=False)
    #: ``Bearer``; ``N_A`` for AWS, where the token is the JSON of a ``credential_process``.
    token_type: str
    target: str
    #: What was granted, which may be less than what was asked for; None where scopes cannot say it.
    scope: str | None
    #: The same as RFC 9396 objects.
    authorization_details: tuple[Mapping[str, Any], ...]
    #: By the clock of this machine, and so only to be shown. ``seconds_left`` is right whatever that clock says.
    expires_at: datetime
    _dies_at: float = field(repr=False)

    @property
    def seconds_left(self) -> float:
        """Seconds that it still lives, unless its task ends before."""
        return max(0.0, self._dies_at - elapsed())


def credential_of(answer: Mapping[str, Any], target: str, asked_at: float) -> Credential:
    """Return the credential in an answer of ``POST /token``.

    Its life counts from before it was asked for, so it never counts as alive when it is dead. Raises Unavailable if the
    answer has no credential.
    """
    token, seconds = answer.get("access_token"), answer.get("expires_in")
    kind, scope, details = answer.get("token_type"), answer.get("scope"), answer.get("authorization_details", [])
    if (
        not isinstance(token, str)
        or not (token and token.isascii() and token.isprintable())
        or type(seconds) is not int
        or not 0 < seconds < 10**9
        or not isinstance(kind, str)
        or not (scope is None or isinstance(scope, str))
        or not isinstance(details, list)
    ):
        raise Unavailable("the answer to the exchange has no credential", may_pass=False)
    return Credential(
        token=token,
        token_type=kind,
        target=target,
        scope=scope,
        authorization_details=tuple(details),
        expires_at=datetime.now(timezone.utc) + timedelta(seconds=asked_at + seconds - elapsed()),
        _dies_at=asked_at + seconds,
    )


#: What tells credentials apart: the target, and the parameters of the exchange that say what is asked.
Key: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]


def key_of(target: str, access: Access | None, lifetime_seconds: int | None) -> Key:
    """Return the key. The same access as objects, with its members in another order, is the same key."""
    asked = [] if lifetime_seconds is None else [("lifetime", str(lifetime_seconds))]
    if isinstance(access, str):
        asked.append(("scope", access))
    elif access is not None:
        asked.append(("authorization_details", json.dumps(access, sort_keys=True)))
    return (target, tuple(asked))


def _renewal_of(credential: Credential) -> float:
    return elapsed() + credential.seconds_left * random.uniform(_RENEWED_FROM, _RENEWED_TO)


Obtain: TypeAlias = Callable[[Key, bool], Credential]


class CredentialCache:
    """The credentials of one task.

    A refusal of the broker counts, so what was kept is dropped. No answer does not count, so what is kept is served
    while it lives.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[Key, Credential] = {}
        #: When each is to be replaced. It moves when a renewal got no answer.
        self._due: dict[Key, float] = {}
        self._flights: dict[Key, Future[Credential]] = {}
        #: What people had to agree to. They are not asked again ahead of time, but when it is wanted.
        self._asking: set[Key] = set()
        #: Counts how often everything was dropped: what was asked for before that is not kept after it.
        self._drops = 0
        self._closed = False
        tell_in_children(self)

    def get(self, key: Key, obtain: Obtain) -> Credential:
        """Return a credential that lives. Raises what ``obtain`` raises if there is none.

        ``obtain(key, once)`` asks the broker; with ``once`` it does not wait and ask again. It is not kept here: it is
        a method of the task, and a task that nobody holds must be freed at once, for then its heartbeats stop.
        """
        kept = self._kept.get(key)
        if kept is not None and elapsed() < self._due.get(key, 0.0):
            return kept
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept.seconds_left <= 0:
                kept = None
            flight = self._flights.get(key)
            is_mine = flight is None
            if flight is None:
                flight = self._flights[key] = Future()
            drops = self._drops
        if is_mine and kept is not None:
            self._fly_aside(key, flight, drops, lambda: obtain(key, True))
        elif is_mine:
            self._fly(key, flight, drops, lambda: obtain(key, False))
        return kept if kept is not None else flight.result()

    def has(self, token: str) -> bool:
        """Return whether the token is one of those that are kept."""
        with self._lock:
            return any(kept.token == token for kept in self._kept.values())

    def drop(self) -> None:
        """Forget every credential: they may be dead."""
        with self._lock:
            self._drops += 1
            self._kept.clear()
            self._due.clear()

    def close(self) -> None:
        """Forget every credential, and keep none from now on."""
        self._closed = True
        self.drop()

    def _after_fork(self) -> None:
        # What is kept is served here too, and renewed by each process at a moment of its own.
        self._lock = threading.Lock()
        self._flights = {}
        for key, kept in self._kept.items():
            self._due[key] = _renewal_of(kept)

    def _fly_aside(self, key: Key, flight: Future[Credential], drops: int, ask: Callable[[], Credential]) -> None:
        """Renew while the caller goes on with what still lives."""
        renewal = threading.Thread(target=self._fly, args=(key, flight, drops, ask), name="mayfly-renew", daemon=True)
        try:
            renewal.start()
        except RuntimeError:
            # There are too many threads, or the interpreter ends and starts none any more.
            self._fly(key, flight, drops, ask)

    def _fly(self, key: Key, flight: Future[Credential], drops: int, ask: Callable[[], Credential]) -> None:
        """Ask the broker, for everybody who waits for this key."""
        try:
            credential = ask()
        except Exception as error:
            with self._lock:
                self._put_off(key, error)
                del self._flights[key]
            flight.set_exception(error)
        except BaseException:
            with self._lock:
                del self._flights[key]
            flight.set_exception(Unavailable("the thread that asked the broker was interrupted", may_pass=True))
            raise
        else:
            with self._lock:
                if not self._closed and drops == self._drops:
                    self._keep(key, credential)
                del self._flights[key]
            flight.set_result(credential)

    def _keep(self, key: Key, credential: Credential) -> None:
        # An agent may touch a million things in turn: what is dead is forgotten, or its keys would fill the memory.
        for old in [old for old, kept in self._kept.items() if kept.seconds_left <= 0]:
            del self._kept[old], self._due[old]
        self._asking &= {key, *self._kept}
        self._kept[key] = credential
        asks = key in self._asking
        self._due[key] = elapsed() + credential.seconds_left if asks else _renewal_of(credential)

    def _put_off(self, key: Key, error: Exception) -> None:
        if isinstance(error, ApprovalNeeded):
            self._asking.add(key)
        if key not in self._kept:
            return
        if isinstance(error, ApprovalNeeded):  # What people agreed to lives on, while they are asked about the next.
            self._due[key] = elapsed() + self._kept[key].seconds_left
        elif isinstance(error, (Refused, TaskEnded)) and not may_pass(error):
            del self._kept[key], self._due[key]
        else:
            asked = getattr(error, "retry_after", None) or 0.0
            self._due[key] = elapsed() + max(asked, random.uniform(*_PAUSE_SECONDS))
