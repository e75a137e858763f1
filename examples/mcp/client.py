"""An agent (MCP Python SDK 2) that reads one incident, with a credential that dies with its task."""

import asyncio
import os

import httpx2
import mayfly
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

TARGET = "https://tickets.example"  # as the configuration of the broker names the server
ORIGIN = os.environ.get("TICKETS_ORIGIN", TARGET)  # where the server is, if not at its own name

broker = mayfly.Broker(
    os.environ.get("MAYFLY_BROKER", "https://mayfly.example"),
    identity=mayfly.from_file(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")),
)


async def main() -> None:
    # The task is open while the block runs: completed at its end, failed after an exception. A thread sends heartbeats.
    with broker.task("triage") as task:
        access = "tool/read_incident:execute incident/4711:read"
        auth = task.auth(TARGET, access, origin=ORIGIN).for_httpx(httpx2)
        async with (
            httpx2.AsyncClient(auth=auth) as http,
            Client(streamable_http_client(f"{ORIGIN}/mcp", http_client=http)) as client,
        ):
            print(await client.call_tool("read_incident", {"number": 4711}))


asyncio.run(main())
