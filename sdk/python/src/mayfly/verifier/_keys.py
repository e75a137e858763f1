"""The keys of the broker.

They are fetched once in ten minutes, and earlier for a key that is not known; never more often than once in five
seconds, because anybody can send a token that names an unknown key.
"""

from __future__ import annotations

import ssl
import threading
from typing import Any

from jwt import PyJWK, PyJWTError

from .._elapsed import elapsed
from .._errors import Unavailable
from .._fork import tell_in_children
from .._http import Url, fetch
from ._errors import VerificationError

_KEPT_SECONDS = 600.0
_PAUSE_SECONDS = 5.0
_KEYS_MAX = 100


class Keys:
    """Safe to use from many threads: one fetches, and those that need what it fetches wait for it."""

    def __init__(self, origin: Url, context: ssl.SSLContext | None, timeout_seconds: float) -> None:
        self._url = Url(origin.scheme, origin.host, origin.port, "/jwks")
        self._context = context
        self._timeout = timeout_seconds
        self._lock = threading.Lock()
        self._known: dict[str, PyJWK] = {}
        self._fetched_at: float | None = None
        self._asked_at: float | None = None
        tell_in_children(self)

    def find(self, kid: str, *, may_wait: bool) -> PyJWK | None:
        """Return the key of this id. None: it would have to be fetched, which ``may_wait`` does not allow.

        Raises VerificationError: ``signature`` if the broker has no such key, ``keys`` if it could not be asked.
        """
        key = self._fresh(kid)
        if key is not None or not may_wait:
            return key
        with self._lock:
            key = self._fresh(kid)
            if key is None and (self._asked_at is None or elapsed() - self._asked_at >= _PAUSE_SECONDS):
                self._fetch()
                key = self._fresh(kid)
        if key is None:
            # What was fetched last has no such key; or it is too old to say so, or was not fetched at all.
            is_sure = self._fetched_at is not None and self._fetched_at == self._asked_at
            raise VerificationError("signature" if is_sure else "keys")
        return key

    def _fresh(self, kid: str) -> PyJWK | None:
        if self._fetched_at is None or elapsed() - self._fetched_at >= _KEPT_SECONDS:
            return None
        return self._known.get(kid)

    def _fetch(self) -> None:
        self._asked_at = begun = elapsed()
        try:
            headers = {"Accept": "application/json"}
            answer = fetch(self._url, headers=headers, timeout=self._timeout, context=self._context)
        except Unavailable:
            return
        body = answer.json()
        keys = body.get("keys") if answer.status == 200 and isinstance(body, dict) else None
        if isinstance(keys, list):
            self._known = dict(filter(None, map(_usable, keys[:_KEYS_MAX])))
            self._fetched_at = begun

    def _after_fork(self) -> None:
        self._lock = threading.Lock()


def _usable(jwk: Any) -> tuple[str, PyJWK] | None:
    """Return a key that may sign credentials, under its id. Of other kinds of keys nothing is believed."""
    if not isinstance(jwk, dict) or jwk.get("kty") != "EC" or jwk.get("crv") != "P-256" or jwk.get("use") == "enc":
        return None
    kid = jwk.get("kid")
    try:
        return (kid, PyJWK(jwk, "ES256")) if isinstance(kid, str) else None
    except PyJWTError:
        return None
