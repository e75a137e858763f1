"""What a verifier answers in place of claims."""

from __future__ import annotations

from typing import Literal

from .._errors import MayflyError

#: Why, for your own log and metrics: a caller needs none of it.
Reason = Literal[
    "malformed",  # no compact JWT of a size that the broker makes
    "signature",  # not signed by a key of the broker, or with another algorithm
    "kind",  # signed by the broker, but no access token, or not one of this form
    "issuer",  # of another broker
    "audience",  # for another API
    "expired",
    "dead",  # revoked, or its task has ended
    "unheard",  # born in a part of the revocation log that did not come within the staleness bound
    "access",  # live, but for something else
    "stale",  # the feed was not heard for so long, or not yet
    "keys",  # the keys of the broker could not be fetched
    "broker",  # the broker could not be asked
]

_UNAVAILABLE = ("stale", "keys", "broker")


class VerificationError(MayflyError):
    """A refusal. Its text has nothing of the token and nothing of the reason, so it may be sent to the caller."""

    def __init__(self, reason: Reason, *, scope: str | None = None) -> None:
        self.reason = reason
        #: The HTTP status that fits: 401, 403 or 503.
        self.status: Literal[401, 403, 503]
        #: What the caller is told: a code of RFC 6750 section 3.1, or that nobody knows at this moment.
        self.code: Literal["invalid_token", "insufficient_scope", "temporarily_unavailable"]
        #: With ``insufficient_scope``: what would have been enough, as ``<path>:<action>``; None if no credential has
        #: such a path.
        self.scope = scope
        if reason in _UNAVAILABLE:
            self.status, self.code = 503, "temporarily_unavailable"
            text = "Whether the credential is alive cannot be told at this moment."
        elif reason == "access":
            self.status, self.code, text = 403, "insufficient_scope", "The credential is for something else."
        else:
            self.status, self.code = 401, "invalid_token"
            text = "The credential is not valid here, or not any more."
        super().__init__(text)
