"""Credentials on requests: the header goes to the target and to nobody else."""

from __future__ import annotations

import asyncio
import importlib
import unittest
import warnings
from types import ModuleType, SimpleNamespace
from typing import Any

import mayfly

from .loopback import Loopback, Seen, reply
from .real_broker import READ, TICKETS, WithBroker, claims_of


class Headers(WithBroker):
    def setUp(self) -> None:
        broker = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7"))
        self.task = broker.task("triage")
        self.addCleanup(self.task.complete)

    def test_are_sent_to_the_origin_of_the_target(self) -> None:
        auth = self.task.auth(TICKETS, READ)
        for url in (TICKETS, f"{TICKETS}/4711?a=b#c", f"{TICKETS}:443/", "HTTPS://Tickets.Example/"):
            with self.subTest(url):
                request = SimpleNamespace(url=url, headers={})
                self.assertIs(auth(request), request)
                scheme, token = request.headers["Authorization"].split(" ")
                self.assertEqual((scheme, claims_of(token)["aud"]), ("Bearer", TICKETS))

    def test_are_sent_to_no_other(self) -> None:
        auth = self.task.auth(TICKETS, READ)
        elsewhere = [
            "http://tickets.example/",
            "https://tickets.example:8443/",
            "https://evil.example/",
            "https://tickets.example.evil.example/",
            "https://tickets.example@evil.example/",
            "https://evil.example\\@tickets.example/",
            "https://tickets.example\\.evil.example/",
            "https://tickets.example\t.evil.example/",
            "https://evil.example#@tickets.example/",
            "//tickets.example/",
            "",
        ]
        for url in elsewhere:
            with self.subTest(url), self.assertRaises(mayfly.WrongOrigin):
                auth(SimpleNamespace(url=url, headers={}))

    def test_are_sent_elsewhere_only_where_the_program_says_so(self) -> None:
        auth = self.task.auth(TICKETS, READ, origin="http://tickets.internal:8080")
        self.assertIn("Authorization", auth(SimpleNamespace(url="http://tickets.internal:8080/1", headers={})).headers)
        with self.assertRaises(mayfly.WrongOrigin):
            auth(SimpleNamespace(url=TICKETS, headers={}))
        for target in ("arn:aws:iam::111122223333:role/agent", "http://tickets.example", "tickets"):
            with self.subTest(target), self.assertRaises(ValueError):
                self.task.auth(target, READ)


class Clients(WithBroker):
    """The real packages, where they are installed."""

    def setUp(self) -> None:
        broker = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7"))
        self.task = broker.task("triage")
        self.addCleanup(self.task.complete)

        def tickets(seen: Seen) -> Any:
            token = seen.headers.get("authorization", " ").split(" ")[1]
            return reply(200 if token and self.real.is_active(token) else 401, {})

        self.api = Loopback(tickets)
        self.addCleanup(self.api.close)
        self.auth = self.task.auth(TICKETS, READ, origin=self.api.url)

    def test_requests(self) -> None:
        requests = installed("requests")
        self.assertEqual(requests.get(self.api.url, auth=self.auth).status_code, 200)
        with requests.Session() as session:
            session.auth = self.auth
            self.assertEqual(session.post(f"{self.api.url}/a?b=c", json={}).status_code, 200)
            with self.assertRaises(mayfly.WrongOrigin):
                session.get("http://evil.example/")

    def test_httpx(self) -> None:
        self.check_httpx(installed("httpx"))

    def test_httpx2(self) -> None:
        self.check_httpx(installed("httpx2"))

    def check_httpx(self, httpx: Any) -> None:
        self.assertEqual(httpx.get(self.api.url, auth=self.auth).status_code, 200)
        with httpx.Client(auth=self.auth) as client:
            self.assertEqual(client.post(f"{self.api.url}/a?b=c", json={}).status_code, 200)
            with self.assertRaises(mayfly.WrongOrigin):
                client.get("http://evil.example/")
        flow = self.auth.for_httpx(httpx)
        with httpx.Client(auth=flow) as client:
            self.assertEqual(client.get(self.api.url).status_code, 200)

        async def asynchronously() -> None:
            async with httpx.AsyncClient(auth=flow) as client:
                self.assertEqual((await client.get(self.api.url)).status_code, 200)
                stale = {"Authorization": "Bearer of-somebody-else"}
                self.assertEqual((await client.get(self.api.url, headers=stale)).status_code, 401)
                self.real.end(self.task.id)
                with self.assertRaises(mayfly.TaskEnded):
                    await client.get(self.api.url)

        asyncio.run(asynchronously())

    def test_what_an_api_refuses_is_given_back_and_replaced(self) -> None:
        httpx = installed("httpx")
        seen: list[str] = []

        def picky(request: Seen) -> Any:
            seen.append(request.headers["authorization"].split(" ")[1])
            return reply(401 if len(seen) == 1 else 200, {})

        api = Loopback(picky)
        self.addCleanup(api.close)
        other = self.task.credential(TICKETS, "incident/4712:read")
        with httpx.Client(auth=self.task.auth(TICKETS, READ, origin=api.url).for_httpx(httpx)) as client:
            self.assertEqual([client.get(api.url).status_code for _ in range(2)], [401, 200])
        self.assertEqual([self.real.is_active(token) for token in (*seen, other.token)], [False, True, True])

    def test_a_401_is_not_hidden_by_a_broker_that_cannot_say_why(self) -> None:
        httpx = installed("httpx")
        there = {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 300, "id": "tsk_1", "state": "open"}
        broker = Loopback(lambda seen: (503, {}, b"") if seen.method == "GET" else reply(200, there))
        self.addCleanup(broker.close)
        task = mayfly.Broker(broker.url, identity=lambda: "a.b.c", patience_seconds=0.0).task("triage")
        flow = task.auth(TICKETS, READ, origin=self.api.url).for_httpx(httpx)
        self.assertEqual(httpx.get(self.api.url, auth=flow).status_code, 401)


def installed(name: str) -> ModuleType:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # requests misses a package that it can do without.
            return importlib.import_module(name)
    except ImportError:
        raise unittest.SkipTest(f"{name} is not installed") from None
