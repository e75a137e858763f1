"""The MCP SDK for Python as it is: calls a tool of the server at argv[1] once for each line of standard input.

Its identity is the token in the file argv[2], as Kubernetes projects one, and argv[3] is whose token that is. argv[4] is the
issuer of the broker.
"""

import asyncio
import sys
from pathlib import Path

import httpx2
from mcp import ClientSession
from mcp.client.auth.extensions.client_credentials import PrivateKeyJWTOAuthProvider
from mcp.client.streamable_http import streamable_http_client

server, identity, client, issuer = sys.argv[1:]


class Memory:
    """The storage of tokens that the SDK asks for. Nothing is kept beyond this process."""

    tokens = None
    client_info = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client_info

    async def set_client_info(self, client_info):
        self.client_info = client_info


async def assertion(_audience: str) -> str:
    return Path(identity).read_text()


async def main() -> None:
    auth = PrivateKeyJWTOAuthProvider(server, Memory(), client, assertion, issuer=issuer)
    async with (
        httpx2.AsyncClient(auth=auth) as http,
        streamable_http_client(server, http_client=http) as (read, write, *_),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        while await asyncio.to_thread(sys.stdin.readline):
            result = await session.call_tool("close")
            print(result.content[0].text, flush=True)


asyncio.run(main())
