"""A DAG whose task joins what the plugin has opened. The end of the block leaves it; the plugin completes it."""

import os

import mayfly
from airflow.sdk import dag, task

TARGET = "https://tickets.example"  # as the configuration of the broker names the API


@task
def read_incident(number: str) -> str:
    broker = mayfly.Broker(
        os.environ.get("MAYFLY_BROKER", "https://mayfly.example"),
        identity=mayfly.from_file(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")),
    )
    with broker.join(os.environ["MAYFLY_TASK"]) as joined:
        credential = joined.credential(TARGET, mayfly.scope("incident", number, action="read"))
        return f"incident {number}, by a credential for {credential.scope}"


@dag(schedule=None, params={"number": 4711})
def triage() -> None:
    read_incident("{{ params.number }}")


triage()
