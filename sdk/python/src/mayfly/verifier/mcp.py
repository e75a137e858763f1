"""For servers of the MCP SDK, 1 and 2: takes the credentials of a broker, and lets a tool touch what its caller may.

The SDK itself answers 401 with a challenge, and tells clients which broker it believes (RFC 9728), if it is given
``auth`` settings with ``resource_server_url``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken

from ._errors import VerificationError
from ._token import Claims
from ._verifier import Verifier

if TYPE_CHECKING:
    ToolError = Exception
else:
    try:
        from mcp.server.mcpserver.exceptions import ToolError
    except ImportError:  # The first SDK.
        from mcp.server.fastmcp.exceptions import ToolError


class VerifiedToken(AccessToken):
    """What the SDK keeps of a request."""

    verified: Any


class McpTokenVerifier:
    """A ``token_verifier`` of the SDK.

    >>> tokens = McpTokenVerifier(verifier)
    >>> server = MCPServer("tickets", token_verifier=tokens, auth=AuthSettings(...))
    >>> @server.tool()
    ... def read_incident(number: int) -> str:
    ...     tokens.require(f"incident/{number}", "read")
    """

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what the token says; None where the SDK is to answer 401.

        Raises VerificationError where nobody knows whether it is alive: the SDK then answers 500, and not 401, which
        would send a client for a new credential.
        """
        try:
            claims = await self._verifier.verify_async(token)
        except VerificationError as error:
            if error.status == 503:
                raise
            return None
        known: dict[str, Any] = {"subject": claims.sub, "claims": dict(claims.all)}  # The first SDK has neither.
        return VerifiedToken(
            token=token,
            client_id=claims.client_id,
            scopes=claims.scope.split(),
            expires_at=int(claims.exp),
            resource=claims.aud,
            verified=claims,
            **known,
        )

    def require(self, resource: str, action: str) -> Claims:
        """Return the claims of the caller of this tool, if they cover that, and the credential still lives.

        To use a tool is one thing, and what it touches another. Raises the SDK's ToolError, whose text the model reads:
        it names the scope that is missing. Its cause is the VerificationError. The broker is told of the use, unless the
        verifier has ``report_usage=False``.
        """
        token = get_access_token()
        if not isinstance(token, VerifiedToken):
            raise ToolError("The request had no credential.")
        claims: Claims = token.verified
        try:
            self._verifier.check(claims, resource=resource, action=action, report=True)
        except VerificationError as error:
            missing = "" if error.scope is None else f" Needed: {error.scope}"
            raise ToolError(f"{error}{missing}") from error
        return claims
