"""Answers that no broker gives, and refusals that a test cannot wait for: from a server on loopback."""

from __future__ import annotations

import os
import socket
import ssl
import threading
import unittest
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import mayfly
from mayfly import _elapsed

from .loopback import Loopback, Reply, Seen, reply
from .real_broker import until

PERSON = "eyJhbGciOiJub25lIn0.cGVyc29u.c2ln"
IDENTITY = "eyJhbGciOiJub25lIn0.aWRlbnRpdHk.c2ln"
TARGET = "https://tickets.example"
GRANTED = {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 300, "scope": "a:read", "task_id": "tsk_1"}
LATER = {"error": "temporarily_unavailable", "error_description": "Not now.", "retry": "later"}


class AnswersTest(unittest.TestCase):
    def serve(self, *replies: Reply) -> Loopback:
        """A server that gives these answers to exchanges, the last one for ever. It opens and ends any task."""
        waiting: Iterator[Reply] = iter(replies)

        def answer(seen: Seen) -> Reply:
            if seen.path == "/token":
                return next(waiting, replies[-1])
            return reply(200, {"id": "tsk_1", "state": "open", "task": {"state": "completed"}})

        server = Loopback(answer)
        self.addCleanup(server.close)
        return server

    def exchanges(self, server: Loopback) -> list[Seen]:
        return [seen for seen in server.seen if seen.path == "/token"]

    def task_at(
        self, url: str, patience_seconds: float = 20.0, timeout_seconds: float = 10.0, person: str | None = None
    ) -> mayfly.Task:
        broker = mayfly.Broker(
            url, identity=lambda: IDENTITY, patience_seconds=patience_seconds, timeout_seconds=timeout_seconds
        )
        return broker.task("triage", person=person)


class ABrokerThatCannotHoldWhoWaitsForPeople(unittest.TestCase):
    def test_is_asked_again_after_a_pause_that_grows(self) -> None:
        states = iter(["pending"] * 6 + ["approved"])

        def answer(seen: Seen) -> Reply:
            if seen.path.startswith("/approvals/"):
                return reply(200, {"state": next(states)})
            return reply(200, {"id": "tsk_1", "state": "open", "task": {"state": "completed"}})

        server = Loopback(answer)
        self.addCleanup(server.close)
        with mayfly.Broker(server.url, identity=lambda: IDENTITY).task("triage") as task:
            pauses: list[float] = []
            with mock.patch.object(task.ended, "wait", pauses.append):
                task.wait_until_approved(mock.Mock(approval_id="apr_1"))
        self.assertEqual(len(pauses), 6)
        for pause, most in zip(pauses, (1, 2, 4, 8, 15, 15)):
            self.assertTrue(most / 2 <= pause <= most, pauses)


class WhatIsNoAnswerOfABroker(AnswersTest):
    def test_is_unavailable_at_once_and_gives_no_credential(self) -> None:
        json_type = {"Content-Type": "application/json"}
        cases: dict[str, Reply] = {
            "a page": (200, {}, b"<html>Sign in to the network</html>"),
            "no JSON object": reply(200, ["a.b.c"]),
            "JSON nested too deep": (200, json_type, b"[" * 100_000),
            "more than a MiB": reply(200, {**GRANTED, "padding": "x" * (2 << 20)}),
            "nothing": (204, {}, b""),
            "not found": (404, {}, b"nothing here"),
            "a refusal without a code": reply(400, {"error": {"message": "no"}}),
            **{
                f"{name} {value!r}": reply(200, {**GRANTED, name: value})
                for name, value in [
                    ("expires_in", -1),
                    ("expires_in", 0),
                    ("expires_in", True),
                    ("expires_in", 1e400),
                    ("expires_in", float("nan")),
                    ("expires_in", "300"),
                    ("access_token", "a\r\nX-Evil: 1"),
                    ("access_token", ""),
                    ("access_token", None),
                    ("token_type", None),
                    ("task_id", "../tasks"),
                    ("task_id", None),
                ]
            },
        }
        for name, answer in cases.items():
            with self.subTest(name):
                server = self.serve(answer)
                task = self.task_at(server.url, person=PERSON)
                with self.assertRaises(mayfly.Unavailable):
                    task.credential(TARGET, "a:read")
                self.assertEqual(len(self.exchanges(server)), 1)

    def test_is_a_server_that_speaks_something_else_or_never_finishes(self) -> None:
        for name, endless in {
            "another protocol": b"SSH-2.0-OpenSSH\r\n",
            "half a head": b"HTTP/1.1 200 OK\r\nX: ",
        }.items():
            with self.subTest(name), listening(endless) as url, self.assertRaises(mayfly.Unavailable):
                self.task_at(url, patience_seconds=0.0, timeout_seconds=0.3).credential(TARGET, "a:read")

    def test_is_an_answer_that_comes_byte_by_byte_without_end(self) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
        with listening(head, then=b" ") as url, self.assertRaisesRegex(mayfly.Unavailable, "did not answer"):
            self.task_at(url, patience_seconds=0.0, timeout_seconds=0.5).credential(TARGET, "a:read")

    def test_is_asked_again_where_it_may_pass(self) -> None:
        half = b'{"access_tok'
        for name, answer in {
            "a page of a proxy": (502, {}, b"<html>Bad Gateway</html>"),
            "nothing": (503, {}, b""),
            "half of what it announces": (200, {"Content-Length": "9999", "Connection": "close"}, half),
            "half of a chunk": (200, {"Transfer-Encoding": "chunked", "Connection": "close"}, b"ff\r\n" + half),
        }.items():
            with self.subTest(name):
                server = self.serve(answer, reply(200, GRANTED))
                self.assertEqual(self.task_at(server.url, person=PERSON).credential(TARGET, "a:read").token, "a.b.c")
                self.assertEqual(len(self.exchanges(server)), 2)

    def test_is_waited_for_as_long_as_a_proxy_says(self) -> None:
        server = self.serve((503, {"Retry-After": "30"}, b"<html>"), reply(200, GRANTED))
        with self.assertRaises(mayfly.Unavailable) as caught:
            self.task_at(server.url).credential(TARGET, "a:read")
        self.assertEqual((caught.exception.retry_after, len(self.exchanges(server))), (30, 1))


class AnAnswerThatOpensATask(AnswersTest):
    def test_names_the_task_and_its_state_and_is_else_no_answer_of_a_broker(self) -> None:
        answer: dict[str, object] = {}
        server = Loopback(lambda _: reply(201, {"id": "tsk_1", "state": "open", **answer}))
        self.addCleanup(server.close)
        wrong: list[dict[str, object]] = [{"id": "../x"}, {"id": None}, {"id": 1}, {"state": None}, {"state": {}}]
        for answer in wrong:
            with self.subTest(answer), self.assertRaises(mayfly.Unavailable):
                self.task_at(server.url)
        odd: list[object] = ["10", [], {"intervalSeconds": "10"}, {"intervalSeconds": -1}, {"intervalSeconds": True}]
        for heartbeat in odd:
            answer = {"heartbeat": heartbeat}
            with self.subTest(heartbeat):
                self.assertEqual(self.task_at(server.url).id, "tsk_1")


class AnExchangeThatOpensATask(AnswersTest):
    def test_opens_one_however_often_it_is_sent_because_its_answer_was_lost(self) -> None:
        server = self.serve((502, {}, b""), (502, {}, b""), reply(200, GRANTED))
        task = self.task_at(server.url, patience_seconds=0.0, person=PERSON)
        for _ in range(2):
            with self.assertRaises(mayfly.Unavailable):
                task.credential(TARGET, "a:read")
        task.credential(TARGET, "a:read")
        task.credential(TARGET, "b:read")
        keys = [seen.headers.get("idempotency-key") for seen in self.exchanges(server)]
        self.assertEqual(keys, [keys[0], keys[0], keys[0], None])
        other = self.task_at(server.url, person=PERSON)
        other.credential(TARGET, "a:read")
        self.assertNotEqual(self.exchanges(server)[-1].headers["idempotency-key"], keys[0])


class ARedirect(AnswersTest):
    def test_is_not_followed_with_a_token(self) -> None:
        thief = self.serve(reply(200, GRANTED))
        for status in (301, 302, 303, 307, 308):
            with self.subTest(status=status):
                server = self.serve((status, {"Location": f"{thief.url}/token"}, b""))
                with self.assertRaisesRegex(mayfly.Unavailable, "redirects are not followed"):
                    self.task_at(server.url).credential(TARGET, "a:read")
                self.assertEqual(len(self.exchanges(server)), 1)
        self.assertEqual(thief.seen, [])


class ARefusalForNow(AnswersTest):
    def test_is_waited_for_as_long_as_it_says(self) -> None:
        for status, error in ((429, "slow_down"), (503, "temporarily_unavailable")):
            with self.subTest(error):
                server = self.serve(reply(status, {**LATER, "error": error}, Retry_After="1"), reply(200, GRANTED))
                with mock.patch("mayfly._calls.threading.Event.wait", return_value=False) as waited:
                    self.task_at(server.url).credential(TARGET, "a:read")
                self.assertEqual(len(self.exchanges(server)), 2)
                self.assertGreaterEqual(max(call.args[0] for call in waited.call_args_list if call.args), 1)

    def test_is_raised_at_once_where_it_lasts_longer_than_patience(self) -> None:
        server = self.serve(reply(503, LATER, Retry_After="30"), reply(200, GRANTED))
        with self.assertRaises(mayfly.Refused) as caught:
            self.task_at(server.url).credential(TARGET, "a:read")
        self.assertEqual((caught.exception.retry_after, len(self.exchanges(server))), (30, 1))

    def test_ends_at_last(self) -> None:
        server = self.serve(*[reply(503, LATER)] * 8, reply(200, GRANTED))
        with self.assertRaises(mayfly.Refused):
            self.task_at(server.url, patience_seconds=1.0).credential(TARGET, "a:read")
        self.assertGreater(len(self.exchanges(server)), 1)

    def test_does_not_outlast_the_task(self) -> None:
        server = self.serve(reply(503, LATER))
        task = self.task_at(server.url, patience_seconds=300.0)
        errors: list[Exception] = []

        def ask() -> None:
            try:
                task.credential(TARGET, "a:read")
            except Exception as error:
                errors.append(error)

        asking = threading.Thread(target=ask)
        asking.start()
        until(lambda: self.exchanges(server), "it was not asked")
        task.complete()
        asking.join(20)
        self.assertEqual([type(error) for error in errors], [mayfly.TaskEnded])

    def test_is_not_what_other_refusals_are(self) -> None:
        for retry in ("never", "with-less", "after-lift", "after-approval", None, "soon"):
            with self.subTest(retry):
                server = self.serve(reply(400, {"error": "access_denied", "retry": retry}))
                with self.assertRaises(mayfly.Refused):
                    self.task_at(server.url).credential(TARGET, "a:read")
                self.assertEqual(len(self.exchanges(server)), 1)

    def test_never_shows_a_token_that_the_answer_repeats(self) -> None:
        text = f"not\x1b[31m {IDENTITY}\n" + "x" * 5000
        server = self.serve(reply(400, {"error": "invalid_scope", "error_description": text, "retry": IDENTITY}))
        with self.assertRaises(mayfly.Refused) as caught:
            self.task_at(server.url).credential(TARGET, "a:read")
        shown = f"{caught.exception} {vars(caught.exception)}"
        self.assertNotIn(IDENTITY, shown)
        self.assertTrue(str(caught.exception).isprintable())
        self.assertLess(len(shown), 2000)


class WhereTokensAreSent(AnswersTest):
    def test_is_https_or_loopback_unless_somebody_says_otherwise(self) -> None:
        refused = [
            "http://mayfly.example",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
            "ftp://mayfly.example",
            "https://mayfly.example/path",
            "https://mayfly.example?query",
            "https://mayfly.example#fragment",
            "https://user@mayfly.example",
            "https://mayfly.example\\@evil.example",
            "https://mayfly.example\n",
            " https://mayfly.example",
            "https://",
            "mayfly.example",
            "",
        ]
        for url in refused:
            with self.subTest(url), self.assertRaises(ValueError):
                mayfly.Broker(url, identity=lambda: IDENTITY)
        for url in (
            "https://mayfly.example",
            "https://MAYFLY.example:8443/",
            "http://localhost:8080",
            "http://[::1]:1",
        ):
            mayfly.Broker(url, identity=lambda: IDENTITY)
        mayfly.Broker("http://mayfly.internal", identity=lambda: IDENTITY, allow_http=True)

    def test_is_no_proxy_of_the_environment(self) -> None:
        thief = self.serve(reply(200, GRANTED))
        server = self.serve(reply(200, GRANTED))
        with mock.patch.dict(os.environ, {"http_proxy": thief.url, "HTTP_PROXY": thief.url, "ALL_PROXY": thief.url}):
            self.task_at(server.url).credential(TARGET, "a:read")
        self.assertEqual((len(self.exchanges(server)), len(thief.seen)), (1, 0))

    @unittest.skipUnless(
        "MAYFLY_TEST_CERTIFICATES" in os.environ, "needs certificates: test/sdk/python.test.ts makes them"
    )
    def test_is_a_server_whose_certificate_is_trusted(self) -> None:
        directory = Path(os.environ["MAYFLY_TEST_CERTIFICATES"])
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
        server = Loopback(lambda _: reply(201, {"id": "tsk_1", "state": "open"}), context)
        self.addCleanup(server.close)
        with self.assertRaisesRegex(mayfly.Unavailable, "certificate verify failed"):
            self.task_at(server.url, patience_seconds=0.0).credential(TARGET, "a:read")
        self.assertEqual(server.seen, [])
        authority = str(directory / "authority.pem")
        for url, is_named in ((server.url, True), (server.url.replace("127.0.0.1", "localhost"), False)):
            broker = mayfly.Broker(url, identity=lambda: IDENTITY, ca_file=authority, patience_seconds=0.0)
            with self.subTest(url):
                if is_named:
                    self.assertEqual(broker.task("triage").id, "tsk_1")
                else:
                    with self.assertRaisesRegex(mayfly.Unavailable, "certificate verify failed"):
                        broker.task("triage")


class TheRequest(AnswersTest):
    def test_proves_who_asks_and_names_the_access(self) -> None:
        server = self.serve(reply(200, GRANTED))
        task, for_ada = self.task_at(server.url), self.task_at(server.url, person=PERSON)
        task.credential(TARGET)
        task.credential(TARGET, [{"type": "task_access"}], lifetime_seconds=60)
        for_ada.credential(TARGET, "a:read")
        for_ada.credential(TARGET, "b:read")
        grant = {"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "resource": TARGET}
        jwt = "urn:ietf:params:oauth:token-type:jwt"
        own = {**grant, "subject_token": IDENTITY, "subject_token_type": jwt, "task_id": "tsk_1"}
        actor = {"actor_token": IDENTITY, "actor_token_type": jwt}
        adas = {**grant, "subject_token": PERSON, "subject_token_type": jwt, **actor}
        self.assertEqual(
            [seen.form for seen in self.exchanges(server)],
            [
                own,
                {**own, "authorization_details": '[{"type": "task_access"}]', "lifetime": "60"},
                {**adas, "scope": "a:read", "purpose": "triage"},
                {**adas, "scope": "b:read", "task_id": "tsk_1"},
            ],
        )


class AnAnswerThatComesLate(AnswersTest):
    """The server holds the first exchange back until the test lets it go."""

    def setUp(self) -> None:
        asked, self.let_go = threading.Event(), threading.Event()
        self.addCleanup(self.let_go.set)

        def answer(seen: Seen) -> Reply:
            if seen.path == "/token":
                asked.set()
                self.let_go.wait(20)
            return reply(200, {**GRANTED, "id": "tsk_1", "state": "open", "task": {"state": "completed"}})

        self.server = Loopback(answer)
        self.addCleanup(self.server.close)
        self.task = self.task_at(self.server.url)
        self.came: list[object] = []
        self.asking = threading.Thread(target=self.ask)
        self.asking.start()
        self.assertTrue(asked.wait(20))

    def ask(self) -> None:
        try:
            self.came.append(self.task.credential(TARGET, "a:read").token)
        except Exception as error:
            self.came.append(type(error))

    def test_gives_no_credential_of_a_task_that_was_completed_meanwhile(self) -> None:
        self.task.complete()
        self.let_go.set()
        self.asking.join(20)
        self.assertEqual(self.came, [mayfly.TaskEnded])

    def test_is_not_kept_when_what_was_asked_for_before_may_be_dead(self) -> None:
        self.assertEqual(self.task.check(), "open")
        self.let_go.set()
        self.asking.join(20)
        self.assertEqual(self.came, ["a.b.c"])
        self.task.credential(TARGET, "a:read")
        self.assertEqual(len(self.exchanges(self.server)), 2)

    def test_has_a_life_that_counts_from_before_it_was_asked_for(self) -> None:
        moved = _elapsed.elapsed() + 100
        with mock.patch("mayfly._credentials.elapsed", lambda: moved):
            self.let_go.set()
            self.asking.join(20)
            self.assertAlmostEqual(self.task.credential(TARGET, "a:read").seconds_left, 200, delta=30)


class listening:
    """A server that sends the same to whoever connects, and then bytes without end."""

    def __init__(self, start: bytes, then: bytes = b"") -> None:
        self._start, self._then = start, then
        self._done = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))

    def __enter__(self) -> str:
        threading.Thread(target=self._serve, daemon=True).start()
        return f"http://127.0.0.1:{self._socket.getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._socket.close()

    def _serve(self) -> None:
        connection, _ = self._socket.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(self._start)
            while not self._done.wait(0.02):
                try:
                    connection.sendall(self._then)
                except OSError:
                    return
