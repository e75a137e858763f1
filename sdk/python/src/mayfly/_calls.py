"""Calls of the broker's API: each proves who asks, understands refusals, and is repeated while that can help."""

from __future__ import annotations

import json
import random
import re
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ._elapsed import elapsed
from ._errors import ApprovalNeeded, IdentityUnavailable, MayflyError, Refused, Unavailable
from ._http import Answer, Url, fetch
from ._identity import Identity, token_from

_CODE = re.compile(r"[a-z_]{1,64}")
_TEXT_MAX = 500
#: The codes for a proof of identity that is not accepted; ``invalid_request`` by RFC 8693 section 2.2.2.
_PROOF_REFUSED = ("invalid_token", "invalid_client", "invalid_request")
_PAUSE_SECONDS_FIRST, _PAUSE_SECONDS_MAX = 0.2, 5.0


def may_pass(error: BaseException) -> bool:
    """Return whether the same call may succeed a moment later: the broker says so, or has not answered at all."""
    if isinstance(error, Refused):
        return error.retry == "later"
    return isinstance(error, IdentityUnavailable) or (isinstance(error, Unavailable) and error.may_pass)


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    idempotency_key: str | None
    #: The tokens in it: no error may contain them.
    secrets: tuple[str, ...]
    timeout_seconds: float


class Calls:
    """The API of one broker. Each call has a connection of its own: threads and forks may share this."""

    def __init__(
        self,
        origin: Url,
        identity: Identity,
        *,
        context: ssl.SSLContext | None,
        timeout_seconds: float,
        patience_seconds: float,
    ) -> None:
        self._origin = origin
        self._identity = identity
        self._context = context
        self._timeout = timeout_seconds
        self._patience = patience_seconds

    def identity(self) -> str:
        """Return the identity token as it is now."""
        return token_from(self._identity, "the identity source")

    def json(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        *,
        idempotency_key: str | None = None,
        once: bool = False,
        timeout_seconds: float | None = None,
    ) -> dict[str, Any]:
        """Call an endpoint that takes JSON, as this workload. ``once``: do not wait and ask again."""

        def attempt(token: str) -> dict[str, Any]:
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            sent = None if body is None else json.dumps(body).encode()
            call = _Call(method, path, headers, sent, idempotency_key, (token,), timeout_seconds or self._timeout)
            return self._send(call)

        return self._repeated(attempt, once)

    def exchange(
        self,
        parameters: Mapping[str, str],
        *,
        person: Identity | None = None,
        handed_on: str | None = None,
        idempotency_key: str | None = None,
        once: bool = False,
        stop: threading.Event | None = None,
    ) -> dict[str, Any]:
        """Call ``POST /token`` (RFC 8693), as this workload, which may act for a person or with what was handed on.

        ``stop`` ends the waiting between two attempts.
        """

        def attempt(own: str) -> dict[str, Any]:
            theirs = handed_on
            if theirs is None and person is not None:
                theirs = token_from(person, "the source of the person's token")
            tokens = {"subject_token": theirs or own, **({"actor_token": own} if theirs else {})}
            types = {f"{name}_type": "urn:ietf:params:oauth:token-type:jwt" for name in tokens}
            if handed_on is not None:
                types["subject_token_type"] = "urn:ietf:params:oauth:token-type:access_token"
            grant = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange"}
            form = urlencode({**grant, **tokens, **types, **parameters}).encode()
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            secrets = tuple(tokens.values())
            return self._send(_Call("POST", "/token", headers, form, idempotency_key, secrets, self._timeout))

        return self._repeated(attempt, once, stop)

    def give_back(self, token: str) -> None:
        """Call ``POST /revoke`` (RFC 7009) for a credential of this workload."""
        self.show("/revoke", token)

    def show(self, path: str, token: str) -> dict[str, Any]:
        """Call an endpoint that takes a token as a form, as this workload, once."""

        def attempt(own: str) -> dict[str, Any]:
            headers = {"Authorization": f"Bearer {own}", "Content-Type": "application/x-www-form-urlencoded"}
            form = urlencode({"token": token}).encode()
            return self._send(_Call("POST", path, headers, form, None, (own, token), self._timeout))

        return self._repeated(attempt, once=True)

    def _repeated(
        self, attempt: Callable[[str], dict[str, Any]], once: bool, stop: threading.Event | None = None
    ) -> dict[str, Any]:
        """Repeat while a repetition can help and patience lasts."""
        until = elapsed() + (0.0 if once else self._patience)
        pause = _PAUSE_SECONDS_FIRST
        token: str | None = None
        is_second = False
        while True:
            try:
                token = self.identity()
                return attempt(token)
            except MayflyError as error:
                if not is_second and self._has_newer_identity(error, token):
                    is_second = True
                    continue
                asked = getattr(error, "retry_after", None)
                # Many agents may have been sent away at once: they must not all come back at once.
                wait = random.uniform(pause / 2, pause) if asked is None else asked + random.uniform(0, pause)
                if not may_pass(error) or elapsed() + wait > until:
                    raise
            if (stop or threading.Event()).wait(wait):
                raise Unavailable("the task ended while its broker could not answer", may_pass=False)
            pause = min(pause * 2, _PAUSE_SECONDS_MAX)

    def _has_newer_identity(self, error: MayflyError, token: str | None) -> bool:
        """Return whether a proof of identity was refused that the source has replaced since, or can replace.

        For example: the file was read while the platform wrote it.
        """
        if token is None or not isinstance(error, Refused) or error.code not in _PROOF_REFUSED:
            return False
        forget = getattr(self._identity, "forget", None)
        if forget is not None:
            forget()
        return self.identity() != token

    def _send(self, call: _Call) -> dict[str, Any]:
        key = {} if call.idempotency_key is None else {"Idempotency-Key": call.idempotency_key}
        answer = fetch(
            Url(self._origin.scheme, self._origin.host, self._origin.port, call.path),
            method=call.method,
            headers={"Accept": "application/json", **call.headers, **key},
            body=call.body,
            timeout=call.timeout_seconds,
            context=self._context,
        )
        parsed = answer.json() if answer.body else {}  # RFC 7009 answers with nothing.
        if answer.status in (200, 201) and isinstance(parsed, dict):
            return parsed
        raise _refusal(answer, parsed, call.secrets) or self._no_answer(answer)

    def _no_answer(self, answer: Answer) -> Unavailable:
        """What stands before a broker answers as well: load balancers, portals, proxies."""
        redirected = ": redirects are not followed" if 300 <= answer.status < 400 else ", and not as a broker does"
        return Unavailable(
            f"{self._origin.origin} answered {answer.status}{redirected}",
            may_pass=answer.status == 429 or answer.status >= 500,
            retry_after=_retry_after(answer),
        )


#: Ids become a part of paths, and are shown to people.
_ID = re.compile(r"[a-z]{3}_[a-z2-7]{16}")


def _refusal(answer: Answer, body: object, secrets: tuple[str, ...]) -> Refused | None:
    """Return the refusal by RFC 6749 or RFC 9457; None if the answer is neither."""
    if answer.status < 400 or not isinstance(body, dict):
        return None
    code = body.get("error", body.get("code"))
    if not isinstance(code, str) or _CODE.fullmatch(code) is None:
        return None

    def text(name: str) -> str | None:
        value = body.get(name)
        return _one_line(value, secrets) if isinstance(value, str) else None

    sentence = text("error_description") or text("detail") or "no reason was given"
    details: dict[str, Any] = {
        "code": code,
        "status": answer.status,
        "retry": text("retry"),
        "retry_after": _retry_after(answer),
        "decision_id": text("decision_id"),
        "request_id": _one_line(answer.headers.get("x-request-id", ""), secrets) or None,
    }
    approval_id, task_id = text("approval_id") or "", text("task_id") or ""
    if details["retry"] == "after-approval" and _ID.fullmatch(approval_id) and _ID.fullmatch(task_id):
        return ApprovalNeeded(sentence, approval_id=approval_id, task_id=task_id, **details)
    return Refused(sentence, **details)


def _retry_after(answer: Answer) -> float | None:
    value = answer.headers.get("retry-after", "")
    return float(value) if re.fullmatch(r"[0-9]{1,6}", value) else None


def _one_line(text: str, secrets: tuple[str, ...]) -> str:
    """Return the text fit for logs and terminals. Whoever answered may have put our own token into it."""
    for secret in secrets:
        text = text.replace(secret, "…")
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_TEXT_MAX]
