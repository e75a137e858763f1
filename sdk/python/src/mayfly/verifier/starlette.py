"""For FastAPI and Starlette: a dependency that lets requests through, and metadata that lead clients to the broker."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from .._http import parse_url
from ._errors import VerificationError
from ._token import Claims, scope_of
from ._verifier import Verifier

Part = TypeVar("Part")
_END: Any = object()
_WELL_KNOWN = "/.well-known/oauth-protected-resource"


class Guard:
    """Answers requests without a fitting credential as RFC 6750 and RFC 9728 say.

    >>> guard = Guard(verifier)
    >>> app = FastAPI()
    >>> app.router.routes.append(guard.metadata())
    >>> @app.get("/incident/{number}")
    ... async def read(number: int, claims: Annotated[Claims, Depends(guard.needs("incident/{number}", "read"))]): ...
    """

    def __init__(self, verifier: Verifier) -> None:
        """The audience of the verifier is the URL of this API. Raises ValueError if it is none."""
        self._verifier = verifier
        url = parse_url(verifier.audience)
        if url is None or "?" in url.target:
            raise ValueError(f"{verifier.audience!r} is not a URL at which clients could ask for metadata")
        origin = "/".join(verifier.audience.split("/")[:3])
        self._path = _WELL_KNOWN + (url.target if url.target != "/" else "")
        self._metadata_url = origin + self._path

    def needs(self, resource: str | None = None, action: str | None = None) -> Callable[[Request], Awaitable[Claims]]:
        """Return a dependency that returns the claims, or raises HTTPException with 401, 403 or 503.

        ``{name}`` in ``resource`` stands for the parameter of the path. Without both, any live credential for this API
        will do. In Starlette: ``claims = await guard.needs("incident/{number}", "read")(request)``.
        """
        if (resource is None) != (action is None):
            raise TypeError("resource and action go together")

        async def guarded(request: Request) -> Claims:
            touched = resource and re.sub(r"\{(\w+)\}", lambda name: str(request.path_params[name[1]]), resource)
            scope = scope_of(touched, action) if touched is not None and action is not None else None
            token = _bearer_of(request)
            if token is None:
                raise HTTPException(401, "a credential is needed", self._challenge(scope=scope))
            try:
                return await self._verifier.verify_async(token, resource=touched, action=action)
            except VerificationError as error:
                is_unknown = error.status == 503
                headers = {"Retry-After": "1"} if is_unknown else self._challenge(error=error.code, scope=scope)
                raise HTTPException(error.status, str(error), headers) from None

        return guarded

    async def while_alive(self, claims: Claims, parts: AsyncIterable[Part]) -> AsyncIterator[Part]:
        """Yield the parts of a streamed answer, and raise VerificationError in the moment that the credential dies.

        The answer breaks off then, also where the next part is still waited for: half an answer does not look like a
        whole one. ``StreamingResponse(guard.while_alive(claims, lines()))``.
        """
        loop = asyncio.get_running_loop()
        dead: asyncio.Future[VerificationError] = loop.create_future()

        def die(error: VerificationError) -> None:
            if not dead.done():
                dead.set_result(error)

        stop = self._verifier.on_revoked(claims, lambda error: loop.call_soon_threadsafe(die, error))
        rest, step = aiter(parts), None
        try:
            while True:
                step = asyncio.ensure_future(anext(rest, _END))
                await asyncio.wait((step, dead), return_when=asyncio.FIRST_COMPLETED)
                if dead.done():
                    raise dead.result()
                part = step.result()
                if part is _END:
                    return
                yield part
        finally:
            stop()
            if step is not None:
                step.cancel()

    def metadata(self, scopes: Sequence[str] = ()) -> Route:
        """Return the route by which clients find the broker (RFC 9728)."""
        body = {
            "resource": self._verifier.audience,
            "authorization_servers": [self._verifier.issuer],
            "bearer_methods_supported": ["header"],
            **({"scopes_supported": list(scopes)} if scopes else {}),
        }

        async def answer(_: Request) -> Response:
            return JSONResponse(body)

        return Route(self._path, answer)

    def _challenge(self, **said: str | None) -> dict[str, str]:
        parameters = {**said, "resource_metadata": self._metadata_url}
        pairs = (f'{name}="{value}"' for name, value in parameters.items() if value is not None)
        return {"WWW-Authenticate": f"Bearer {', '.join(pairs)}"}


def _bearer_of(request: Request) -> str | None:
    """Return the one credential of a request: of two, nobody could say which one was checked."""
    values = request.headers.getlist("authorization")
    scheme, _, token = values[0].partition(" ") if len(values) == 1 else ("", "", "")
    return token if scheme.lower() == "bearer" and token else None
