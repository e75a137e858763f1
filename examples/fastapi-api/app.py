"""An API (FastAPI) that follows the revocation feed, and decides by itself who may read which incident."""

import os
from typing import Annotated

import mayfly
import uvicorn
from fastapi import Depends, FastAPI
from mayfly.verifier import Claims, Verifier
from mayfly.verifier.starlette import Guard

TARGET = "https://tickets.example"  # as the configuration of the broker names this API
BROKER = os.environ.get("MAYFLY_BROKER", "https://mayfly.example")
IDENTITY = os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")

guard = Guard(Verifier(BROKER, TARGET, identity=mayfly.from_file(IDENTITY)))
app = FastAPI()
app.router.routes.append(guard.metadata())


@app.get("/incident/{number}")
async def read_incident(
    number: int,
    claims: Annotated[Claims, Depends(guard.needs("incident/{number}", "read"))],
) -> str:
    return f"incident {number}, for {claims.task_id}: the disk is full"


uvicorn.run(app, port=int(os.environ.get("PORT", "8000")))
