"""A task: opened, used for credentials, and ended or left."""

from __future__ import annotations

import hashlib
import json
import logging
import random
import threading
import uuid
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal

from ._auth import Bearer
from ._calls import Calls
from ._credentials import Access, Credential, CredentialCache, Key, credential_of, key_of
from ._elapsed import elapsed
from ._errors import ApprovalNeeded, MayflyError, NotApproved, Refused, TaskEnded, Unavailable
from ._fork import tell_in_children
from ._heartbeat import Heartbeat
from ._http import parse_origin
from ._identity import Identity

Outcome = Literal["completed", "failed", "cancelled"]

_LOG = logging.getLogger("mayfly")
_ALIVE = ("open", "suspended")
#: Of one request that waits for people. Programs around agents often give up after a minute.
_WAIT_SECONDS = 55
_WAIT_SPARE_SECONDS = 10.0
#: Between two of them, where the broker does not hold a request: too many wait there, or it ends.
_PAUSE_SECONDS_FIRST = 1.0
_PAUSE_SECONDS_MAX = 15.0


class Task:
    """A piece of work with a purpose. Every credential of it dies with it. Safe to use from many threads.

    Made by ``Broker.task``, ``Broker.join`` and ``Broker.handed_on``. The end of a ``with`` block completes it: as
    ``completed``, or after an exception as ``failed``.
    """

    def __init__(
        self,
        calls: Calls,
        *,
        purpose: str | None = None,
        opened: Mapping[str, Any] | None = None,
        person: Identity | None = None,
        handed_on: str | None = None,
        completes: bool = True,
        beats: bool = True,
    ) -> None:
        self._calls = calls
        self._purpose = purpose
        self._person = person
        self._handed_on = handed_on
        self._completes = completes
        self._lock = threading.Lock()
        #: Held while the first exchange opens the task, so that there is one task and not one for each thread.
        self._opening = threading.RLock()
        self._cache = CredentialCache()
        self._end: tuple[str | None, str | None] | None = None
        self._broker_knows = False
        self._uuid = uuid.uuid4()
        self._callbacks: list[Callable[[TaskEnded], object]] = []
        self._heartbeat: Heartbeat | None = None
        #: Set once the task is known to be ended, whoever ended it.
        self.ended = threading.Event()
        #: ``tsk_…``. None before the first credential of a task for a person, or of one that was handed on.
        self.id: str | None = None
        if opened is not None:
            self._begin(opened, beats)
        tell_in_children(self)

    def credential(
        self,
        target: str,
        access: Access | None = None,
        *,
        lifetime_seconds: int | None = None,
        wait_for_approval: bool | Callable[[ApprovalNeeded], object] = False,
    ) -> Credential:
        """Return a credential for the target that lives: a kept one, or a new one.

        Without ``access`` the broker decides what it is, or refuses. Policy bounds ``lifetime_seconds``.
        Waits while the broker says ``later``, as long as the broker's ``patience_seconds``; with ``wait_for_approval``
        also for people who must agree first, after a function was told which question they are asked. Raises TaskEnded,
        ApprovalNeeded, NotApproved, Refused, Unavailable or IdentityUnavailable.
        """
        while True:
            try:
                return self._cache.get(key_of(target, access, lifetime_seconds), self._obtain)
            except ApprovalNeeded as asked:
                if wait_for_approval is False:
                    raise
                if callable(wait_for_approval):
                    wait_for_approval(asked)
                self.wait_until_approved(asked)

    def wait_until_approved(self, asked: ApprovalNeeded) -> None:
        """Return once people have agreed to what was refused with this error: ask for the same again then.

        Their yes can be used for a few minutes. Raises NotApproved, TaskEnded, and what every question to the broker
        raises.
        """
        path = f"/approvals/{asked.approval_id}?wait={_WAIT_SECONDS}"
        pause = _PAUSE_SECONDS_FIRST
        while True:
            self._raise_if_ended()
            since = elapsed()
            state = self._calls.json("GET", path, timeout_seconds=_WAIT_SECONDS + _WAIT_SPARE_SECONDS).get("state")
            self._raise_if_ended()
            if state in ("approved", "used"):
                return
            if state == "cancelled":  # A question ends with its task, and an agent whose task is over has to know that.
                self._learn(self._calls.json("GET", f"/tasks/{self.id}"))
                self._raise_if_ended()
            if state != "pending":
                raise NotApproved(asked.approval_id, state if isinstance(state, str) else "unknown")
            if elapsed() - since > _WAIT_SECONDS / 2:
                pause = _PAUSE_SECONDS_FIRST
                continue
            # All who wait there are told so at once: they must not all come back at once, and not ever faster.
            self.ended.wait(random.uniform(pause / 2, pause))
            pause = min(pause * 2, _PAUSE_SECONDS_MAX)

    def auth(self, target: str, access: Access | None = None, *, origin: str | None = None) -> Bearer:
        """Return an ``auth`` for httpx, httpx2 or requests that sends credentials for the target, and to it alone.

        ``origin`` is that of its URLs, where it is not the target's own: ``origin="http://tickets.internal:8080"``.
        """
        if origin is not None:
            sent_to = parse_origin(origin, allow_http=True)
        else:
            sent_to = parse_origin("/".join(target.split("/")[:3]))
        return Bearer(lambda: self.credential(target, access), self._refused, sent_to)

    def check(self) -> str:
        """Ask the broker whether the task lives: ``open`` or ``suspended``. Raises TaskEnded if it does not.

        To be called when a target has answered 401: the kept credentials are forgotten, since one of them was refused.
        """
        self._raise_if_ended()
        self._cache.drop()
        if self.id is None:
            return "open"
        state = self._learn(self._calls.json("GET", f"/tasks/{self.id}"))
        self._raise_if_ended()
        return state

    def _refused(self, token: str) -> None:
        """A target has refused this token. If it is one of ours, it must not count against the limit of the task."""
        is_ours = self._cache.has(token)
        self.check()
        if is_ours:
            self._calls.give_back(token)

    def complete(self, outcome: Outcome = "completed", reason: str | None = None) -> None:
        """End the task, and with it every credential of it. The first outcome stands.

        This process gets no credential of it from now on, and sends no heartbeat, also when telling the broker fails.
        Then call it again: until the broker knows, the credentials live until they expire.
        """
        self._set_ended(outcome, reason)
        try:
            with self._opening:  # An exchange may be opening the task at this moment.
                if self.id is None or self._broker_knows:
                    return
                body = {"outcome": outcome, **({} if reason is None else {"reason": reason})}
                self._learn(_task_in(self._calls.json("POST", f"/tasks/{self.id}/complete", body)))
        finally:
            self._call_back()  # After the broker was told: a slow callback must not keep credentials alive.

    def leave(self) -> None:
        """Hand the task over: this process sends no more heartbeats, and the end of the block does not complete it."""
        self._completes = False
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def on_ended(self, callback: Callable[[TaskEnded], object]) -> None:
        """Call back once when the task is known to be ended; at once if it is. It runs in the thread that found out."""
        with self._lock:
            if self._end is None:
                self._callbacks.append(callback)
                return
        callback(self._ended_error())

    def __enter__(self) -> Task:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._completes:
            self.leave()
            return
        # The text of an exception may hold a secret. Its class does not.
        reason = None if kind is None else kind.__name__[:100]
        try:
            self.complete(_outcome_of(error), reason)
        except Exception as failure:
            if error is None:
                raise
            # The exception of the block is the one that its caller must see.
            _LOG.warning("task %s could not be completed: %s", self.id, _in_words(failure))

    def __repr__(self) -> str:
        return f"<mayfly.Task {self.id or 'not opened yet'}{' ended' if self.ended.is_set() else ''}>"

    def _after_fork(self) -> None:
        """In a forked process the task is that of its parent: used here, kept alive and ended there."""
        self._lock, self._opening = threading.Lock(), threading.RLock()
        was_ended, self.ended = self.ended.is_set(), threading.Event()
        if was_ended:
            self.ended.set()
        self._heartbeat = None
        if self.id is not None:
            self._completes = False
        else:  # Each process opens one of its own.
            self._uuid = uuid.uuid4()

    def _begin(self, opened: Mapping[str, Any], beats: bool) -> None:
        self.id = _id_in(opened, "id")
        self._learn(opened)
        heartbeat = opened.get("heartbeat")
        interval = heartbeat.get("intervalSeconds") if isinstance(heartbeat, dict) else None
        if beats and type(interval) is int and interval > 0 and not self.ended.is_set():
            self._beat_timeout = float(interval)
            self._heartbeat = Heartbeat(self._beat, interval)

    def _obtain(self, key: Key, once: bool) -> Credential:
        self._raise_if_ended()
        if self.id is None:
            with self._opening:
                self._raise_if_ended()
                if self.id is None:
                    return self._exchange(key, once)
        return self._exchange(key, once)

    def _exchange(self, key: Key, once: bool) -> Credential:
        target, asked = key
        named = {"task_id": self.id, "purpose": None if self.id is not None else self._purpose}
        under = {name: value for name, value in named.items() if value is not None}
        asked_at = elapsed()
        try:
            answer = self._calls.exchange(
                {"resource": target, **dict(asked), **under},
                person=self._person,
                handed_on=self._handed_on if self.id is None else None,  # From then on the task is this workload's own.
                idempotency_key=self._opening_key(key) if self.id is None else None,
                once=once,
                stop=self.ended,
            )
        except MayflyError as error:
            self._raise_if_ended()
            if isinstance(error, ApprovalNeeded) and self.id is None:
                self.id = error.task_id  # What waits for people waits under a task, which is open from then on.
            if isinstance(error, Refused) and error.code == "invalid_grant" and self.id is not None:
                self._learn_end(error)
            raise
        if self.id is None:
            self.id = _id_in(answer, "task_id")
        self._raise_if_ended()
        return credential_of(answer, target, asked_at)

    def _opening_key(self, key: Key) -> str:
        """The same request, sent again because its answer was lost, must not open a second task."""
        return f"{self._uuid}-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:16]}"

    def _learn_end(self, refusal: Refused) -> None:
        """The broker gives nothing more under this task. It may also say how the task ended."""
        try:
            if self._learn(self._calls.json("GET", f"/tasks/{self.id}", once=True)) in _ALIVE:
                return
        except MayflyError:
            self._broker_knows = True
            self._set_ended(None, None)
            self._call_back()
        raise self._ended_error() from refusal

    def _learn(self, task: Mapping[str, Any]) -> str:
        """Take note of the state in an answer, and return it."""
        state, reason = task.get("state"), task.get("reason")
        if not isinstance(state, str):
            raise Unavailable("the answer does not tell the state of the task", may_pass=False)
        if state == "suspended":
            self._cache.drop()  # They are dead for good, also after the task is resumed.
        if state not in _ALIVE:
            self._broker_knows = True
            end = (state, reason if isinstance(reason, str) else None)
            self._set_ended(*end)
            self._end = end  # The first outcome stands, and the broker knows which was first.
            self._call_back()
        return state

    def _beat(self) -> None:
        try:
            path = f"/tasks/{self.id}/heartbeat"
            self._learn(self._calls.json("POST", path, {}, once=True, timeout_seconds=self._beat_timeout))
        except Exception as error:
            _LOG.warning("a heartbeat of task %s failed: %s", self.id, _in_words(error))

    def _set_ended(self, outcome: str | None, reason: str | None) -> None:
        with self._lock:
            if self._end is not None:
                return
            self._end = (outcome, reason)
        self._cache.close()
        self.ended.set()
        if self._heartbeat is not None:
            self._heartbeat.stop()

    def _call_back(self) -> None:
        with self._lock:
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            try:
                callback(self._ended_error())
            except Exception as error:
                _LOG.error("a callback of on_ended failed: %s", _in_words(error))

    def _raise_if_ended(self) -> None:
        if self._end is not None:
            raise self._ended_error()

    def _ended_error(self) -> TaskEnded:
        return TaskEnded(self.id, *(self._end or (None, None)))


def _in_words(error: Exception) -> str:
    """Errors of this package hold no secret. The text of any other may."""
    return str(error) if isinstance(error, MayflyError) else type(error).__name__


def _outcome_of(error: BaseException | None) -> Outcome:
    if error is None or (isinstance(error, SystemExit) and not error.code):
        return "completed"
    # Ctrl-C, and the cancellation of asyncio and of other frameworks, are no failures of the work.
    return "failed" if isinstance(error, (Exception, SystemExit)) else "cancelled"


def _id_in(answer: Mapping[str, Any], name: str) -> str:
    """Return the id of the task in an answer. It becomes a part of paths."""
    value = answer.get(name)
    if isinstance(value, str) and value.isascii() and value.replace("_", "").isalnum():
        return value
    raise Unavailable("the answer does not name a task", may_pass=False)


def _task_in(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    task = answer.get("task")
    return task if isinstance(task, dict) else {}
