"""For those who run an API: decides whether a credential may be used now, and knows within milliseconds what has died.

Needs ``pip install 'mayfly-broker[verifier]'``.
"""

try:
    import jwt as _jwt  # noqa: F401
except ImportError:
    raise ImportError("mayfly.verifier needs PyJWT: pip install 'mayfly-broker[verifier]'") from None

from ._errors import Reason, VerificationError
from ._token import Claims
from ._verifier import Verifier

__all__ = ["Claims", "Reason", "VerificationError", "Verifier"]
