"""The MCP SDK and langchain-mcp-adapters as they are, with a server that asks the broker about every request.

Run where they are installed: ``pip install mcp`` (1 or 2), ``pip install langchain-mcp-adapters``.
"""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import mayfly
from mayfly.langchain import TaskInterceptor

from .real_broker import READ, TICKETS, RealBroker, WithBroker, claims_of, free_port, until
from .test_auth import installed


class TicketServer:
    """An MCP server with one tool, in a thread. ``tokens`` has the token of every request that was let through."""

    def __init__(self, real: RealBroker) -> None:
        is_first = is_first_mcp()
        made: Any = installed("mcp.server.fastmcp" if is_first else "mcp.server")
        server = made.FastMCP("tickets") if is_first else made.MCPServer("tickets")

        @server.tool()  # type: ignore[untyped-decorator, unused-ignore]
        def ticket(number: int) -> str:
            return f"incident {number}"

        inner = server.streamable_http_app()
        self.tokens: list[str] = []

        async def guarded(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                header = dict(scope["headers"]).get(b"authorization", b"").decode()
                token = header.removeprefix("Bearer ")
                if not token or not await asyncio.to_thread(real.is_active, token):
                    await send({"type": "http.response.start", "status": 401, "headers": []})
                    await send({"type": "http.response.body", "body": b""})
                    return
                self.tokens.append(token)
            await inner(scope, receive, send)

        self._served = Served(guarded)
        self.origin = self._served.origin

    def close(self) -> None:
        self._served.close()


class Served:
    """An ASGI application, in a thread."""

    def __init__(self, application: Any) -> None:
        uvicorn: Any = installed("uvicorn")
        port = free_port()
        self.origin = f"http://127.0.0.1:{port}"
        self._server = uvicorn.Server(uvicorn.Config(application, port=port, log_level="critical", lifespan="on"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._thread.start()
        until(lambda: self._server.started, "the MCP server does not start")

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)


def is_first_mcp() -> bool:
    installed("mcp")
    from importlib.metadata import version

    return version("mcp").startswith("1.")


class WithTickets(WithBroker):
    def setUp(self) -> None:
        self.server = TicketServer(self.real)
        self.addCleanup(self.server.close)
        broker = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7"))
        self.task = broker.task("triage")
        self.addCleanup(self.task.complete)


class TheMcpSdk(WithTickets):
    def test_calls_a_tool_until_the_task_ends(self) -> None:
        httpx = installed("httpx" if is_first_mcp() else "httpx2")
        auth = self.task.auth(TICKETS, READ, origin=self.server.origin).for_httpx(httpx)

        async def call() -> str:
            from mcp import ClientSession
            from mcp.client.streamable_http import streamable_http_client

            async with (
                httpx.AsyncClient(auth=auth) as http,
                streamable_http_client(f"{self.server.origin}/mcp", http_client=http) as (read, write, *_),
                ClientSession(read, write) as session,
            ):
                await session.initialize()
                return str(await session.call_tool("ticket", {"number": 4711}))

        self.assertIn("incident 4711", asyncio.run(call()))
        self.real.end(self.task.id)
        with self.assertRaises(BaseException) as caught:
            asyncio.run(call())
        self.assertIn(mayfly.TaskEnded, types_in(caught.exception))


class LangChain(WithTickets):
    def test_gets_for_each_tool_call_a_credential_for_what_it_touches(self) -> None:
        installed("langchain_mcp_adapters")
        httpx = installed("httpx")
        listing = self.task.auth(TICKETS, READ, origin=self.server.origin).for_httpx(httpx)
        seen: list[Any] = []

        def access(call: Any) -> str:
            seen.append(call.args)
            return mayfly.scope("incident", call.args["number"], action="read")

        async def call() -> str:
            from langchain_mcp_adapters.client import MultiServerMCPClient

            url = f"{self.server.origin}/mcp"
            servers: Any = {"tickets": {"transport": "streamable_http", "url": url, "auth": listing}}
            narrow = TaskInterceptor(self.task, {"tickets": (TICKETS, access)})
            client = MultiServerMCPClient(servers, tool_interceptors=[narrow])
            (tool,) = await client.get_tools()
            return str(await tool.ainvoke({"number": 4712}))

        self.assertIn("incident 4712", asyncio.run(call()))
        self.assertEqual(seen, [{"number": 4712}])
        scopes = {claims_of(token)["scope"] for token in self.server.tokens}
        self.assertEqual(scopes, {READ, "incident/4712:read"})


class AServerWithTheVerifier(WithBroker):
    def setUp(self) -> None:
        is_first = is_first_mcp()
        from mcp.server.auth.settings import AuthSettings

        from mayfly.verifier import Verifier
        from mayfly.verifier.mcp import McpTokenVerifier

        self.verifier = Verifier(self.real.url, TICKETS, identity=lambda: self.real.identity("tickets-api"))
        self.addCleanup(self.verifier.close)
        self.assertTrue(self.verifier.wait_ready(20))
        tokens = McpTokenVerifier(self.verifier)
        made: Any = installed("mcp.server.fastmcp" if is_first else "mcp.server")
        settings = AuthSettings.model_validate({"issuer_url": self.real.url, "resource_server_url": TICKETS})
        server = (made.FastMCP if is_first else made.MCPServer)("tickets", token_verifier=tokens, auth=settings)

        @server.tool()  # type: ignore[untyped-decorator, unused-ignore]
        def ticket(number: int) -> str:
            return f"incident {number} for {tokens.require(f'incident/{number}', 'read').task_id}"

        self.server = Served(server.streamable_http_app())
        self.addCleanup(self.server.close)

    def test_lets_a_tool_touch_what_its_caller_may_until_the_task_ends(self) -> None:
        httpx: Any = installed("httpx" if is_first_mcp() else "httpx2")
        broker = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7"))
        task = broker.task("triage")
        token = task.credential(TICKETS, READ).token

        async def call() -> list[str]:
            from mcp import ClientSession
            from mcp.client.streamable_http import streamable_http_client

            async with (
                httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}) as http,
                streamable_http_client(f"{self.server.origin}/mcp", http_client=http) as (read, write, *_),
                ClientSession(read, write) as session,
            ):
                await session.initialize()
                return [str(await session.call_tool("ticket", {"number": number})) for number in (4711, 4712)]

        def status() -> int:
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json, text/event-stream"}
            return int(httpx.post(f"{self.server.origin}/mcp", headers=headers, json={}).status_code)

        fitting, other = asyncio.run(call())
        waiting = {use.resource: use.permitted for use in self.verifier._usage._waiting}
        self.assertEqual(waiting, {"incident/4711": True, "incident/4712": False}, "what tools use is to be reported")
        self.assertIn(f"incident 4711 for {task.id}", fitting)
        self.assertIn("The credential is for something else. Needed: incident/4712:read", other)
        refused = httpx.post(f"{self.server.origin}/mcp", json={})
        self.assertEqual(refused.status_code, 401)
        self.assertIn("resource_metadata=", refused.headers["www-authenticate"])
        task.complete()
        until(lambda: status() == 401, "it is not heard")
        self.verifier.close()
        self.assertGreaterEqual(status(), 500)


def types_in(error: BaseException | None) -> list[type]:
    """The types of an error, of what it groups, and of what caused it."""
    if error is None:
        return []
    inner = getattr(error, "exceptions", ())
    return [
        type(error),
        *(kind for one in inner for kind in types_in(one)),
        *types_in(error.__cause__ or error.__context__),
    ]
