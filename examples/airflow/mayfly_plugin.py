"""Airflow plugin: each try of a task instance has a task of the broker, whose id is in MAYFLY_TASK."""

import os
from typing import Any

import mayfly
from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

broker = mayfly.Broker(
    os.environ.get("MAYFLY_BROKER", "https://mayfly.example"),
    identity=mayfly.from_file(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")),
)


class TaskOfTheTry:
    """Airflow calls these in the process of the try. For a try that is killed or deferred it calls none."""

    task: mayfly.Task | None = None

    @hookimpl
    def on_task_instance_running(self, previous_state: Any, task_instance: Any) -> None:
        self.task = broker.task(f"{task_instance.dag_id}.{task_instance.task_id}")
        os.environ["MAYFLY_TASK"] = str(self.task.id)

    @hookimpl
    def on_task_instance_success(self, previous_state: Any, task_instance: Any) -> None:
        self.complete("completed")

    @hookimpl
    def on_task_instance_skipped(self, previous_state: Any, task_instance: Any) -> None:
        self.complete("cancelled")

    @hookimpl
    def on_task_instance_failed(self, previous_state: Any, task_instance: Any, error: Any) -> None:
        self.complete("failed")  # The next try opens a task of its own.

    def complete(self, outcome: mayfly.Outcome) -> None:
        # There is none where a person marks a task instance as done, because that happens in another process.
        if self.task is not None:
            self.task.complete(outcome)


class MayflyPlugin(AirflowPlugin):
    name = "mayfly"
    listeners = [TaskOfTheTry()]
