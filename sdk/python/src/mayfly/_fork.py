"""Forked processes. Of the threads only the one that forked goes on in the child.

A lock that another thread held is held for ever there, and an answer that another thread waited for never comes. So
whatever has locks is told, and begins anew with them.
"""

from __future__ import annotations

import os
import weakref
from typing import Protocol


class _Forkable(Protocol):
    def _after_fork(self) -> None:
        """Called in the child, before anything else runs there."""


_ALL: weakref.WeakSet[_Forkable] = weakref.WeakSet()


def tell_in_children(thing: _Forkable) -> None:
    """Call ``thing._after_fork()`` in each process that is forked from this one."""
    _ALL.add(thing)


def _tell() -> None:
    for thing in list(_ALL):
        thing._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell)
