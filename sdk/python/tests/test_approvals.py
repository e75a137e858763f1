"""People who must agree first, with a real broker: who waits for them, and what whoever waits learns."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from typing import Any

import mayfly

from .real_broker import TICKETS, WithBroker

_ISSUER = {"kind": "oidc", "jwks": {"file": "./issuer/jwks.json"}}
_PEOPLE = {"kind": "oidc", "jwks": {"file": "./people/jwks.json"}, "represents": "person"}
_numbers = itertools.count(1)


def new_export() -> str:
    """What the shipped policies let the on-call group agree to: each time for another incident."""
    return f"incident/{next(_numbers)}:export"


class ApprovalsTest(WithBroker):
    settings = {
        "trust": [
            {"name": "lab", "issuer": "https://lab.example", **_ISSUER, "owner": {"claim": "team"}},
            {"name": "staff", "issuer": "https://idp.example", **_PEOPLE, "groups": {"claim": "groups"}},
        ],
        "approvals": {"pendingPerWorkload": 64},
    }

    def setUp(self) -> None:
        self.broker = mayfly.Broker(self.real.url, identity=lambda: self.real.identity("agent-7"))

    def answer(self, approval_id: str, **said: object) -> None:
        """Read the question as the person does, and answer what was read."""
        ann = self.real.identity("ann", "--trust", "staff", "--claim", "groups=sre-oncall")
        path = f"/approvals/{approval_id}"
        digest = self.real.ask_as(ann, "GET", path)["answer"]["digest"]
        self.real.ask_as(ann, "POST", f"{path}/decision", {"decision": "approve", "digest": digest, **said})

    def refuse(self, approval_id: str) -> None:
        self.answer(approval_id, decision="deny", reason="not today")

    def needed(self, task: mayfly.Task, access: str) -> mayfly.ApprovalNeeded:
        with self.assertRaises(mayfly.ApprovalNeeded) as caught:
            task.credential(TICKETS, access)
        return caught.exception

    def wait_while(self, task: mayfly.Task, happens: Callable[[mayfly.ApprovalNeeded], object]) -> Any:
        """Wait for people to agree to what nobody was asked before, and have something happen meanwhile."""
        running: list[threading.Thread] = []

        def asked(error: mayfly.ApprovalNeeded) -> None:
            running.append(threading.Thread(target=happens, args=(error,)))
            running[-1].start()

        try:
            return task.credential(TICKETS, new_export(), wait_for_approval=asked)
        finally:
            for thread in running:
                thread.join()


class WhatPeopleMustAgreeTo(ApprovalsTest):
    def test_is_an_error_of_its_own_and_nobody_is_asked_twice(self) -> None:
        with self.broker.task("audit") as task:
            access = new_export()
            error = self.needed(task, access)
            self.assertIsInstance(error, mayfly.Refused)
            self.assertRegex(error.approval_id, r"^apr_[a-z2-7]{16}$")
            self.assertRegex(error.decision_id or "", r"^dec_")
            self.assertEqual((error.code, error.retry, error.task_id), ("access_denied", "after-approval", task.id))
            self.assertEqual(self.needed(task, access).approval_id, error.approval_id)

    def test_is_issued_once_they_have_to_whoever_waits_by_themselves(self) -> None:
        with self.broker.task("audit") as task:
            access = new_export()
            error = self.needed(task, access)
            self.answer(error.approval_id)
            task.wait_until_approved(error)
            credential = task.credential(TICKETS, access)
            self.assertEqual(credential.scope, access)
            self.assertIs(task.credential(TICKETS, access), credential)

    def test_is_waited_for_by_the_option_and_is_no_more_than_they_agreed_to(self) -> None:
        with self.broker.task("audit") as task:
            told: list[mayfly.ApprovalNeeded] = []

            def agree(error: mayfly.ApprovalNeeded) -> None:
                told.append(error)
                self.answer(error.approval_id, lifetimeSeconds=60)

            credential = self.wait_while(task, agree)
            self.assertEqual(len(told), 1)
            self.assertLessEqual(credential.seconds_left, 60)
            self.assertTrue(self.real.is_active(credential.token))

    def test_is_waited_for_in_silence_by_many_threads_that_get_one_credential(self) -> None:
        with self.broker.task("audit") as task:
            access = new_export()
            error = self.needed(task, access)
            tokens: list[str] = []

            def want() -> None:
                tokens.append(task.credential(TICKETS, access, wait_for_approval=True).token)

            threads = [threading.Thread(target=want) for _ in range(4)]
            for thread in threads:
                thread.start()
            self.answer(error.approval_id)
            for thread in threads:
                thread.join()
            self.assertEqual((len(tokens), len(set(tokens))), (4, 1))

    def test_opens_the_task_for_a_person(self) -> None:
        person = self.real.identity("bob", "--trust", "staff", "--claim", "groups=staff")
        with self.broker.task("audit", person=person) as task:
            self.assertIsNone(task.id)
            access = new_export()
            error = self.needed(task, access)
            self.assertEqual(task.id, error.task_id)
            self.answer(error.approval_id)
            self.assertEqual(task.credential(TICKETS, access, wait_for_approval=True).scope, access)


class WhoeverWaits(ApprovalsTest):
    def test_learns_that_the_answer_is_no_and_is_told_no_again(self) -> None:
        with self.broker.task("audit") as task:
            access = new_export()
            error = self.needed(task, access)
            self.refuse(error.approval_id)
            with self.assertRaises(mayfly.NotApproved) as caught:
                task.wait_until_approved(error)
            self.assertEqual((caught.exception.approval_id, caught.exception.state), (error.approval_id, "denied"))
            with self.assertRaises(mayfly.Refused) as again:
                task.credential(TICKETS, access, wait_for_approval=True)
            self.assertNotIsInstance(again.exception, mayfly.ApprovalNeeded)
            self.assertEqual(again.exception.retry, "never")

    def test_learns_the_no_that_comes_while_it_waits(self) -> None:
        with self.broker.task("audit") as task, self.assertRaises(mayfly.NotApproved) as caught:
            self.wait_while(task, lambda error: self.refuse(error.approval_id))
        self.assertEqual(caught.exception.state, "denied")

    def test_learns_that_the_task_was_ended_by_others_who_end_the_question_with_it(self) -> None:
        task = self.broker.task("audit")
        with self.assertRaises(mayfly.TaskEnded) as caught:
            self.wait_while(task, lambda _: self.real.end(task.id))
        self.assertEqual((caught.exception.task_id, caught.exception.outcome), (task.id, "cancelled"))
        self.assertTrue(task.ended.is_set())

    def test_learns_that_the_task_was_completed_here(self) -> None:
        task = self.broker.task("audit")
        with self.assertRaises(mayfly.TaskEnded) as caught:
            self.wait_while(task, lambda _: task.complete("completed"))
        self.assertEqual(caught.exception.outcome, "completed")


