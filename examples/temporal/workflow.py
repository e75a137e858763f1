"""Temporal, the side of the orchestrator: the workflow opens a task, and its verdict completes it."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities import Step, complete_task, open_task, read_incident


@workflow.defn
class Triage:
    @workflow.run
    async def run(self, incident: int) -> str:
        task_id = await execute(open_task, "triage")
        outcome = "completed"
        try:
            return str(await execute(read_incident, Step(task_id, incident)))
        except BaseException as error:
            outcome = "cancelled" if is_cancelled_exception(error) else "failed"
            raise
        finally:  # A workflow that is terminated, not cancelled, does not come here: then the deadline ends the task.
            await execute(complete_task, task_id, outcome)


async def execute(activity: Any, *args: Any) -> Any:
    # That the task has ended is final, so trying again cannot help.
    retry = RetryPolicy(maximum_attempts=5, non_retryable_error_types=["TaskEnded"])
    timeout = timedelta(minutes=5)
    return await workflow.execute_activity(activity, args=args, start_to_close_timeout=timeout, retry_policy=retry)
