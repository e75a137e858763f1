"""The first lines of this package's README, and those of the broker's, do what they say."""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

from .real_broker import WithBroker, claims_of

HERE = Path(__file__).resolve()
PAGES = [HERE.parents[1] / "README.md", HERE.parents[3] / "README.md"]


class TheFirstLines(WithBroker):
    def test_get_a_credential_and_end_the_task(self) -> None:
        for page in PAGES:
            with self.subTest(page=page):
                (first, *_) = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
                self.check(first)

    def check(self, first: str) -> None:
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
