"""A LangGraph agent (`create_agent`, langchain-mcp-adapters): each tool call gets a credential for what it touches."""

import asyncio
import os
from typing import Any

import httpx
import mayfly
from langchain.agents import create_agent
from langchain.messages import HumanMessage
from langchain_mcp_adapters.client import MultiServerMCPClient
from mayfly.langchain import TaskInterceptor

TARGET = "https://tickets.example"  # as the configuration of the broker names the MCP server
ORIGIN = os.environ.get("TICKETS_ORIGIN", TARGET)  # where the server is, if not at its own name

USE = "tool/read_incident:execute"

broker = mayfly.Broker(
    os.environ.get("MAYFLY_BROKER", "https://mayfly.example"),
    identity=mayfly.from_file(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")),
)


def access(call: Any) -> str:
    """The arguments come from the model: `mayfly.scope` refuses those that would ask for more than one incident."""
    return f"{USE} {mayfly.scope('incident', call.args['number'], action='read')}"


async def triage(model: Any, question: str) -> str:
    # The task is open while the agent runs: completed at its end, failed after an exception.
    with broker.task("triage") as task:
        listing = task.auth(TARGET, USE, origin=ORIGIN).for_httpx(httpx)  # to ask for the tools: it touches no incident
        servers: Any = {"tickets": {"transport": "streamable_http", "url": f"{ORIGIN}/mcp", "auth": listing}}
        per_call = TaskInterceptor(task, {"tickets": (TARGET, access)})
        tools = await MultiServerMCPClient(servers, tool_interceptors=[per_call]).get_tools()
        answer = await create_agent(model, tools).ainvoke({"messages": [HumanMessage(question)]})
        return str(answer["messages"][-1].content)


if __name__ == "__main__":
    print(asyncio.run(triage("anthropic:claude-sonnet-5", "What is wrong in incident 4711?")))
