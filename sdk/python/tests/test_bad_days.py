"""Bad days with a real broker: it is away, the identity is replaced, the clock is wrong, the task ends meanwhile."""

from __future__ import annotations

import ast
import asyncio
import inspect
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from unittest import mock

import mayfly
from mayfly import _credentials, _elapsed

from .real_broker import READ, TICKETS, WithBroker, until

OTHER = "incident/4712:read"


@contextmanager
def later(seconds: float) -> Iterator[None]:
    """Some seconds have passed for the package, and none for the broker."""
    moved: Callable[[], float] = lambda: _elapsed.elapsed() + seconds  # noqa: E731
    with mock.patch("mayfly._credentials.elapsed", moved):
        yield


class ABrokerThatIsAway(WithBroker):
    settings = {"log": {"level": "warn"}}  # One of its own: it is killed.

    def broker(self, patience_seconds: float) -> mayfly.Broker:
        return mayfly.Broker(
            self.real.url, identity=lambda: self.real.identity("agent-7"), patience_seconds=patience_seconds
        )

    def test_is_missed_only_where_something_new_is_needed_and_waited_for_as_long_as_patience_lasts(self) -> None:
        task, patient = self.broker(0.0).task("triage"), self.broker(60.0).task("triage")
        first = task.credential(TICKETS, READ)

        # The text of the block's own exception must be seen, and not that completing failed.
        with self.assertLogs("mayfly") as logs, self.assertRaisesRegex(ValueError, "the work failed"):
            with self.broker(0.0).task("triage") as failing:
                failing.credential(TICKETS, READ)
                self.real.kill()
                raise ValueError("the work failed")
        self.assertRegex(logs.output[0], f"{failing.id} could not be completed: .*did not answer")

        with later(290):  # Due for renewal; it lives for ten seconds more.
            for _ in range(3):
                self.assertIs(task.credential(TICKETS, READ), first)
                until(lambda: threads("mayfly-renew") == 0, "the renewal does not end")
            with self.assertRaises(mayfly.Unavailable):
                task.credential(TICKETS, OTHER)
        with later(301), self.assertRaises(mayfly.Unavailable):
            task.credential(TICKETS, READ)
        with self.assertRaises(mayfly.Unavailable):
            task.complete()
        with self.assertRaises(mayfly.TaskEnded):
            task.credential(TICKETS, READ)  # This process has said that it needs no more.

        comes_back = threading.Thread(target=self.real.start)
        comes_back.start()
        with patient:
            self.assertTrue(self.real.is_active(patient.credential(TICKETS, READ).token))
        comes_back.join()
        task.complete()
        self.assertEqual(self.real.state(task.id), "completed")


class ARenewal(WithBroker):
    def setUp(self) -> None:
        self.broker = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7"))

    def test_is_made_before_the_credential_dies_while_the_old_one_is_served(self) -> None:
        with self.broker.task("triage") as task:
            first = task.credential(TICKETS, READ)
            with later(100):
                self.assertIs(task.credential(TICKETS, READ), first)
                self.assertEqual(threads("mayfly-renew"), 0)
            with later(270):
                self.assertIs(task.credential(TICKETS, READ), first)
                until(lambda: task.credential(TICKETS, READ) is not first, "it was not renewed")
                renewed = task.credential(TICKETS, READ)
            self.assertTrue(self.real.is_active(renewed.token))
            self.assertTrue(self.real.is_active(first.token))

    def test_that_is_refused_ends_the_use_of_the_old_one(self) -> None:
        with self.broker.task("triage") as task:
            task.credential(TICKETS, READ)
            self.real.ask("POST", f"/tasks/{task.id}/suspend", "orchestrator", {})
            with later(270):
                task.credential(TICKETS, READ)
                until(lambda: threads("mayfly-renew") == 0, "the renewal does not end")
                with self.assertRaises(mayfly.Refused) as caught:
                    task.credential(TICKETS, READ)
        self.assertEqual(caught.exception.retry, "after-lift")

    def test_finds_out_that_the_task_has_ended(self) -> None:
        task = self.broker.task("triage")
        task.credential(TICKETS, READ)
        self.real.end(task.id)
        with later(270):
            task.credential(TICKETS, READ)
            until(task.ended.is_set, "the renewal did not notice the end")
            with self.assertRaises(mayfly.TaskEnded):
                task.credential(TICKETS, READ)

    def test_after_death_is_waited_for(self) -> None:
        with self.broker.task("triage") as task:
            first = task.credential(TICKETS, READ)
            with later(301):
                self.assertIsNot(task.credential(TICKETS, READ), first)

    def test_is_one_request_however_many_tasks_of_asyncio_wait_for_it(self) -> None:
        with self.broker.task("triage") as task:

            async def together() -> set[str]:
                asked = [asyncio.to_thread(task.credential, TICKETS, READ) for _ in range(8)]
                return {credential.token for credential in await asyncio.gather(*asked)}

            self.assertEqual(len(asyncio.run(together())), 1)

    def test_that_got_no_answer_is_tried_again_by_each_of_many_agents_at_another_moment(self) -> None:
        key = _credentials.key_of(TICKETS, READ, None)
        lasting = {"access_token": "a.b.c", "token_type": "Bearer", "expires_in": 300}
        kept = _credentials.credential_of(lasting, TICKETS, _elapsed.elapsed())
        dues: list[set[float]] = [set(), set()]
        now = 0.0
        with mock.patch("mayfly._credentials.elapsed", lambda: now):
            for _ in range(50):
                cache = _credentials.CredentialCache()
                cache.get(key, lambda *_: kept)
                dues[0].add(cache._due[key])
                cache._put_off(key, mayfly.Unavailable("away", may_pass=True))
                dues[1].add(cache._due[key])
        for due in dues:
            self.assertEqual(len(due), 50)
        self.assertGreater(max(dues[1]) - min(dues[1]), 1)
        self.assertGreaterEqual(min(dues[1]), 2)


class ASleepOfTheMachine(unittest.TestCase):
    @unittest.skipUnless(hasattr(time, "CLOCK_BOOTTIME"), "another clock is used on this system")
    def test_counts_as_time_that_passes(self) -> None:
        with mock.patch("time.clock_gettime", side_effect=lambda clock: {time.CLOCK_BOOTTIME: 3600.0}[clock]):
            self.assertEqual(_elapsed.elapsed(), 3600.0)


FORKS = """
import os, signal, sys, threading, time
import mayfly
url, token, target, read, other = sys.argv[1:]
main, asked, is_child = threading.get_ident(), threading.Event(), False
def identity():
    if threading.get_ident() != main and not is_child:
        asked.set()
        time.sleep(600)  # This thread asks for a credential, with all its locks and its place in the queue.
    return token
broker = mayfly.Broker(url, identity=identity)
with broker.task("triage", heartbeat_seconds=60) as task:
    first = task.credential(target, read)
    threading.Thread(target=task.credential, args=(target, other), daemon=True).start()
    asked.wait()
    task._lock.acquire(), task._opening.acquire(), task._cache._lock.acquire()
    child = os.fork()
    if child == 0:
        is_child = True
        signal.alarm(30)  # A child that waits for ever must not outlive the test.
        assert task.credential(target, read) is first
        assert task.credential(target, other).token != first.token
        assert threading.active_count() == 1, threading.enumerate()
        raise ValueError("the end of the block in the child")
    task._lock.release(), task._opening.release(), task._cache._lock.release()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1  # An exception, and no signal.
    assert task.check() == "open"
print(task.id)
"""


@unittest.skipUnless(hasattr(os, "fork"), "this system does not fork")
class AForkedProcess(WithBroker):
    def test_uses_the_task_of_its_parent_and_neither_waits_for_its_threads_nor_ends_it(self) -> None:
        identity = self.real.identity("agent-7")
        command = [sys.executable, "-W", "ignore", "-c", FORKS, self.real.url, identity, TICKETS, READ, OTHER]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual(ran.returncode, 0, ran.stderr)
        self.assertIn("the end of the block in the child", ran.stderr)
        self.assertEqual(self.real.state(ran.stdout.strip()), "completed")

    def test_begins_anew_with_every_lock(self) -> None:
        """Whatever has a lock of its own is told of the fork."""
        package = Path(inspect.getfile(mayfly)).parent
        found = set()
        for file in package.glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.ClassDef) and "Lock()" in (text := ast.unparse(node)):
                    found.add(node.name)
                    self.assertIn("tell_in_children(self)", text, node.name)
                    self.assertIn("def _after_fork(self)", text, node.name)
        self.assertEqual(found, {"Task", "CredentialCache", "_Kept"})


class AClockThatIsAnHourOff(WithBroker):
    def test_changes_nothing(self) -> None:
        for hours in (-1, 1):
            with (
                self.subTest(hours=hours),
                mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7")).task("triage") as task,
            ):
                before = task.credential(TICKETS, READ)
                now = datetime.now(timezone.utc) + timedelta(hours=hours)
                with mock.patch("mayfly._credentials.datetime") as wrong, mock.patch("time.time", now.timestamp):
                    wrong.now.return_value = now
                    self.assertIs(task.credential(TICKETS, READ), before)
                    self.assertAlmostEqual(before.seconds_left, 300, delta=30)
                    after = task.credential(TICKETS, OTHER)
                    self.assertIs(task.credential(TICKETS, OTHER), after)
                    self.assertAlmostEqual(after.seconds_left, 300, delta=30)
                # It is shown as this machine counts, so that a person can compare it with the machine's clock.
                self.assertAlmostEqual((after.expires_at - now).total_seconds(), 300, delta=30)
                self.assertTrue(self.real.is_active(after.token))


class AnIdentityInAFile(WithBroker):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.file = Path(directory.name) / "token"
        self.file.write_text(self.real.identity("agent-7"))

    def broker(self, identity: mayfly.Identity) -> mayfly.Broker:
        return mayfly.Broker(self.real.url, identity=identity, patience_seconds=0.0)

    def test_may_be_replaced_and_be_away_for_a_moment(self) -> None:
        with self.broker(mayfly.from_file(self.file)).task("triage") as task:
            first = task.credential(TICKETS, READ)
            self.file.unlink()
            self.assertIs(task.credential(TICKETS, READ), first)
            with self.assertRaisesRegex(mayfly.IdentityUnavailable, "FileNotFoundError"):
                task.credential(TICKETS, OTHER)
            fresh = self.file.with_suffix(".new")
            fresh.write_text(self.real.identity("agent-7", "--ttl", "1800") + "\n")
            os.replace(fresh, self.file)
            self.assertTrue(self.real.is_active(task.credential(TICKETS, OTHER).token))

    def test_that_is_read_while_it_is_written_is_read_again(self) -> None:
        read, whole, half = mayfly.from_file(self.file), self.file.read_text(), self.file.read_text()[:-20]

        def read_before_the_rest_is_written() -> str:
            token = read()
            self.file.write_text(whole)
            return token

        self.file.write_text(half)
        with self.broker(read_before_the_rest_is_written).task("triage") as task:
            self.file.write_text(half)
            self.assertTrue(self.real.is_active(task.credential(TICKETS, READ).token))

    def test_that_stays_wrong_is_refused(self) -> None:
        self.file.write_text(self.file.read_text()[:-20])
        with self.assertRaises(mayfly.Refused):
            self.broker(mayfly.from_file(self.file)).task("triage")

    def test_by_a_function_that_fails_is_none_and_its_words_are_not_repeated(self) -> None:
        def source() -> str:
            raise KeyError("secret")

        with self.assertRaisesRegex(mayfly.IdentityUnavailable, "^the identity source failed: KeyError$"):
            self.broker(source).task("triage")

    def test_is_waited_for_like_the_broker(self) -> None:
        tokens = iter(["", "", self.real.identity("agent-7")])
        broker = mayfly.Broker(self.real.url, identity=lambda: next(tokens, self.real.identity("agent-7")))
        with broker.task("triage") as task:
            self.assertTrue(self.real.is_active(task.credential(TICKETS, READ).token))


def threads(name: str) -> int:
    return sum(thread.name == name for thread in threading.enumerate())
