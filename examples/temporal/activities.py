"""Temporal, the side of the workers: an activity joins the task of its workflow, and leaves it however it ends."""

import asyncio
import contextvars
import os
from dataclasses import dataclass
from typing import Any

import mayfly
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

TARGET = "https://tickets.example"  # as the configuration of the broker names the API
broker = mayfly.Broker(
    os.environ.get("MAYFLY_BROKER", "https://mayfly.example"),
    identity=mayfly.from_file(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")),
)
current_task: contextvars.ContextVar[mayfly.Task] = contextvars.ContextVar("current_task")


@dataclass
class Step:
    """What an activity that needs credentials is given."""

    task_id: str
    incident: int


class JoinTask(Interceptor):
    """Give it to each worker: an activity that is given a `Step` finds its task in `current_task`."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return Joined(next)


class Joined(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        if not (input.args and isinstance(input.args[0], Step)):
            return await super().execute_activity(input)
        # The end of the block leaves the task: another worker may have to go on with it.
        with await asyncio.to_thread(broker.join, input.args[0].task_id) as task:
            current_task.set(task)
            return await super().execute_activity(input)


@activity.defn
def open_task(purpose: str) -> str:
    # Without heartbeats, because no worker sends them while a workflow waits: what is lost ends at the deadline. So
    # does the first of two tasks, where this was tried again because its answer was lost.
    return str(broker.task(purpose, heartbeat_seconds=0, deadline_seconds=3600).id)


@activity.defn
def complete_task(task_id: str, outcome: mayfly.Outcome) -> None:
    try:
        broker.join(task_id).complete(outcome)
    except mayfly.TaskEnded:
        pass  # by somebody else, or by this activity before it was tried again


@activity.defn
async def read_incident(step: Step) -> str:
    access = mayfly.scope("incident", step.incident, action="read")
    credential = await asyncio.to_thread(current_task.get().credential, TARGET, access)
    return f"incident {step.incident}, by a credential for {credential.scope}"
