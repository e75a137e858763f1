"""The text of the feed, read into events (WHATWG HTML section 9.2).

Whatever is not as ``docs/feed.md`` has it raises: a verifier that may have missed something begins anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeAlias

from ._rules import Epoch, Tombstone

#: A page of a snapshot has a thousand tombstones, some 100 KB.
EVENT_BYTES_MAX = 4 << 20
_NATURAL_MAX = 2**53 - 1


class FeedBroken(Exception):
    """The feed said something that this verifier does not understand, or left something out."""


class Hello(NamedTuple):
    at: float


class Snapshot(NamedTuple):
    place: Epoch


class Tombstones(NamedTuple):
    pairs: list[tuple[str, Tombstone]]


class Complete(NamedTuple):
    place: Epoch


class Revocation(NamedTuple):
    seq: int
    cause: str
    tombstone: Tombstone
    #: Whether a receipt is kept of it, which is to name who knew.
    has_receipt: bool


class HeartbeatHeard(NamedTuple):
    place: Epoch
    #: Milliseconds of the broker's own clock, as in ``Hello``.
    at: float


class End(NamedTuple):
    reason: str


Event: TypeAlias = Hello | Snapshot | Tombstones | Complete | Revocation | HeartbeatHeard | End


class Reader:
    """Takes the stream piece by piece."""

    def __init__(self) -> None:
        self._rest = b""

    def read(self, piece: bytes) -> Iterator[Event]:
        """Return the events that are whole with this piece. Raises FeedBroken."""
        *parts, self._rest = (self._rest + piece).split(b"\n\n")
        if len(self._rest) > EVENT_BYTES_MAX:
            raise FeedBroken("an event of the feed is too large")
        for part in parts:
            if (event := _event_in(part)) is not None:
                yield event


def _event_in(text: bytes) -> Event | None:
    name, data = b"", b""
    for line in text.split(b"\n"):
        if line.startswith(b"event: "):
            name = line[len(b"event: ") :]
        elif line.startswith(b"data: "):
            data += line[len(b"data: ") :]
    make = _MAKERS.get(name)
    if make is None:  # A newer broker may have more kinds of events.
        return None
    try:
        return make(json.loads(data))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise FeedBroken(f"the feed has a {name.decode()} that is malformed") from None


def _natural(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= _NATURAL_MAX:
        raise ValueError
    return value


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value <= _NATURAL_MAX:
        raise ValueError
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError
    return value


def _place(data: Any) -> Epoch:
    return Epoch(_text(data["generation"]), _natural(data["seq"]))


def _tombstone(data: Any) -> Tombstone:
    """A part that is there must be understood, or a dead credential would live."""
    ended = _natural(data["ended"]["seq"]) if "ended" in data else None
    cut = _natural(data["cut"]["seq"]) if "cut" in data else None
    last_hold = _natural(data["lastHold"]) if "lastHold" in data else None
    return Tombstone(ended, cut, last_hold, _number(data["until"]))


def _tombstones(data: Any) -> Tombstones:
    if not isinstance(data, list):
        raise ValueError
    return Tombstones([(_text(cause), _tombstone(tombstone)) for cause, tombstone in data])


_MAKERS: dict[bytes, Callable[[Any], Event]] = {
    b"hello": lambda data: Hello(_number(data["at"])),
    b"snapshot": lambda data: Snapshot(_place(data)),
    b"tombstones": _tombstones,
    b"complete": lambda data: Complete(_place(data)),
    b"revocation": lambda data: Revocation(
        _natural(data["seq"]), _text(data["cause"]), _tombstone(data["tombstone"]), data.get("receipt") is True
    ),
    b"heartbeat": lambda data: HeartbeatHeard(_place(data), _number(data["at"])),
    b"end": lambda data: End(_text(data["reason"])),
}
