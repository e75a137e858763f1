"""Runs examples/boto3 until its task is over, with sessions so short that boto3 asks for one before every call."""

import os

import mayfly
import session

session.SECONDS = 300
broker = mayfly.Broker(os.environ["MAYFLY_BROKER"], identity=mayfly.from_file(os.environ["MAYFLY_IDENTITY"]))
with broker.task("summarise") as task:
    sts = session.session_of(task).client("sts")
    print(sts.get_caller_identity()["Arn"])
    task.complete()
    try:
        sts.get_caller_identity()
    except mayfly.TaskEnded as ended:
        print(type(ended).__name__)
