"""The verifier at real brokers, which stop, die and come again; and with tokens that no broker makes.

Run where PyJWT is installed.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import queue
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any
from unittest import TestCase

import mayfly
from mayfly._elapsed import elapsed

from .loopback import Loopback, Reply, Seen, reply
from .real_broker import READ, TICKETS, RealBroker, WithBroker, until
from .test_auth import installed

INCIDENT = {"resource": "incident/4711", "action": "read"}


def make(real: RealBroker, **options: Any) -> Any:
    installed("jwt")
    from mayfly.verifier import Verifier

    workload = options.pop("workload", "tickets-api")
    options = {"stale_seconds": 2.0, **options}
    return Verifier(real.url, TICKETS, identity=lambda: real.identity(workload), **options)


def reason_of(decide: Callable[[], object]) -> str | None:
    """Return why it is refused; None if it is not."""
    from mayfly.verifier import VerificationError

    try:
        decide()
    except VerificationError as error:
        return error.reason
    return None


class VerifierTest(WithBroker):
    def setUp(self) -> None:
        self.verifier = self.made()
        self.assertTrue(self.verifier.wait_ready(20))
        self.agent = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7"))

    def made(self, **options: Any) -> Any:
        verifier = make(self.real, **options)
        self.addCleanup(verifier.close)
        return verifier

    def opened(self) -> tuple[mayfly.Task, str]:
        """Return a task, and a credential of it."""
        task = self.agent.task("triage")
        self.addCleanup(task.leave)
        return task, task.credential(TICKETS, READ).token

    def why(self, token: str, **needed: str) -> str | None:
        return reason_of(lambda: self.verifier.verify(token, **needed))


class AVerifierThatHears(VerifierTest):
    def test_takes_a_credential_until_its_task_ends_and_says_so_to_running_work(self) -> None:
        task, token = self.opened()
        _, other = self.opened()
        claims = self.verifier.verify(token, **INCIDENT)
        self.assertEqual((claims.client_id, claims.task_id), ("lab:agent-7", task.id))
        told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.verifier.on_revoked(claims, told.put)
        self.verifier.on_revoked(self.verifier.verify(other), lambda _: told.put("another's"))
        self.real.end(task.id)
        self.assertEqual(told.get(timeout=20).reason, "dead")
        self.assertEqual(self.why(token), "dead")
        self.assertEqual(reason_of(lambda: self.verifier.check(claims)), "dead")
        self.assertIsNone(self.why(other))
        self.assertTrue(told.empty())

    def test_takes_what_was_handed_on_until_the_first_credential_ends(self) -> None:
        first, token = self.opened()
        scout = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("scout"))
        second = scout.handed_on(token)
        claims = self.verifier.verify(second.credential(TICKETS, READ).token, **INCIDENT)
        self.assertEqual((claims.sub, claims.client_id, claims.task_id), ("lab:agent-7", "lab:scout", second.id))
        self.assertNotEqual(second.id, first.id)
        told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.verifier.on_revoked(claims, told.put)
        end = {"selector": {"kind": "credential", "value": self.verifier.verify(token).jti}, "reason": "a test"}
        self.real.ask("POST", "/revocations", "soc", end)
        self.assertEqual(told.get(timeout=20).reason, "dead")
        self.assertEqual(reason_of(lambda: self.verifier.check(claims)), "dead")
        with self.assertRaises(mayfly.TaskEnded):
            second.credential(TICKETS, READ, lifetime_seconds=30)

    def test_tells_the_broker_what_it_knows_and_receipts_name_it(self) -> None:
        self.verifier.close()
        named = self.made(instance="pod-7")
        self.assertTrue(named.wait_ready(20))
        task, token = self.opened()
        body = {"selector": {"kind": "task", "value": task.id}, "reason": "a test"}
        seq = self.real.ask("POST", "/revocations", "soc", body)["seq"]
        until(lambda: reason_of(lambda: named.verify(token)) == "dead", "it is not heard")

        def knew() -> bool:
            verifiers = self.real.ask("GET", f"/revocations/{seq}", "soc")["verifiers"]
            return any(one.get("instance") == "pod-7" and "knewAt" in one for one in verifiers)

        until(knew, "the receipt does not name the verifier", 20)

    def test_takes_a_credential_at_once_that_was_born_after_what_it_has_heard(self) -> None:
        for _ in range(5):
            ended, _ = self.opened()
            self.real.end(ended.id)
            self.assertIsNone(self.why(self.opened()[1], **INCIDENT))

    def test_refuses_what_the_credential_is_not_for(self) -> None:
        from mayfly.verifier import VerificationError

        _, token = self.opened()
        with self.assertRaises(VerificationError) as caught:
            self.verifier.verify(token, resource="incident/4712", action="read")
        self.assertEqual((caught.exception.status, caught.exception.scope), (403, "incident/4712:read"))
        for resource, action in (
            ("incident/4711", "write"),
            ("incident/*", "read"),
            ("incident/../incident/4711", "read"),
        ):
            self.assertEqual(self.why(token, resource=resource, action=action), "access")
        with self.assertRaises(TypeError):
            self.verifier.verify(token, resource="incident/4711")

    def test_serves_asyncio_also_where_it_has_to_wait(self) -> None:
        task, token = self.opened()
        fresh = self.made()  # It has no keys yet.
        self.assertTrue(fresh.wait_ready(20))
        for _ in range(2):
            self.assertEqual(asyncio.run(fresh.verify_async(token, **INCIDENT)).task_id, task.id)
        self.real.end(task.id)
        until(lambda: self.why(token) == "dead", "it is not heard")
        until(lambda: reason_of(lambda: asyncio.run(fresh.verify_async(token))) == "dead", "it is not heard")

    def test_hears_for_itself_in_a_forked_process(self) -> None:
        task, token = self.opened()
        self.assertIsNone(self.why(token))
        child = os.fork()
        if child == 0:
            try:
                self.real.end(task.id)
                until(lambda: self.why(token) == "dead", "it is not heard", 20)
                os._exit(0)
            except BaseException:
                os._exit(2)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 0)
        until(lambda: self.why(token) == "dead", "it is not heard")

    def test_refuses_everything_where_policy_does_not_let_it_follow_and_its_log_says_why(self) -> None:
        _, token = self.opened()
        with self.assertLogs("mayfly", "WARNING") as log:
            excluded = self.made(workload="agent-7")
            until(lambda: log.output, "nothing is logged")
        self.assertIn("answers 403, because no policy permits this API `followFeed`", log.output[0])
        self.assertEqual(reason_of(lambda: excluded.verify(token)), "stale")
        self.assertFalse(excluded.wait_ready(0.5))

    def test_refuses_everything_once_it_is_closed(self) -> None:
        _, token = self.opened()
        for verifier in (self.verifier, self.made(by="introspection")):
            claims = verifier.verify(token)
            told: queue.SimpleQueue[Any] = queue.SimpleQueue()
            verifier.on_revoked(claims, told.put)
            verifier.close()
            self.assertEqual(reason_of(lambda verifier=verifier: verifier.verify(token)), "stale")
            self.assertEqual(told.get(timeout=20).reason, "stale")
            verifier.on_revoked(claims, told.put)
            self.assertEqual(told.get(timeout=20).reason, "stale")


class WhatWasUsed(VerifierTest):
    def setUp(self) -> None:
        super().setUp()
        self.status = 200
        self.server = Loopback(lambda _: reply(self.status, {"taken": 1} if self.status == 200 else DENIED))
        self.addCleanup(self.server.close)

    def reporter(self, identity: mayfly.Identity = lambda: "token") -> Any:
        from mayfly._calls import Calls
        from mayfly._http import parse_origin
        from mayfly.verifier._usage import UsageReporter

        origin = parse_origin(self.server.url)
        calls = Calls(origin, identity, context=None, timeout_seconds=5.0, patience_seconds=5.0)
        return UsageReporter(calls, TICKETS)

    def recorded(self, verifier: Any) -> list[Any]:
        """Return what the verifier reports when it is closed."""
        verifier.close()
        until(lambda: self.server.seen, "nothing is reported")
        return [use for seen in self.server.seen for use in json.loads(seen.body)["uses"]]

    def decided_by(self, **options: Any) -> tuple[Any, str]:
        verifier = self.made(**options)
        verifier._usage = self.reporter()
        self.assertTrue(verifier.wait_ready(20))
        _, token = self.opened()
        claims = verifier.verify(token, **INCIDENT)
        verifier.check(claims, **INCIDENT)
        for resource in ("incident/4712", "incident/../4712"):
            self.assertEqual(reason_of(lambda r=resource: verifier.verify(token, resource=r, action="read")), "access")
        verifier.verify(token)
        verifier.check(claims, **INCIDENT, report=True)
        return verifier, claims.jti

    def test_is_reported_where_the_verifier_is_told_so_and_the_broker_takes_it(self) -> None:
        verifier, jti = self.decided_by(report_usage=True)
        uses = self.recorded(verifier)
        self.assertEqual(
            uses,
            [
                {"credential": jti, "permitted": True, **INCIDENT, "count": 3},
                {"credential": jti, "permitted": False, "resource": "incident/4712", "action": "read", "count": 1},
                {"credential": jti, "permitted": False, "count": 1},
            ],
        )
        (report,) = self.server.seen
        self.assertEqual(self.real.ask("POST", report.path, "tickets-api", json.loads(report.body)), {"taken": 3})

    def test_is_by_default_what_is_marked_as_a_use_of_a_tool(self) -> None:
        verifier, jti = self.decided_by()
        self.assertEqual(self.recorded(verifier), [{"credential": jti, "permitted": True, **INCIDENT, "count": 1}])

    def test_is_not_reported_where_the_verifier_is_told_not_to_nor_while_nobody_knows(self) -> None:
        self.decided_by(report_usage=False)[0].close()
        deaf = self.made(workload="agent-7", report_usage=True)
        deaf._usage = self.reporter()
        _, token = self.opened()
        self.assertEqual(reason_of(lambda: deaf.verify(token, **INCIDENT)), "stale")
        deaf.close()
        last = self.reporter()
        last.note("crd_last", "incident/1", "read", permitted=True)
        self.assertEqual([use["credential"] for use in self.recorded(last)], ["crd_last"])

    def test_is_bounded_in_memory_and_in_each_report(self) -> None:
        usage = self.reporter()
        for number in range(5_000):
            usage.note("crd_a", f"incident/{number}", "read", permitted=True)
        usage.close()
        until(lambda: len(self.server.seen) == 11, "not all is sent")
        reports = [json.loads(seen.body)["uses"] for seen in self.server.seen]
        self.assertEqual(max(len(uses) for uses in reports), 100)
        self.assertEqual(sum(use["count"] for uses in reports for use in uses), 5_000)

    def test_goes_on_after_a_failure_of_the_identity_source(self) -> None:
        failures = [KeyError("of the user's own code")]

        def source() -> str:
            if failures:
                raise failures.pop()
            return "token"

        usage = self.reporter(source)
        usage.close()

        def is_reported() -> bool:
            usage.note("crd_a", "incident/1", "read", permitted=True)
            return bool(self.server.seen)

        until(is_reported, "nothing is reported")
        self.assertEqual(failures, [])

    def test_pauses_where_it_is_refused(self) -> None:
        self.status = 403
        usage = self.reporter()
        usage.note("crd_a", "incident/1", "read", permitted=True)
        usage.close()
        until(lambda: usage._paused_until > 0, "no pause begins")
        usage.note("crd_a", "incident/1", "read", permitted=True)
        # Were there a report, it would come before these.
        for count in (2, 3):
            other = self.reporter()
            other.note("crd_b", "incident/1", "read", permitted=True)
            other.close()
            until(lambda n=count: len(self.server.seen) >= n, "the other report does not come")
        self.assertEqual(len(self.server.seen), 3)


DENIED = {"code": "access_denied", "detail": "no", "retry": "never"}


class AnApiWithStarlette(VerifierTest):
    def setUp(self) -> None:
        super().setUp()
        self.starlette: Any = installed("starlette.applications")
        from starlette.requests import Request
        from starlette.responses import PlainTextResponse, Response
        from starlette.routing import Route

        from mayfly.verifier.starlette import Guard

        guard = self.guard = Guard(self.verifier)
        read = guard.needs("incident/{number}", "read")

        async def incident(request: Request) -> Response:
            return PlainTextResponse((await read(request)).task_id)

        self.app = self.starlette.Starlette(routes=[Route("/incident/{number}", incident), guard.metadata(["tools"])])

    def get(self, path: str, *authorizations: str) -> tuple[int, dict[str, str], str]:
        """Return status, headers and body of what the application answers."""
        headers = [(b"authorization", one.encode()) for one in authorizations]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b""}

        async def send(message: Any) -> None:
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": headers}
        asyncio.run(self.app(scope, receive, send))
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], answered, sent[1]["body"].decode()

    def test_lets_a_live_credential_touch_what_it_covers_and_says_what_is_missing(self) -> None:
        task, token = self.opened()
        status, _, body = self.get("/incident/4711", f"Bearer {token}")
        self.assertEqual((status, body), (200, task.id))
        metadata = 'resource_metadata="https://tickets.example/.well-known/oauth-protected-resource"'
        scope = 'scope="incident/4711:read"'
        for path, authorizations, status, challenge in (
            ("/incident/4711", [], 401, f"Bearer {scope}, {metadata}"),
            ("/incident/4711", [f"Basic {token}"], 401, f"Bearer {scope}, {metadata}"),
            ("/incident/4711", [f"Bearer {token}", "Bearer x"], 401, f"Bearer {scope}, {metadata}"),
            ("/incident/4711", ["Bearer x"], 401, f'Bearer error="invalid_token", {scope}, {metadata}'),
            (
                "/incident/4712",
                [f"bearer {token}"],
                403,
                f'Bearer error="insufficient_scope", scope="incident/4712:read", {metadata}',
            ),
            # A stranger's words are no part of a header.
            ('/incident/x", a="', [f"Bearer {token}"], 403, f'Bearer error="insufficient_scope", {metadata}'),
            # Nobody is told to ask for more than one thing.
            ("/incident/*", [f"Bearer {token}"], 403, f'Bearer error="insufficient_scope", {metadata}'),
            ("/incident/..", [f"Bearer {token}"], 403, f'Bearer error="insufficient_scope", {metadata}'),
        ):
            answer = self.get(path, *authorizations)
            self.assertEqual((answer[0], answer[1].get("www-authenticate")), (status, challenge), path)
        self.real.end(task.id)
        until(lambda: self.get("/incident/4711", f"Bearer {token}")[0] == 401, "it is not heard")
        self.verifier.close()
        self.assertEqual(self.get("/incident/4711", f"Bearer {token}")[0], 503)

    def test_breaks_off_a_streamed_answer_when_the_credential_dies_and_lets_another_end(self) -> None:
        task, token = self.opened()
        claims = self.verifier.verify(token)

        async def parts(is_whole: bool) -> AsyncIterator[str]:
            yield "begun"
            if not is_whole:
                self.real.end(task.id)
                await asyncio.Event().wait()

        async def read(is_whole: bool) -> list[str]:
            return [part async for part in self.guard.while_alive(claims, parts(is_whole))]

        self.assertEqual(asyncio.run(read(True)), ["begun"])
        self.assertEqual(reason_of(lambda: asyncio.run(asyncio.wait_for(read(False), 20))), "dead")

    def test_tells_clients_which_broker_it_believes(self) -> None:
        status, _, body = self.get("/.well-known/oauth-protected-resource")
        self.assertEqual(status, 200)
        told = json.loads(body)
        self.assertEqual((told["resource"], told["authorization_servers"]), (TICKETS, [self.real.url]))


class AVerifierThatAsks(VerifierTest):
    def setUp(self) -> None:
        super().setUp()
        self.verifier = self.made(by="introspection", cache_seconds=0.0)

    def test_takes_a_credential_until_its_task_ends(self) -> None:
        task, token = self.opened()
        self.assertIsNone(self.why(token, **INCIDENT))
        self.assertEqual(self.why(token, resource="incident/4712", action="read"), "access")
        self.assertEqual(asyncio.run(self.verifier.verify_async(token)).task_id, task.id)
        self.real.end(task.id)
        self.assertEqual(self.why(token), "dead")

    def test_refuses_everything_once_it_is_closed(self) -> None:
        _, token = self.opened()
        verifier = self.made(by="introspection")
        claims = verifier.verify(token, **INCIDENT)
        verifier.close()
        self.assertEqual(reason_of(lambda: verifier.verify(token, **INCIDENT)), "stale")
        self.assertEqual(reason_of(lambda: verifier.check(claims, **INCIDENT)), "stale")

    def test_believes_a_yes_for_as_long_as_it_was_told_to(self) -> None:
        task, token = self.opened()
        keeping = self.made(by="introspection", cache_seconds=1.0)
        keeping.verify(token)
        self.real.end(task.id)
        self.assertEqual(self.why(token), "dead")
        until(lambda: reason_of(lambda: keeping.verify(token)) == "dead", "a yes is believed for ever", 20)


class OnBadDays(VerifierTest):
    settings = {"drainSeconds": 1}  # A broker of its own, which is stopped and killed.

    def test_refuses_while_the_broker_says_nothing_and_knows_afterwards_what_died(self) -> None:
        task, token = self.opened()
        _, other = self.opened()
        told: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.verifier.on_revoked(self.verifier.verify(token), told.put)
        process = self.real._process
        assert process is not None
        # The connections stay open, and nothing comes: as when a cable is cut.
        process.send_signal(signal.SIGSTOP)
        try:
            until(lambda: self.why(token) == "stale", "it goes on without news", 20)
            self.assertEqual(told.get(timeout=20).reason, "stale")
        finally:
            process.send_signal(signal.SIGCONT)
        until(lambda: self.why(token) is None, "it does not come again")
        self.real.kill()
        until(lambda: self.why(token) == "stale", "it goes on without a broker", 20)
        self.real.start()
        self.real.end(task.id)
        until(lambda: self.why(other) is None, "it does not come again")
        until(lambda: self.why(token) == "dead", "it is not heard")


class Forger:
    """A broker with one key, which signs whatever a test wants, and calls every token active."""

    def __init__(self) -> None:
        jwt: Any = installed("jwt")
        ec: Any = installed("cryptography.hazmat.primitives.asymmetric.ec")
        self.key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        self.keys: list[object] = [{**public, "kid": "k1", "alg": "ES256", "use": "sig"}]
        self.server = Loopback(self.answer)
        #: By hand: PyJWT does not sign what no broker makes.
        self.algorithm = jwt.get_algorithm_by_name

    def answer(self, seen: Seen) -> Reply:
        return reply(200, {"keys": self.keys} if seen.path == "/jwks" else {"active": True})

    def fetches(self) -> int:
        return sum(seen.path == "/jwks" for seen in self.server.seen)

    def sign(self, *, header: dict[str, Any] | None = None, key: Any = None, alg: str = "ES256", **changed: Any) -> str:
        now = int(time.time())
        detail = {"type": "task_access", "locations": [TICKETS], "identifier": "incident/*", "actions": ["read"]}
        claims = {
            **{"iss": self.server.url, "sub": "lab:a", "client_id": "lab:a", "aud": TICKETS, "iat": now},
            **{"exp": now + 300, "jti": "crd_1", "txn": "tsk_1", "causes": ["c"], "epoch": "1_a.1"},
            **{"task": {"id": "tsk_1", "lineage": ["tsk_1"], "purpose": "p"}, "authorization_details": [detail]},
            "origin": {"workload": "lab:a", "issuer": "lab", "principal": "lab:a"},
            **changed,
        }
        headers = {"typ": "at+jwt", "kid": "k1", "alg": alg, **(header or {})}
        text = f"{_part(headers)}.{_part(claims)}"
        signature = self.algorithm(alg).sign(text.encode(), key if key is not None else self.key)
        return f"{text}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def _part(members: dict[str, Any]) -> str:
    present = {name: value for name, value in members.items() if value is not None}
    return base64.urlsafe_b64encode(json.dumps(present).encode()).rstrip(b"=").decode()


class TokensThatNoBrokerMakes(TestCase):
    def setUp(self) -> None:
        self.forger = Forger()
        self.addCleanup(self.forger.server.close)
        from mayfly.verifier import Verifier

        self.verifier = Verifier(self.forger.server.url, TICKETS, identity=lambda: "own", by="introspection")
        self.addCleanup(self.verifier.close)

    def why(self, token: str) -> str | None:
        return reason_of(lambda: self.verifier.verify(token, **INCIDENT))

    def without(self, name: str) -> str:
        changed: dict[str, Any] = {name: None}
        return self.forger.sign(**changed)

    def test_are_refused_whatever_introspection_would_say(self) -> None:
        sign, ec = self.forger.sign, installed("cryptography.hazmat.primitives.asymmetric.ec")
        stranger: Any = ec.generate_private_key(ec.SECP256R1())
        now = time.time()
        self.assertIsNone(self.why(sign()))
        self.assertIsNone(self.why(sign(header={"typ": "application/AT+jwt"})))
        public = self.forger.key.public_key()
        forms: Any = installed("cryptography.hazmat.primitives.serialization")
        pem = public.public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
        raw = public.public_bytes(forms.Encoding.X962, forms.PublicFormat.UncompressedPoint)
        head, body, signature = sign().split(".")
        for expected, token in {
            "signature": [
                sign(key=stranger),
                sign(key=raw, alg="HS256"),
                sign(key=pem, alg="HS256"),
                sign(header={"alg": "none"}),
                sign(header={"kid": "k2"}),
                sign(header={"kid": None}),
                sign(header={"alg": "ES384"}),
                f"{head}.{sign(sub='lab:b').split('.')[1]}.{signature}",
            ],
            "kind": [
                sign(header={"typ": "JWT"}),
                sign(header={"typ": "audit-head+jwt"}),
                sign(header={"typ": None}),
                sign(header={"typ": "text/at+jwt"}),
                sign(causes=[]),
                sign(causes="c"),
                sign(epoch="1"),
                sign(task={"id": 1, "purpose": "p"}),
                sign(authorization_details=[{}]),
                sign(exp=str(int(now) + 300)),
                sign(exp=True),
                sign(exp=now + 86_400),
                *[self.without(name) for name in ("sub", "client_id", "jti", "txn", "task", "epoch", "exp", "causes")],
            ],
            "issuer": [sign(iss="https://other.example"), sign(iss=self.forger.server.url + "/"), sign(iss=None)],
            "audience": [sign(aud="https://other.example"), sign(aud=[TICKETS]), sign(aud=None)],
            "expired": [sign(exp=now - 1)],
            "malformed": [
                sign(header={"crit": ["exp"]}),
                "",
                "x",
                f"{head}.{body}.",
                f"{head}.{body}.{signature}=",
                f" {sign()}",
                sign(sub="x" * 17_000),
            ],
            "access": [sign(authorization_details=[])],
        }.items():
            for number, one in enumerate(token):
                with self.subTest(f"{expected} {number}"):
                    self.assertEqual(self.why(one), expected)

    def test_with_unknown_keys_do_not_make_it_fetch_keys_again_and_again(self) -> None:
        for number in range(50):
            self.assertEqual(self.why(self.forger.sign(header={"kid": f"x{number}"})), "signature")
        self.assertEqual(self.forger.fetches(), 1)
        self.assertIsNone(self.why(self.forger.sign()))

    def test_and_others_are_refused_while_the_broker_cannot_be_asked(self) -> None:
        asked = {"answer": reply(503, {})}
        keys = reply(200, {"keys": self.forger.keys})
        self.forger.server.answer = lambda seen: keys if seen.path == "/jwks" else asked["answer"]
        denied = reply(403, {"error": "access_denied"})
        for asked["answer"] in (reply(503, {}), denied, reply(200, []), reply(301, {}, Location="/")):
            self.assertEqual(self.why(self.forger.sign()), "broker")
        for inactive in ({"active": False}, {"active": "true"}, {"active": 1}, {}):
            asked["answer"] = reply(200, inactive)
            self.assertEqual(self.why(self.forger.sign()), "dead")

    def test_born_after_what_was_heard_wait_for_the_news_and_not_for_ever(self) -> None:
        from mayfly.verifier import Verifier, _events, _rules

        hearing = Verifier(self.forger.server.url, TICKETS, identity=lambda: "own", stale_seconds=2.0)
        self.addCleanup(hearing.close)
        place = _rules.Epoch("2_f00d", 5)

        def hear(*events: Any) -> None:
            for event in events:
                hearing._belief.take(event)

        with hearing._belief.changed:  # Its own thread, which finds no feed, must not come in between.
            hearing._belief.begin(elapsed())
            hear(_events.Hello(0), _events.Snapshot(place), _events.Complete(place))
            hear(_events.HeartbeatHeard(place, 0))
        token = self.forger.sign(epoch="2_f00d.6")
        news = _events.Revocation(6, "another", _rules.Tombstone(6, None, None, 1e13), has_receipt=False)
        soon = threading.Timer(0.3, hear, [news])
        soon.start()
        self.assertIsNone(reason_of(lambda: hearing.verify(token)))
        soon.join()
        later = self.forger.sign(epoch="2_f00d.7")
        self.assertIn(reason_of(lambda: hearing.verify(later)), ("unheard", "stale"))

    def test_are_not_told_from_others_while_there_are_no_keys(self) -> None:
        self.forger.server.answer = lambda _: reply(503, {})
        self.assertEqual(self.why(self.forger.sign()), "keys")

    def test_are_not_taken_by_a_key_that_is_for_something_else(self) -> None:
        self.forger.keys = [{**dict(key), "use": "enc"} for key in self.forger.keys]  # type: ignore[call-overload]
        self.assertEqual(self.why(self.forger.sign()), "signature")
