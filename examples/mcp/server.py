"""An MCP server (Python SDK 2) that hears what dies. To use a tool is one thing, and what it touches is another."""

import os

import mayfly
from mayfly.verifier import Verifier
from mayfly.verifier.mcp import McpTokenVerifier
from mcp.server import MCPServer
from mcp.server.auth.settings import AuthSettings

TARGET = "https://tickets.example"  # as the configuration of the broker names this server
BROKER = os.environ.get("MAYFLY_BROKER", "https://mayfly.example")
IDENTITY = os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")

verifier = Verifier(BROKER, TARGET, identity=mayfly.from_file(IDENTITY))
tokens = McpTokenVerifier(verifier)
auth = {"issuer_url": BROKER, "resource_server_url": TARGET, "validate_token_resource": True}
server = MCPServer("tickets", token_verifier=tokens, auth=AuthSettings.model_validate(auth))


@server.tool()
def read_incident(number: int) -> str:
    tokens.require("tool/read_incident", "execute")
    tokens.require(f"incident/{number}", "read")
    return f"incident {number}: the disk is full"


verifier.wait_ready(30)  # Until it has heard all that is dead, it refuses everything.
server.run("streamable-http", port=int(os.environ.get("PORT", "8000")))
