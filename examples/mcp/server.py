"""An MCP server (Python SDK 2): about each request it asks the broker whether the credential is alive."""

import os
from pathlib import Path

import httpx2
from mcp.server import MCPServer
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings

TARGET = "https://tickets.example"  # as the configuration of the broker names this server
BROKER = os.environ.get("MAYFLY_BROKER", "https://mayfly.example")
IDENTITY = Path(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token"))


class Introspection:
    async def verify_token(self, token: str) -> AccessToken | None:
        headers = {"Authorization": f"Bearer {IDENTITY.read_text().strip()}"}
        async with httpx2.AsyncClient(base_url=BROKER, headers=headers) as http:
            answer = (await http.post("/introspect", data={"token": token})).raise_for_status().json()
        if not answer["active"]:
            return None
        return AccessToken(
            token=token,
            client_id=answer["client_id"],
            scopes=answer.get("scope", "").split(),
            expires_at=answer["exp"],
            resource=answer["aud"],
        )


auth = {"issuer_url": BROKER, "resource_server_url": TARGET, "validate_token_resource": True}
server = MCPServer("tickets", token_verifier=Introspection(), auth=AuthSettings.model_validate(auth))


@server.tool()
def read_incident(number: int) -> str:
    caller = get_access_token()
    # The credential of a call says what this call may touch.
    if caller is None or f"incident/{number}:read" not in caller.scopes:
        return f"refused: incident {number} is not in the scope"
    return f"incident {number}: the disk is full"


server.run("streamable-http", port=int(os.environ.get("PORT", "8000")))
