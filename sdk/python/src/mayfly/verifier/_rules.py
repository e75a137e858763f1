"""What is dead, and what a pattern covers: the rules of the broker (``src/domain/liveness.ts``, ``access.ts``).

They are written here a second time. ``test/vectors/verifier.json`` holds cases that the broker's own functions decided,
and the tests of both languages read it, so neither can change alone.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from typing import NamedTuple

_EPOCH = re.compile(r"([\w-]+)\.(\d{1,15})", re.ASCII)
_NUMBERED = re.compile(r"(\d{1,15})_", re.ASCII)
_SEGMENT = re.compile(r"[A-Za-z0-9._~@+=,:-]+")
_ACTION = re.compile(r"[A-Za-z][A-Za-z0-9._:-]{0,63}")
_PATH_CHARACTERS_MAX, _PATH_SEGMENTS_MAX = 256, 8


class Epoch(NamedTuple):
    """A place in the revocation log: where something was born, or up to where everything is known."""

    generation: str
    seq: int

    def __str__(self) -> str:
        return f"{self.generation}.{self.seq}"


def parse_epoch(text: str) -> Epoch:
    """Return the place that ``<generation>.<seq>`` names. Raises ValueError for anything else."""
    match = _EPOCH.fullmatch(text)
    if match is None:
        raise ValueError("malformed epoch")
    return Epoch(match[1], int(match[2]))


def order_of(generation: str) -> int:
    """Return the number of a generation, which grows with each new one; 0 for a text that is not numbered."""
    match = _NUMBERED.match(generation)
    return int(match[1]) if match else 0


class Tombstone(NamedTuple):
    """What of a tombstone can end a credential: numbers of entries of the log. They only grow."""

    #: The first entry that ended the cause for good.
    ended: int | None
    #: The latest cutoff, and the latest hold, lifted or not: what was born before them is dead.
    cut: int | None
    last_hold: int | None
    #: Milliseconds since 1970: from then on nothing lives that it could end.
    until: float


def grown(one: Tombstone | None, other: Tombstone) -> Tombstone:
    """Return what both readings of one tombstone say together."""
    if one is None:
        return other
    ended = [seq for seq in (one.ended, other.ended) if seq is not None]
    return Tombstone(
        min(ended, default=None),
        _later(one.cut, other.cut),
        _later(one.last_hold, other.last_hold),
        max(one.until, other.until),
    )


def _later(*numbers: int | None) -> int | None:
    return max((number for number in numbers if number is not None), default=None)


def death(epoch: Epoch, generation: str, tombstones: Iterable[Tombstone | None]) -> int | None:
    """Return the number of the first entry that ended a credential born at ``epoch``; None while it lives.

    The loss of an earlier log ended everything born in it: that counts as 0. The entry of the same number as the birth
    was seen by it, and ends nothing.
    """
    if epoch.generation != generation:
        return 0
    endings: list[int] = []
    for tombstone in tombstones:
        if tombstone is None:
            continue
        if tombstone.ended is not None:
            endings.append(tombstone.ended)
        endings += [seq for seq in (tombstone.cut, tombstone.last_hold) if seq is not None and seq > epoch.seq]
    return min(endings, default=None)


def is_path(text: str) -> bool:
    """Return whether the text is a resource path or a pattern of paths, as the broker would take it."""
    segments = text.split("/")
    if len(text) > _PATH_CHARACTERS_MAX or len(segments) > _PATH_SEGMENTS_MAX or "**" in segments[:-1]:
        return False
    return all(_is_segment(segment) for segment in segments) and not _holds_token(text)


def _is_segment(segment: str) -> bool:
    if segment in ("*", "**"):
        return True
    return segment not in (".", "..") and _SEGMENT.fullmatch(segment) is not None


def is_pattern(path: str) -> bool:
    """Return whether the path has a wildcard, and so is no path of one thing."""
    return not {"*", "**"}.isdisjoint(path.split("/"))


def is_action(text: str) -> bool:
    """Return whether the broker would take the text for an action."""
    return _ACTION.fullmatch(text) is not None


def covers(pattern: str, path: str) -> bool:
    """Return whether every path that ``path`` names is named by ``pattern`` too.

    ``*`` stands for exactly one segment, ``**`` at the end for one or more.
    """
    left, right = pattern.split("/"), path.split("/")
    for index, segment in enumerate(left):
        if index >= len(right):
            return False
        if segment == "**":
            return True
        if right[index] == "**" or segment not in ("*", right[index]):
            return False
    return len(left) == len(right)


def _holds_token(text: str) -> bool:
    """Return whether a whole JWS or JWE is in the text. Audit logs print paths, so no path may hold one."""
    runs = re.findall(r"[\w.-]+", text, re.ASCII) if "eyJ" in text else []
    return any(_ends_in_header(part) for run in runs for part in run.split(".")[:-2])


def _ends_in_header(part: str) -> bool:
    begins = [match.start() for match in re.finditer("eyJ", part)][-8:]
    return any(_is_header(part[begin:]) for begin in begins)


def _is_header(part: str) -> bool:
    whole = part[:-1] if len(part) % 4 == 1 else part
    text = base64.urlsafe_b64decode(whole + "=" * (-len(whole) % 4)).decode(errors="replace")
    return '"alg"' in text and text.rstrip().endswith("}")
