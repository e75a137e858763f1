"""An API (FastAPI) that hears what dies: it decides by itself about each request, and cuts an answer whose credential dies."""

import asyncio
import os
from collections.abc import AsyncIterator
from typing import Annotated

import mayfly
import uvicorn
from fastapi import Depends, FastAPI
from fastapi.responses import StreamingResponse
from mayfly.verifier import Claims, Verifier
from mayfly.verifier.starlette import Guard

TARGET = "https://tickets.example"  # as the configuration of the broker names this API
BROKER = os.environ.get("MAYFLY_BROKER", "https://mayfly.example")
IDENTITY = os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")

verifier = Verifier(BROKER, TARGET, identity=mayfly.from_file(IDENTITY))
guard = Guard(verifier)
Reader = Annotated[Claims, Depends(guard.needs("incident/{number}", "read"))]
app = FastAPI()
app.router.routes.append(guard.metadata())


@app.get("/incident/{number}")
async def read_incident(number: int, claims: Reader) -> str:
    return f"incident {number}, for {claims.task_id}: the disk is full"


@app.get("/incident/{number}/log")
async def follow_log(number: int, claims: Reader) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        while True:
            yield "the disk is full\n"
            await asyncio.sleep(0.1)

    # For as long as the caller listens. When its credential dies, the answer breaks off in the midst of it.
    return StreamingResponse(guard.while_alive(claims, lines()), media_type="text/plain")


verifier.wait_ready(30)  # Until it has heard all that is dead, it refuses everything.
uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))
