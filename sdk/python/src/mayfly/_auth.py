"""Puts the credential of a task on requests: for httpx, httpx2, requests, and whatever has a URL and headers."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any, TypeVar

from ._credentials import Credential
from ._errors import MayflyError, TaskEnded, WrongOrigin
from ._http import Url, parse_url

Request = TypeVar("Request")


class Bearer:
    """An ``auth`` of httpx, httpx2 and requests: called with a request, it adds the header ``Authorization``.

    A client may be pointed at any URL, also one that a language model wrote. So the header is added only to requests to
    one origin; any other raises WrongOrigin before anything is sent.
    """

    def __init__(self, credential: Callable[[], Credential], refused: Callable[[str], object], origin: Url) -> None:
        self._credential = credential
        self._refused = refused
        self._origin = origin.origin

    def __call__(self, request: Request) -> Request:
        sent: Any = request
        url = parse_url(str(sent.url))
        if url is None or url.origin != self._origin:
            raise WrongOrigin(f"this credential is for {self._origin} alone")
        credential = self._credential()
        if credential.token_type.lower() != "bearer":
            raise TypeError(f"a credential for {credential.target} is not sent in a header: take task.credential()")
        sent.headers["Authorization"] = f"Bearer {credential.token}"
        return request

    def _learn_end(self, request: Any) -> None:
        """Raise TaskEnded if that is why the target answered 401. Whatever else is wrong must not hide the 401."""
        try:
            self._refused(request.headers["Authorization"].partition(" ")[2])
        except TaskEnded:
            raise
        except MayflyError:
            return

    def for_httpx(self, httpx: Any) -> Any:
        """Return an ``httpx.Auth`` of the given module, ``httpx`` or ``httpx2``; MCP SDKs take it as ``auth``.

        In an ``AsyncClient`` it does not block the event loop. When the target answers 401 because the task has ended,
        the request raises TaskEnded. After any other 401 the next request has a new credential, and the refused one is given back. A request that has
        an ``Authorization`` already keeps it, for example the narrower one of ``mayfly.langchain``.
        """
        bearer = self

        def authorized(request: Any) -> Any:
            return request if "Authorization" in request.headers else bearer(request)

        class TaskAuth(httpx.Auth):  # type: ignore[misc]
            def sync_auth_flow(self, request: Any) -> Generator[Any, Any, None]:
                response = yield authorized(request)
                if response.status_code == 401:
                    bearer._learn_end(request)

            async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
                from anyio import to_thread  # httpx and httpx2 depend on it

                response = yield await to_thread.run_sync(authorized, request)
                if response.status_code == 401:
                    await to_thread.run_sync(bearer._learn_end, request)

        return TaskAuth()
