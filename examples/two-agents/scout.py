"""An agent that works for others: with what one of them gave it, it gets a credential of its own, no wider and no longer."""

import os
from typing import Annotated

import httpx2
import mayfly
import uvicorn
from fastapi import Depends, FastAPI, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

TARGET = "https://tickets.example"  # as the configuration of the broker names the API
ORIGIN = os.environ.get("TICKETS_ORIGIN", TARGET)  # where the API is, if not at its own name

broker = mayfly.Broker(
    os.environ.get("MAYFLY_BROKER", "https://mayfly.example"),
    identity=mayfly.from_file(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")),
)
app = FastAPI()


@app.get("/incident/{number}")
def read_incident(number: int, given: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> Response:
    # A task below the one of whoever gave this: the API sees both agents, and the other one can end it.
    with broker.handed_on(given.credentials) as task:
        auth = task.auth(TARGET, mayfly.scope("incident", number, action="read"), origin=ORIGIN)
        incident = httpx2.get(f"{ORIGIN}/incident/{number}", auth=auth.for_httpx(httpx2), timeout=30)
    return Response(incident.content, incident.status_code)


# The broker says in a sentence why: it goes beyond what was given, or that is dead, or nobody can be asked now.
@app.exception_handler(mayfly.MayflyError)
def refused(_: Request, error: mayfly.MayflyError) -> Response:
    return Response(str(error), 503 if isinstance(error, mayfly.Unavailable) else 403)


uvicorn.run(app, port=int(os.environ.get("PORT", "8002")))
