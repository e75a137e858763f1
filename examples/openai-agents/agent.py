"""An agent of the OpenAI Agents SDK with an MCP server: the credential dies when the run is over."""

import asyncio
import os

import httpx2
import mayfly
from agents import Agent, Model, Runner
from agents.mcp import MCPServerStreamableHttp

TARGET = "https://tickets.example"  # as the configuration of the broker names the MCP server
ORIGIN = os.environ.get("TICKETS_ORIGIN", TARGET)  # where the server is, if not at its own name

broker = mayfly.Broker(
    os.environ.get("MAYFLY_BROKER", "https://mayfly.example"),
    identity=mayfly.from_file(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")),
)


async def triage(model: str | Model, incident: int) -> str:
    # The task is open while the run lasts: completed at its end, failed after an exception, cancelled with asyncio.
    with broker.task("triage") as task:
        access = f"tool/read_incident:execute {mayfly.scope('incident', incident, action='read')}"
        auth = task.auth(TARGET, access, origin=ORIGIN).for_httpx(httpx2)
        async with MCPServerStreamableHttp({"url": f"{ORIGIN}/mcp", "auth": auth}, name="tickets") as tickets:
            agent = Agent(name="triage", model=model, mcp_servers=[tickets])
            result = await Runner.run(agent, f"What is wrong in incident {incident}?")
            return str(result.final_output)


if __name__ == "__main__":
    print(asyncio.run(triage("gpt-5.5", 4711)))
