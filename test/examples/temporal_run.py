"""Runs examples/temporal at the server of `TEMPORAL_PORT`, once for each thing that can become of an activity."""

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import activities
from activities import Step
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError
from temporalio.worker import Worker
from workflow import Triage

FINE, TRIED_AGAIN, NEVER_DONE, FAILS, ENDED = 4711, 4712, 4713, 4714, 4715
waiting = asyncio.Event()


@activity.defn(name="read_incident")
async def read_incident(step: Step) -> str:
    answer = await activities.read_incident(step)
    if step.incident == TRIED_AGAIN and activity.info().attempt == 1:
        raise RuntimeError("this worker goes away")
    if step.incident == NEVER_DONE:
        waiting.set()
        await asyncio.Event().wait()
    if step.incident == FAILS:
        raise ApplicationError("the work failed", non_retryable=True)
    if step.incident == ENDED:
        activities.current_task.get().complete("cancelled", "somebody else ended it")
        return await activities.read_incident(step)
    return answer


async def connected() -> Client:
    for _ in range(300):
        try:
            return await Client.connect(f"127.0.0.1:{os.environ['TEMPORAL_PORT']}")
        except RuntimeError:
            await asyncio.sleep(0.1)
    raise SystemExit("the Temporal server does not start")


async def main() -> None:
    client = await connected()
    worker = Worker(
        client,
        task_queue="triage",
        workflows=[Triage],
        activities=[activities.open_task, activities.complete_task, read_incident],
        interceptors=[activities.JoinTask()],
        activity_executor=ThreadPoolExecutor(4),
    )
    async with worker:
        for incident in (FINE, TRIED_AGAIN, NEVER_DONE, FAILS, ENDED):
            run = await client.start_workflow(Triage.run, incident, id=f"triage-{incident}", task_queue="triage")
            if incident == NEVER_DONE:
                await waiting.wait()
                await run.cancel()
            try:
                print(incident, await run.result())
            except WorkflowFailureError as failure:
                print(incident, type(failure.cause).__name__)


asyncio.run(main())
