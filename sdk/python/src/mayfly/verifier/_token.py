"""What a token says about itself: that the broker has signed it for this API, as an access token that is not over."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import jwt

from ._errors import VerificationError
from ._keys import Keys
from ._rules import covers as pattern_covers
from ._rules import is_action, is_path, is_pattern, parse_epoch

#: The broker makes no larger ones than it reads.
_TOKEN_CHARACTERS_MAX = 16_384
_COMPACT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
_ALGORITHM = "ES256"
#: RFC 9068 section 2.1, with and without the prefix that RFC 7515 section 4.1.9 lets be left out; in any case, as media types are.
#: The same keys sign audit heads and more, which are no credentials.
_TYPS = ("at+jwt", "application/at+jwt")
#: The broker makes none that live longer: a revocation is not remembered for longer. An hour, and what clocks differ.
_LIFE_SECONDS_MAX = 3_660
#: Beyond it are infinity, and integers that are no float.
_NUMBER_MAX = 1e300
#: What a verifier knows how to read. Details of other types grant nothing here.
_DETAIL_TYPE = "task_access"


@dataclass(frozen=True, eq=False)
class Claims:
    """What the broker says of a credential. ``all`` has every claim, as the token has it."""

    #: Whom the task serves; the workload itself if nobody else.
    sub: str
    #: The workload that holds the credential.
    client_id: str
    #: The resource of the target: this API.
    aud: str
    #: The id of the credential.
    jti: str
    #: Seconds since 1970.
    exp: float
    #: ``<path>:<action>``, separated by spaces; empty where scopes cannot say it.
    scope: str
    #: For your log.
    task_id: str
    #: What it hangs on, as hashes.
    causes: tuple[str, ...]
    #: ``<generation>.<seq>`` of the revocation log at its birth.
    epoch: str
    all: Mapping[str, Any] = field(repr=False)

    def covers(self, resource: str, action: str) -> bool:
        """Return whether it lets its holder do that. A path that is none, or is a pattern, is covered by nothing."""
        if not _is_one_path(resource):
            return False
        return any(
            detail["type"] == _DETAIL_TYPE
            and detail["locations"] == [self.aud]
            and action in detail["actions"]
            and pattern_covers(detail["identifier"], resource)
            for detail in self.all["authorization_details"]
        )


def scope_of(resource: str, action: str) -> str | None:
    """Return what would be enough, as ``<path>:<action>``; None if no credential has it.

    Both may be made of the URL of a request, and the answer goes into a header: it has no quotation mark or line break.
    """
    return f"{resource}:{action}" if _is_one_path(resource) and is_action(action) else None


def _is_one_path(resource: str) -> bool:
    return is_path(resource) and not is_pattern(resource)


@dataclass(frozen=True)
class Expected:
    issuer: str
    audience: str
    keys: Keys


def read_token(token: str, expected: Expected, now: Callable[[], float], *, may_wait: bool) -> Claims | None:
    """Return the claims. None: a key would have to be fetched, which ``may_wait`` does not allow.

    ``now`` returns seconds since 1970. Raises VerificationError.
    """
    kid = _kid_of(token)
    key = expected.keys.find(kid, may_wait=may_wait)
    if key is None:
        return None
    try:
        # PyJWT checks the signature, and nothing else: it would take an audience among several, and other times.
        payload = jwt.decode(token, key, algorithms=[_ALGORITHM], options=_SIGNATURE_ALONE)
    except jwt.InvalidSignatureError:
        raise VerificationError("signature") from None
    except jwt.PyJWTError:
        raise VerificationError("malformed") from None
    if payload.get("iss") != expected.issuer:
        raise VerificationError("issuer")
    if payload.get("aud") != expected.audience:
        raise VerificationError("audience")
    claims = _claims_in(payload)
    if claims is None or claims.exp > now() + _LIFE_SECONDS_MAX:
        raise VerificationError("kind")
    if claims.exp <= now():
        raise VerificationError("expired")
    return claims


_SIGNATURE_ALONE: Any = {
    "verify_signature": True,
    **{f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud", "iss", "sub", "jti")},
}


def _kid_of(token: object) -> str:
    """Return the key that the header names. Raises VerificationError for a header that no credential has."""
    if not isinstance(token, str) or len(token) > _TOKEN_CHARACTERS_MAX or _COMPACT.fullmatch(token) is None:
        raise VerificationError("malformed")
    try:
        header = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError):
        raise VerificationError("malformed") from None
    if header.get("alg") != _ALGORITHM:
        raise VerificationError("signature")
    # `crit` and `b64` would change what the signature means.
    if not _is_typ(header.get("typ")) or "crit" in header or "b64" in header:
        raise VerificationError("kind")
    kid = header.get("kid")
    if not isinstance(kid, str):
        raise VerificationError("signature")
    return kid


def _is_typ(typ: Any) -> bool:
    return isinstance(typ, str) and typ.lower() in _TYPS


def _claims_in(payload: Mapping[str, Any]) -> Claims | None:
    """Return the claims of a payload that is one of a credential; None for any other."""
    if not _is_credential(payload):
        return None
    return Claims(
        **{name: payload[name] for name in ("sub", "client_id", "aud", "jti", "epoch")},
        exp=float(payload["exp"]),
        scope=payload.get("scope", ""),
        task_id=payload["task"]["id"],
        causes=tuple(payload["causes"]),
        all=payload,
    )


def _is_credential(payload: Mapping[str, Any]) -> bool:
    """Return whether each claim is there, and of its type, as the verifier for Node has it (``isClaims``)."""
    details, task, origin = (payload.get(name) for name in ("authorization_details", "task", "origin"))
    causes = payload.get("causes")
    return (
        _has_texts(payload, "iss", "sub", "client_id", "aud", "jti", "txn", "epoch")
        and _is_epoch(payload["epoch"])
        and _is_number(payload.get("iat"))
        and _is_number(payload.get("exp"))
        and isinstance(payload.get("scope", ""), str)
        and isinstance(details, list)
        and all(map(_is_detail, details))
        and ("act" not in payload or _has_texts(payload["act"], "sub"))
        and _has_texts(task, "id", "purpose")
        and _are_texts(task.get("lineage"))
        and _has_texts(origin, "workload", "issuer", "principal")
        and isinstance(origin.get("owner", ""), str)
        and _are_texts(causes)
        and causes != []  # Nothing could end it.
    )


def _is_detail(detail: Any) -> bool:
    return (
        _has_texts(detail, "type", "identifier")
        and _are_texts(detail.get("locations"))
        and _are_texts(detail.get("actions"))
    )


def _has_texts(found: Any, *names: str) -> bool:
    return isinstance(found, dict) and all(isinstance(found.get(name), str) for name in names)


def _is_number(found: Any) -> bool:
    """Return whether it is one that can be compared: JSON in Python has NaN and Infinity too, and true is no number."""
    return type(found) in (int, float) and -_NUMBER_MAX < found < _NUMBER_MAX


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _is_epoch(text: str) -> bool:
    try:
        return bool(parse_epoch(text))
    except ValueError:
        return False
