"""A task's life with a real broker: what ends it, what does not, and who finds out."""

from __future__ import annotations

import logging
import signal
import subprocess
import sys
import threading
from typing import Any
from unittest import mock

import mayfly

from .real_broker import AGENT, READ, TICKETS, WithBroker, claims_of, until

CEILING = [{"type": "task_access", "locations": [TICKETS], "identifier": "incident/**", "actions": ["read"]}]


class TaskTest(WithBroker):
    def setUp(self) -> None:
        self.broker = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7"))

    def last_heartbeat(self, task_id: str | None) -> str:
        return str(self.real.ask("GET", f"/tasks/{task_id}", "orchestrator")["heartbeat"]["lastAt"])

    def beating(self) -> mayfly.Task:
        """A task whose end its process learns within a second."""
        return self.broker.task("triage", heartbeat_seconds=1)


class ABlock(TaskTest):
    def test_gets_a_credential_that_dies_with_the_block(self) -> None:
        with self.broker.task("triage") as task:
            credential = task.credential(TICKETS, READ)
            self.assertTrue(self.real.is_active(credential.token))
            self.assertEqual((credential.token_type, credential.scope), ("Bearer", READ))
            self.assertEqual(claims_of(credential.token)["task"]["purpose"], "triage")
        self.assertFalse(self.real.is_active(credential.token))
        self.assertEqual(self.real.state(task.id), "completed")

    def test_that_raises_ends_as_failed_with_the_class_and_never_the_text_of_the_exception(self) -> None:
        with self.assertRaisesRegex(ValueError, "s3cret"), self.broker.task("triage") as task:
            task.credential(TICKETS, READ)
            raise ValueError("s3cret")
        told = self.real.ask("GET", f"/tasks/{task.id}", "orchestrator")
        self.assertEqual((told["state"], told["reason"]), ("failed", "ValueError"))

    def test_that_is_left_by_something_else_than_an_error_says_so(self) -> None:
        cases = [(KeyboardInterrupt(), "cancelled"), (SystemExit(0), "completed"), (SystemExit("no"), "failed")]
        for leaving, outcome in cases:
            with self.subTest(repr(leaving)):
                with self.assertRaises(type(leaving)), self.broker.task("triage") as task:
                    task.credential(TICKETS, READ)
                    raise leaving
                self.assertEqual(self.real.state(task.id), outcome)

    def test_for_a_person_that_asks_for_nothing_sends_nothing(self) -> None:
        broker = mayfly.Broker("https://nowhere.invalid", identity=lambda: "a.b.c")
        with broker.task("triage", person="a.b.c") as task:
            pass
        self.assertIsNone(task.id)
        with self.assertRaises(mayfly.TaskEnded):
            task.credential(TICKETS, READ)

    def test_does_not_complete_what_was_left(self) -> None:
        with self.broker.task("triage") as task:
            task.leave()
        self.assertEqual(self.real.state(task.id), "open")
        with self.broker.join(str(task.id)) as joined:
            self.assertTrue(self.real.is_active(joined.credential(TICKETS, READ).token))
        self.assertEqual(self.real.state(task.id), "open")
        joined.complete("failed", "it was too hard")
        told = self.real.ask("GET", f"/tasks/{task.id}", "orchestrator")
        self.assertEqual((told["state"], told["reason"]), ("failed", "it was too hard"))
        with self.assertRaises(mayfly.TaskEnded):
            self.broker.join(str(task.id))


class Credentials(TaskTest):
    def test_are_kept(self) -> None:
        with self.broker.task("triage") as task:
            first = task.credential(TICKETS, READ)
            self.assertIs(task.credential(TICKETS, READ), first)
            self.assertIsNot(task.credential(TICKETS, "incident/4712:read"), first)

    def test_are_asked_for_once_however_many_threads_want_one_and_open_one_task(self) -> None:
        with self.broker.task("triage", person=self.real.identity("ada", "--trust", "staff")) as task:
            together = threading.Barrier(12)
            tokens: dict[int, mayfly.Credential] = {}

            def want(number: int) -> None:
                together.wait()
                tokens[number] = task.credential(TICKETS, f"incident/{number % 3}:read")

            threads = [threading.Thread(target=want, args=(number,)) for number in range(12)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(len(tokens), 12)
            self.assertEqual(len({credential.token for credential in tokens.values()}), 3)
            tasks = {claims_of(credential.token)["task"]["id"] for credential in tokens.values()}
            self.assertEqual(tasks, {task.id})

    def test_hide_their_token_in_texts_and_logs(self) -> None:
        with self.assertLogs(level=logging.DEBUG) as logs:
            logging.getLogger().debug("the log has at least this line")
            with self.beating() as task:
                credential = task.credential(TICKETS, READ)
                with self.assertRaises(mayfly.Refused) as caught:
                    task.credential(TICKETS, "customer/12:read")
        shown = f"{credential!r} {credential} {task!r} {caught.exception!r} {logs.output}"
        self.assertIn("expires_at", shown)
        for secret in (credential.token, self.real.identity("agent-7")):
            self.assertNotIn(secret[:40], shown)

    def test_for_a_person_say_who_acts_for_whom(self) -> None:
        person = self.real.identity("ada", "--trust", "staff")
        with self.broker.task("triage", person=lambda: person) as task:
            claims = claims_of(task.credential(TICKETS, READ).token)
        self.assertEqual((claims["sub"], claims["act"]["sub"]), ("staff:ada", AGENT))

    def test_of_another_agent_are_worked_with_until_they_end(self) -> None:
        scout = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-8"))
        with self.broker.task("triage") as task:
            given = task.credential(TICKETS, READ)
            with scout.handed_on(given.token) as mine:
                first = mine.credential(TICKETS)
                second = mine.credential(TICKETS, READ, lifetime_seconds=60)
                claims = claims_of(second.token)
                self.assertEqual((claims["sub"], claims["act"]), (AGENT, {"sub": "lab:agent-8"}))
                self.assertEqual((claims["task"]["id"], claims["task"]["purpose"]), (mine.id, "triage"))
                self.assertEqual(claims["task"]["lineage"], [task.id])
                self.assertEqual(claims_of(first.token)["task"]["id"], mine.id)
                with self.assertRaises(mayfly.Refused) as caught:
                    mine.credential(TICKETS, "incident/4712:read")
                self.assertEqual(caught.exception.code, "invalid_scope")
                self.real.end(task.id)
                self.assertFalse(self.real.is_active(second.token))
                with self.assertRaises(mayfly.TaskEnded):
                    mine.credential(TICKETS, "incident/4711/notes:read")
        with self.assertRaises(mayfly.IdentityUnavailable) as wrong:
            scout.handed_on("two tokens")
        self.assertNotIn("two tokens", str(wrong.exception))

    def test_can_be_asked_for_as_objects(self) -> None:
        with self.broker.task("triage") as task:
            credential = task.credential(TICKETS, CEILING)
        self.assertEqual(credential.authorization_details[0]["identifier"], "incident/**")

    def test_can_be_asked_for_by_what_a_model_wrote_and_stay_as_narrow_as_meant(self) -> None:
        with self.broker.task("triage") as task:
            credential = task.credential(TICKETS, mayfly.scope("incident", 4711, "notes:1", action="read"))
        self.assertEqual(credential.scope, "incident/4711/notes:1:read")
        parts: list[Any] = ["*", "**", "1:read incident/**", "1/2", "..", ".", "", "1\n", "é", "1:read\tx", None, ["1"]]
        for part in parts:
            with self.subTest(part), self.assertRaises(ValueError):
                mayfly.scope("incident", part, action="read")
        for action in ("read incident/**:read", "", "read/x"):
            with self.subTest(action), self.assertRaises(ValueError):
                mayfly.scope("incident", action=action)

    def test_that_policy_refuses_are_refused_at_once_with_the_decision(self) -> None:
        with self.broker.task("triage") as task, self.assertRaises(mayfly.Refused) as caught:
            task.credential(TICKETS, "customer/12:read")
        refused = caught.exception
        self.assertEqual((refused.code, refused.status, refused.retry), ("access_denied", 400, "never"))
        self.assertRegex(refused.decision_id or "", r"^dec_")
        self.assertRegex(refused.request_id or "", r"^req_")


class ATask(TaskTest):
    def test_has_a_ceiling_a_deadline_and_one_outcome(self) -> None:
        with self.broker.task("triage", access=CEILING, deadline_seconds=60) as task:
            self.assertLessEqual(task.credential(TICKETS, READ).seconds_left, 60)
            with self.assertRaises(mayfly.Refused) as caught:
                task.credential(TICKETS, "problem/1:read")
            task.complete("cancelled")
        self.assertEqual(caught.exception.code, "invalid_scope")
        self.assertEqual(self.real.state(task.id), "cancelled")

    def test_says_every_30_seconds_that_its_process_lives_unless_it_is_told_otherwise(self) -> None:
        for wish, interval in ((None, 30), (7, 7), (0, None)):
            with self.subTest(wish), self.broker.task("triage", heartbeat_seconds=wish) as task:
                told = self.real.ask("GET", f"/tasks/{task.id}", "orchestrator").get("heartbeat", {})
                self.assertEqual(told.get("intervalSeconds"), interval)

    def test_for_a_person_takes_nothing_that_only_its_opener_could_say(self) -> None:
        for wish in ({"access": CEILING}, {"deadline_seconds": 60}, {"workload": AGENT}, {"parent": "tsk_1"}):
            with self.subTest(wish), self.assertRaises(ValueError):
                self.broker.task("triage", person="a.b.c", **wish)

    def test_that_an_orchestrator_opens_is_worked_on_by_whom_it_is_for(self) -> None:
        orchestrator = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("orchestrator"))
        with orchestrator.task("triage", workload=AGENT, heartbeat_seconds=1) as opened:
            with self.broker.join(str(opened.id)) as joined:
                first = self.last_heartbeat(opened.id)
                until(lambda: self.last_heartbeat(opened.id) != first, "there is no heartbeat")
                credential = joined.credential(TICKETS, READ)
                self.assertTrue(self.real.is_active(credential.token))
        self.assertFalse(self.real.is_active(credential.token))
        self.assertEqual(self.real.state(opened.id), "completed")

    def test_ends_with_its_parent(self) -> None:
        with self.broker.task("triage") as parent:
            child = self.broker.task("triage", parent=parent.id)
            token = child.credential(TICKETS, READ).token
        self.assertFalse(self.real.is_active(token))
        with self.assertRaises(mayfly.TaskEnded):
            child.check()

    def test_ends_when_its_process_is_killed_and_when_its_program_has_forgotten_it(self) -> None:
        script = (
            "import sys, time, mayfly\n"
            "url, token = sys.argv[1:]\n"
            "broker = mayfly.Broker(url, identity=lambda: token)\n"
            "task = broker.task('triage', heartbeat_seconds=1)\n"
            f"print(task.id, task.credential('{TICKETS}', '{READ}').token, flush=True)\n"
            "time.sleep(600)\n"
        )
        command = [sys.executable, "-c", script, self.real.url, self.real.identity("agent-7")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as agent:
            assert agent.stdout is not None
            task_id, token = agent.stdout.readline().split()
            self.assertTrue(self.real.is_active(token))
            forgotten = self.beating()
            forgotten_id = forgotten.id
            first = self.last_heartbeat(forgotten_id)
            until(lambda: self.last_heartbeat(forgotten_id) != first, "there is no heartbeat")
            self.assertEqual(self.real.state(task_id), "open")
            agent.send_signal(signal.SIGKILL)
            del forgotten
        until(lambda: self.real.state(task_id) == "expired", "the task of the process still lives")
        until(lambda: self.real.state(forgotten_id) == "expired", "the task that was forgotten still lives")
        self.assertFalse(self.real.is_active(token))


class ATaskEndedFromOutside(TaskTest):
    def test_is_told_by_the_heartbeat(self) -> None:
        task = self.beating()
        task.credential(TICKETS, READ)
        told: list[mayfly.TaskEnded] = []
        task.on_ended(told.append)
        self.real.end(task.id)
        self.assertTrue(task.ended.wait(20))
        with self.assertRaises(mayfly.TaskEnded) as caught:
            task.credential(TICKETS, READ)  # It was kept, and is not served.
        self.assertEqual(caught.exception.outcome, "cancelled")
        until(lambda: told, "nobody was called back")
        task.on_ended(told.append)
        self.assertEqual([(end.task_id, end.outcome) for end in told], [(task.id, "cancelled")] * 2)

    def test_is_told_by_the_next_exchange_with_the_reason(self) -> None:
        with self.broker.task("triage") as task:
            task.credential(TICKETS, READ)
            self.real.end(task.id)
            with self.assertRaises(mayfly.TaskEnded) as caught:
                task.credential(TICKETS, "incident/4712:read")
        self.assertEqual((caught.exception.outcome, caught.exception.reason), ("cancelled", "nobody needs it"))
        self.assertEqual(self.real.state(task.id), "cancelled")

    def test_is_told_when_asked_for_after_a_401(self) -> None:
        with self.broker.task("triage") as task:
            first = task.credential(TICKETS, READ)
            self.assertEqual(task.check(), "open")
            self.assertIsNot(task.credential(TICKETS, READ), first)
            self.real.end(task.id)
            with self.assertRaises(mayfly.TaskEnded):
                task.check()

    def test_hears_of_every_end_although_a_callback_fails(self) -> None:
        task = self.broker.task("triage")
        told: list[mayfly.TaskEnded] = []
        task.on_ended(mock.Mock(side_effect=ValueError("s3cret")))
        task.on_ended(told.append)
        states: list[str] = []
        task.on_ended(lambda _: states.append(self.real.state(task.id)))
        task.on_ended(lambda _: task.complete())
        with self.assertLogs("mayfly", logging.ERROR) as logs:
            task.complete()
        self.assertEqual(len(told), 1)
        self.assertEqual(states, ["completed"])  # The broker was told before anybody was called back.
        self.assertIn("ValueError", logs.output[0])
        self.assertNotIn("s3cret", str(logs.output))


class ASuspendedTask(TaskTest):
    def test_serves_nothing_it_kept_and_goes_on_after_it_is_resumed(self) -> None:
        with self.broker.task("triage") as task:
            first = task.credential(TICKETS, READ)
            self.real.ask("POST", f"/tasks/{task.id}/suspend", "orchestrator", {})
            self.assertEqual(task.check(), "suspended")
            with self.assertRaises(mayfly.Refused) as caught:
                task.credential(TICKETS, READ)
            self.real.ask("POST", f"/tasks/{task.id}/resume", "orchestrator", {})
            self.assertTrue(self.real.is_active(task.credential(TICKETS, READ).token))
        self.assertEqual(caught.exception.retry, "after-lift")
        self.assertFalse(self.real.is_active(first.token))

    def test_is_told_by_the_heartbeat(self) -> None:
        with self.beating() as task:
            task.credential(TICKETS, READ)
            self.real.ask("POST", f"/tasks/{task.id}/suspend", "orchestrator", {})

            def serves_nothing() -> bool:
                try:
                    return not task.credential(TICKETS, READ)
                except mayfly.Refused as refused:
                    return refused.retry == "after-lift"

            until(serves_nothing, "what was kept is served", 20)


class ATaskWithAsManyCredentialsAsItMayHave(TaskTest):
    def test_is_told_to_come_back_later_and_uses_what_there_is(self) -> None:
        broker = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7"), patience_seconds=0.0)
        with broker.task("triage") as task:
            first = task.credential(TICKETS, READ)
            with self.assertRaises(mayfly.Refused) as caught:
                for number in range(100):
                    task.credential(TICKETS, f"incident/{number}:read")
            self.assertIs(task.credential(TICKETS, READ), first)
        refused = caught.exception
        self.assertEqual((refused.code, refused.status, refused.retry), ("slow_down", 429, "later"))
        self.assertGreater(refused.retry_after or 0, 0)
