"""A real broker as a process of its own, with a local issuer of identities. Needs node, and ``npm run build``."""

from __future__ import annotations

import atexit
import base64
import functools
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
TICKETS = "https://tickets.example"
AGENT = "lab:agent-7"
READ = "incident/4711:read"


def free_port() -> int:
    """Return a port below those that systems give to outgoing connections: a broker that restarts must get it again."""
    while True:
        port = random.randrange(20_000, 32_768)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port


def until(holds: Callable[[], Any], what: str, seconds: float = 60.0) -> Any:
    """Return what ``holds`` returns as soon as it is true."""
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        if found := holds():
            return found
        time.sleep(0.02)
    raise AssertionError(f"{what}, after {seconds} seconds")


class RealBroker:
    """``node dist/src/main.js`` on free ports."""

    def __init__(self, **settings: object) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="mayfly-python-"))
        port, operations = free_port(), free_port()
        self.url, self._operations = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{operations}"
        issuer = {"kind": "oidc", "jwks": {"file": "./issuer/jwks.json"}}
        people = {"name": "staff", "issuer": "https://idp.example", "represents": "person"}
        config = {
            "issuer": self.url,
            "listen": f"127.0.0.1:{port}",
            "operations": f"127.0.0.1:{operations}",
            "store": "lmdb:./store",
            "trust": [
                {"name": "lab", "issuer": "https://lab.example", **issuer, "owner": {"claim": "team"}},
                {**people, "kind": "oidc", "jwks": {"file": "./people/jwks.json"}},
            ],
            "targets": [{"resource": TICKETS, "minter": "jwt"}],
            "policy": {"engine": "cedar", "directory": str(ROOT / "config" / "policies")},
            "limits": {"perWorkloadPerMinute": 100_000, "perIssuerPerMinute": 100_000},
            "drainSeconds": 0,
            **settings,
        }
        self._config = self.directory / "mayfly.yaml"
        self._config.write_text(json.dumps(config))  # JSON is YAML.
        self._identities: dict[tuple[str, ...], str] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._log = open(self.directory / "log", "ab")  # noqa: SIM115
        self.identity("agent-7")  # Makes the issuers' keys, which the broker reads at its start.
        self.identity("ada", "--trust", "staff")
        self.start()

    def start(self) -> None:
        environment = {"PATH": os.environ["PATH"], "MAYFLY_CONFIG": str(self._config)}
        command = ["node", str(ROOT / "dist/src/main.js")]
        self._process = subprocess.Popen(command, env=environment, stdout=self._log, stderr=self._log)
        until(self._is_ready, f"the broker is not ready: see {self.directory}/log")

    def kill(self) -> None:
        """End the process as a crash would; its port is closed."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def close(self) -> None:
        self.kill()
        self._log.close()
        shutil.rmtree(self.directory)

    def identity(self, sub: str, *options: str) -> str:
        """Return an identity token of ``lab:<sub>``, valid for an hour."""
        key = (sub, *options)
        if key not in self._identities:
            cli = [str(ROOT / "dist/src/cli/main.js"), "dev-token", "--config", str(self._config)]
            made = subprocess.run(["node", *cli, "--sub", sub, *options], check=True, capture_output=True, text=True)
            self._identities[key] = made.stdout.strip()
        return self._identities[key]

    def ask(self, method: str, path: str, sub: str, body: object = None, form: str | None = None) -> dict[str, Any]:
        """Call the API as somebody else than the agent: as an operator, or as the API that takes the credentials."""
        return self.ask_as(self.identity(sub), method, path, body, form)

    def ask_as(
        self, bearer: str, method: str, path: str, body: object = None, form: str | None = None
    ) -> dict[str, Any]:
        data = form.encode() if form is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, method=method)
        request.add_header("Authorization", f"Bearer {bearer}")
        request.add_header("Content-Type", "application/json" if form is None else "application/x-www-form-urlencoded")
        with urllib.request.urlopen(request) as response:
            parsed: dict[str, Any] = json.loads(response.read())
            return parsed

    def is_active(self, token: str) -> bool:
        """Whether the API that the credential is for would take it now."""
        return bool(self.ask("POST", "/introspect", "tickets-api", form=f"token={token}")["active"])

    def state(self, task_id: str | None) -> str:
        return str(self.ask("GET", f"/tasks/{task_id}", "orchestrator")["state"])

    def end(self, task_id: str | None) -> None:
        """End a task from outside."""
        body = {"outcome": "cancelled", "reason": "nobody needs it"}
        self.ask("POST", f"/tasks/{task_id}/complete", "orchestrator", body)

    def _is_ready(self) -> bool:
        if self._process is not None and self._process.poll() is not None:
            raise AssertionError(f"the broker has ended: {(self.directory / 'log').read_text()[-500:]}")
        try:
            with urllib.request.urlopen(f"{self._operations}/health/ready") as response:
                return bool(response.status == 200)
        except OSError:
            return False


@functools.cache
def shared_broker() -> RealBroker:
    broker = RealBroker()
    atexit.register(broker.close)
    return broker


class WithBroker(unittest.TestCase):
    """Tests with a real broker: the one that all share, or with ``settings`` one of their own."""

    real: RealBroker
    settings: dict[str, object] = {}

    @classmethod
    def setUpClass(cls) -> None:
        if cls.settings:
            cls.real = RealBroker(**cls.settings)
            cls.addClassCleanup(cls.real.close)
        else:
            cls.real = shared_broker()


def claims_of(token: str) -> dict[str, Any]:
    """Return the claims of a JWT, unverified."""
    payload = token.split(".")[1]
    parsed: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return parsed
