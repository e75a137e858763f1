"""A boto3 session whose credentials are sessions of a role, within a task: none follows once it has ended."""

import json
import os

import boto3
import botocore.session
import mayfly
from botocore.credentials import CredentialProvider, RefreshableCredentials

ROLE = os.environ.get("AGENT_ROLE", "arn:aws:iam::111122223333:role/jit/agent-exec")  # a target of the broker
OBJECTS = "arn:aws:s3:::customer-data/tenant-42/*"
ACCESS = [{"type": "aws_session", "locations": [ROLE], "identifier": OBJECTS, "actions": ["s3:GetObject"]}]
SECONDS = 3600  # boto3 asks for the next session when 15 minutes are left, so an hour is a good length


class TaskSessions(CredentialProvider):
    METHOD = "mayfly"

    def __init__(self, task: mayfly.Task) -> None:
        self.task = task

    def load(self) -> RefreshableCredentials:
        return RefreshableCredentials.create_from_metadata(self.fetch(), self.fetch, self.METHOD)

    def fetch(self) -> dict[str, str]:
        session = json.loads(self.task.credential(ROLE, ACCESS, lifetime_seconds=SECONDS).token)
        names = {"access_key": "AccessKeyId", "secret_key": "SecretAccessKey", "token": "SessionToken"}
        return {**{name: session[there] for name, there in names.items()}, "expiry_time": session["Expiration"]}


def session_of(task: mayfly.Task) -> boto3.Session:
    core = botocore.session.get_session()
    core.get_component("credential_provider").insert_before("env", TaskSessions(task))
    return boto3.Session(botocore_session=core)


if __name__ == "__main__":
    broker = mayfly.Broker(
        os.environ.get("MAYFLY_BROKER", "https://mayfly.example"),
        identity=mayfly.from_file(os.environ.get("MAYFLY_IDENTITY", "/var/run/secrets/mayfly/token")),
    )
    with broker.task("summarise") as task:
        s3 = session_of(task).client("s3")
        print(s3.get_object(Bucket="customer-data", Key="tenant-42/report.txt")["Body"].read())
