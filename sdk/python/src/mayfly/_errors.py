"""What can go wrong, by what the caller should do about it. No error contains a token."""

from __future__ import annotations

from typing import Any


class MayflyError(Exception):
    """Any error of this package."""


class TaskEnded(MayflyError):
    """The task is over, and so is every credential of it. Stop the work: asking again cannot help.

    A credential that has merely expired never raises this: it is replaced.
    """

    def __init__(self, task_id: str | None, outcome: str | None, reason: str | None) -> None:
        #: ``tsk_…``; None if the task was ended before its first credential was asked for.
        self.task_id = task_id
        #: ``completed``, ``failed``, ``cancelled``, ``expired`` or ``revoked``; None if the broker did not say.
        self.outcome = outcome
        #: One sentence of whoever ended it; None if the broker did not say.
        self.reason = reason
        why = f": {reason}" if reason and reason != outcome else ""
        super().__init__(f"the task {task_id or '(never opened)'} has ended ({outcome or 'outcome unknown'}){why}")


class Refused(MayflyError):
    """The broker said no. ``docs/errors.md`` of the broker has a section for each ``code``."""

    def __init__(
        self,
        text: str,
        *,
        code: str,
        status: int,
        retry: str | None = None,
        retry_after: float | None = None,
        decision_id: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(f"{code}: {text}")
        #: For example ``access_denied``.
        self.code = code
        #: The HTTP status.
        self.status = status
        #: What can help: ``never``, ``with-less``, ``after-approval``, ``after-lift`` or ``later``.
        self.retry = retry
        #: Seconds to wait before asking again; None if the broker did not say.
        self.retry_after = retry_after
        #: Under this id the broker's audit log says which policies decided.
        self.decision_id = decision_id
        #: Under this id the broker's log speaks of the request.
        self.request_id = request_id


class ApprovalNeeded(Refused):
    """People must agree first, and are asked.

    ``task.wait_until_approved(error)`` waits for them; then the same can be asked for again. Nobody is asked twice
    about the same.
    """

    def __init__(self, text: str, *, approval_id: str, task_id: str, **details: Any) -> None:
        super().__init__(text, **details)
        #: ``apr_…``: the question.
        self.approval_id = approval_id
        #: The task under which the same is to be asked for again.
        self.task_id = task_id


class NotApproved(MayflyError):
    """People were asked, and have not agreed: they refused, nobody answered in time, or the question was taken back."""

    def __init__(self, approval_id: str, state: str) -> None:
        super().__init__(f"people have not agreed ({approval_id}): {state}")
        self.approval_id = approval_id
        #: ``denied``, ``expired`` or ``cancelled``.
        self.state = state


class Unavailable(MayflyError):
    """There was no answer of a broker: no connection, or an answer that no broker gives.

    What was asked may or may not have happened.
    """

    def __init__(self, text: str, *, may_pass: bool, retry_after: float | None = None) -> None:
        super().__init__(text)
        #: Whether it may be different a moment later. False for example after a redirect.
        self.may_pass = may_pass
        self.retry_after = retry_after


class IdentityUnavailable(MayflyError):
    """The source of the identity token gave none: for example a file that is not there, or is just being written."""


class WrongOrigin(MayflyError):
    """A request was about to carry a credential to a host that the credential is not for. Nothing was sent."""
