"""For langchain-mcp-adapters: each tool call carries a credential for what it touches, and for nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from ._credentials import Access
from ._task import Task

#: What a tool call may do: fixed, or made from the call, of which ``name`` is the tool and ``args`` are its arguments.
AccessOfCall: TypeAlias = Access | None | Callable[[Any], Access | None]


class TaskInterceptor:
    """One of the ``tool_interceptors`` of ``MultiServerMCPClient``.

    Arguments come from the model: ``mayfly.scope`` refuses those that would ask for more than one path.

    >>> tickets = ("https://tickets.example", lambda call: mayfly.scope("incident", call.args["id"], action="read"))
    >>> TaskInterceptor(task, {"tickets": tickets})
    """

    def __init__(self, task: Task, servers: Mapping[str, tuple[str, AccessOfCall]]) -> None:
        """Say for the name of each server its target, and the access of a call.

        A server that is not named gets no credential.
        """
        self._task = task
        self._servers = servers

    async def __call__(self, request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
        if request.server_name not in self._servers:
            return await handler(request)
        target, access = self._servers[request.server_name]
        asked = access(request) if callable(access) else access
        credential = await asyncio.to_thread(self._task.credential, target, asked)
        headers = {**(request.headers or {}), "Authorization": f"Bearer {credential.token}"}
        return await handler(request.override(headers=headers))
