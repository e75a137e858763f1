"""The first lines of the README do what they say."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from .real_broker import WithBroker, claims_of

README = (Path(__file__).resolve().parents[1] / "README.md").read_text()


class TheFirstLines(WithBroker):
    def test_get_a_credential_and_end_the_task(self) -> None:
        (first, *_) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
        sent: list[Any] = []

        def get(url: str, auth: Any) -> None:
            sent.append(auth(SimpleNamespace(url=url, headers={})))

        with tempfile.NamedTemporaryFile("w") as file:
            file.write(self.real.identity("agent-7"))
            file.flush()
            here = first.replace("https://mayfly.example", self.real.url)
            here = here.replace("/var/run/secrets/mayfly/token", file.name)
            with mock.patch.dict(sys.modules, {"httpx": SimpleNamespace(get=get)}):
                exec(here, {})
        (request,) = sent
        token = request.headers["Authorization"].removeprefix("Bearer ")
        self.assertEqual(self.real.state(claims_of(token)["task"]["id"]), "completed")
