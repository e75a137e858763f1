"""An agent in Python: does a step for each line of standard input, and prints what came of it as one line."""

import json
import os
import sys
import urllib.error
import urllib.request

import mayfly

api, broker_url, identity = (os.environ[name] for name in ("API", "BROKER", "IDENTITY_FILE"))


def read(token: str) -> str:
    request = urllib.request.Request(f"{api}/incident/4711", headers={"Authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request) as response:
            return f"{response.status} {response.read().decode()}"
    except urllib.error.HTTPError as refused:
        return f"{refused.code} {refused.read().decode()}"


broker = mayfly.Broker(broker_url, identity=mayfly.from_file(identity))
task = broker.task("summarise incident 4711")
credential = task.credential("https://tickets.example", "incident/4711:read")
print(json.dumps({"task": task.id, "read": read(credential.token)}), flush=True)

sys.stdin.readline()
refused = read(credential.token)
try:
    task.check()
    said = "the task lives"
except mayfly.TaskEnded as ended:
    said = f"TaskEnded: {ended}"
print(json.dumps({"read": refused, "said": said}), flush=True)
