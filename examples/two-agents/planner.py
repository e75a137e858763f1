"""An agent that lets another one read one incident: it gives a credential for that away, and no more."""

import os

import httpx2
import mayfly

TARGET = "https://tickets.example"  # as the configuration of the broker names the API
SCOUT = os.environ.get("SCOUT_ORIGIN", "https://scout.example")  # where the other agent is

broker = mayfly.Broker(
    os.environ.get("MAYFLY_BROKER", "https://mayfly.example"),
    identity=mayfly.from_file(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")),
)

# When this task is over, what the other agent has is dead, whatever it is doing.
with broker.task("triage") as task:
    given = task.credential(TARGET, "incident/4711:read")
    answer = httpx2.get(f"{SCOUT}/incident/4711", headers={"Authorization": f"Bearer {given.token}"}, timeout=30)
    answer.raise_for_status()
    print(answer.text)
