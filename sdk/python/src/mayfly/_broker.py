"""The entrance: a broker, and the tasks that it opens."""

from __future__ import annotations

import ssl
import uuid
from collections.abc import Mapping, Sequence

from ._calls import Calls
from ._http import parse_origin
from ._identity import Identity, checked_token
from ._task import Task

_HEARTBEAT_SECONDS = 30
_MISSES_ALLOWED = 3


class Broker:
    """A Mayfly broker, as seen by one workload. Safe to use from many threads."""

    def __init__(
        self,
        url: str,
        *,
        identity: Identity,
        ca_file: str | None = None,
        allow_http: bool = False,
        timeout_seconds: float = 10.0,
        patience_seconds: float = 10.0,
    ) -> None:
        """Name the broker and say who you are.

        ``url`` is the origin of the broker, https unless it is on loopback or ``allow_http`` is set. ``identity``
        returns the identity token of this workload whenever it is called: ``mayfly.from_file(path)`` and its siblings,
        or any function. ``ca_file`` is a PEM file of certificate authorities, trusted instead of the system's.

        ``timeout_seconds`` bounds one request. ``patience_seconds`` bounds how long a call goes on asking while the
        broker says ``later`` or does not answer. Nothing is sent here. Raises ValueError.
        """
        if not callable(identity):
            raise TypeError("identity is a function that returns the token, for example mayfly.from_file(path)")
        origin = parse_origin(url, allow_http=allow_http)
        context = ssl.create_default_context(cafile=ca_file) if origin.scheme == "https" else None
        self._calls = Calls(
            origin,
            identity,
            context=context,
            timeout_seconds=timeout_seconds,
            patience_seconds=patience_seconds,
        )

    def task(
        self,
        purpose: str,
        *,
        access: Sequence[Mapping[str, object]] | None = None,
        deadline_seconds: int | None = None,
        heartbeat_seconds: int | None = None,
        person: str | Identity | None = None,
        workload: str | None = None,
        parent: str | None = None,
    ) -> Task:
        """Open a task for this workload, and return it.

        ``access`` is the most that can be granted under it, as RFC 9396 objects; by default what policy permits. A
        thread tells the broker every 30 seconds that this process lives; after three heartbeats that are missing the
        broker ends the task. With ``heartbeat_seconds=0`` there is no heartbeat. ``parent`` is the id of a task that
        the new one ends with.

        ``person`` is the token of a person that the agent acts for, or a function that returns it. Such a task is
        opened by its first credential and has no heartbeat; only ``purpose`` goes with it.

        An orchestrator names the ``workload`` that will ``join`` the task. That one sends the heartbeats, if
        ``heartbeat_seconds`` says that there are any.

        Raises ValueError for what does not go together, and what ``Task.credential`` raises.
        """
        if heartbeat_seconds is None:
            heartbeat_seconds = _HEARTBEAT_SECONDS if workload is None else 0
        heartbeat = {"intervalSeconds": heartbeat_seconds, "missesAllowed": _MISSES_ALLOWED}
        wish = {
            "access": access,
            "deadlineSeconds": deadline_seconds,
            "workload": workload,
            "parent": parent,
        }
        named = {name: value for name, value in wish.items() if value is not None}
        if person is not None:
            if named:
                raise ValueError(f"a task for a person has no {' and no '.join(named)}")
            return Task(self._calls, purpose=purpose, person=person if callable(person) else lambda: person)
        body = {"purpose": purpose, **named, **({"heartbeat": heartbeat} if heartbeat_seconds else {})}
        opened = self._calls.json("POST", "/tasks", body, idempotency_key=str(uuid.uuid4()))
        return Task(self._calls, opened=opened, beats=workload is None)

    def handed_on(self, token: str, *, purpose: str | None = None) -> Task:
        """Go on with what another agent gave to this one: the token of a credential of its own.

        The task is opened by its first credential, below the task of that one. It has no heartbeat, gives nothing that
        goes beyond that credential, and ends with it. ``purpose`` is by default that of the other agent's task. Raises
        IdentityUnavailable for what is not one token.
        """
        return Task(self._calls, purpose=purpose, handed_on=checked_token(token, "what was handed on"))

    def join(self, task_id: str) -> Task:
        """Go on with a task that somebody else has opened for this workload, and send its heartbeats if it has any.

        The end of a ``with`` block leaves it; to end it, call ``complete``. Raises TaskEnded if it is over.
        """
        if not (task_id.isascii() and task_id.replace("_", "").isalnum()):
            raise ValueError(f"{task_id!r} is not the id of a task")
        task = Task(self._calls, opened=self._calls.json("GET", f"/tasks/{task_id}"), completes=False)
        if task.ended.is_set():
            task.check()
        return task
