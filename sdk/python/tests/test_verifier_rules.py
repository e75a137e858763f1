"""The rules of the verifier decide what those of the broker decide, and the belief refuses whatever has a hole.

Run where PyJWT is installed.
"""

from __future__ import annotations

import functools
import json
import time
from typing import Any
from unittest import TestCase, mock

from .real_broker import ROOT
from .test_auth import installed

VECTORS = json.loads((ROOT / "test/vectors/verifier.json").read_text())


def rules() -> Any:
    installed("jwt")
    from mayfly.verifier import _rules

    return _rules


def tombstone(data: Any) -> Any:
    if data is None:
        return None
    from mayfly.verifier._events import _tombstone

    return _tombstone(data)


class TheRules(TestCase):
    def setUp(self) -> None:
        self.rules = rules()

    def test_have_the_bounds_of_the_broker(self) -> None:
        from mayfly.verifier import _ack, _belief, _token

        own = {
            "acknowledgedMost": _ack._ENTRIES_MAX,
            "waitedMsMost": _ack._WAITED_SECONDS_MAX * 1000,
            "forgetMarginMs": _belief._FORGET_AFTER_MS,
            "lifeSecondsMost": _token._LIFE_SECONDS_MAX,
            "tokenCharactersMost": _token._TOKEN_CHARACTERS_MAX,
            "pathCharactersMost": self.rules._PATH_CHARACTERS_MAX,
            "pathSegmentsMost": self.rules._PATH_SEGMENTS_MAX,
        }
        self.assertEqual(own, VECTORS["bounds"])

    def test_say_dead_where_the_broker_does(self) -> None:
        for case in VECTORS["death"]:
            epoch = self.rules.Epoch(**case["epoch"])
            found = self.rules.death(epoch, case["generation"], map(tombstone, case["tombstones"]))
            self.assertEqual(found, case["endedBy"], case)

    def test_join_as_the_broker_does(self) -> None:
        for case in VECTORS["grown"]:
            both = self.rules.grown(tombstone(case["one"]), tombstone(case["other"]))
            self.assertEqual(both, tombstone(case["both"]), case)

    def test_take_the_claims_that_the_verifier_for_node_takes(self) -> None:
        from mayfly.verifier import _token

        made = VECTORS["claims"]["made"]
        self.assertIsNotNone(_token._claims_in(made))
        for path, value, is_taken in VECTORS["claims"]["otherwise"]:
            claims = json.loads(json.dumps(made))
            *above, last = [int(name) if name == "0" else name for name in path]
            place = functools.reduce(lambda one, name: one[name], above, claims)
            if value:
                place[last] = value[0]
            else:
                del place[last]
            self.assertEqual(_token._claims_in(claims) is not None, is_taken, (path, value))
        for number in (float("nan"), float("inf"), 10**400):
            for name in ("exp", "iat"):
                self.assertIsNone(_token._claims_in({**made, name: number}), (name, number))

    def test_cover_what_the_broker_covers(self) -> None:
        for pattern, path, is_covered in VECTORS["covers"]:
            self.assertEqual(self.rules.covers(pattern, path), is_covered, (pattern, path))

    def test_take_the_paths_that_the_broker_takes(self) -> None:
        for path, is_path, is_pattern in VECTORS["paths"]:
            self.assertEqual((self.rules.is_path(path), self.rules.is_pattern(path)), (is_path, is_pattern), path)


class ThousandsThatComeAgain(TestCase):
    def test_are_spread_over_the_whole_time_that_they_have(self) -> None:
        installed("jwt")
        from mayfly.verifier._feed import pause_after

        for end, failures, least, most in (
            ("again", 0, 0.0, 1.0),
            ("failed", 0, 0.0, 0.5),
            ("failed", 3, 0.0, 4.0),
            ("failed", 1000, 0.0, 5.0),
            ("refused", 0, 5.0, 10.0),
        ):
            with self.subTest(end, failures=failures):
                pauses = [pause_after(end, failures) for _ in range(1000)]  # type: ignore[arg-type]
                self.assertTrue(all(least <= pause <= most for pause in pauses))
                for tenth in range(10):
                    begin = least + (most - least) * tenth / 10
                    here = sum(begin <= pause < begin + (most - least) / 10 for pause in pauses)
                    self.assertLess(here, 200, "too many at once")


GENERATION = "2_f00d"


class TheBelief(TestCase):
    """Time is a number here."""

    def setUp(self) -> None:
        installed("jwt")
        from mayfly.verifier import _belief, _events

        self.events, self.now = _events, 100.0
        patched = mock.patch.object(_belief, "elapsed", lambda: self.now)
        patched.start()
        self.addCleanup(patched.stop)
        self.belief = _belief.Belief(5.0)

    def hear(self, *events: tuple[str, object]) -> None:
        text = "".join(f"event: {name}\ndata: {json.dumps(data)}\n\n" for name, data in events)
        for event in self.events.Reader().read(text.encode()):
            self.belief.take(event)

    def know(self, seq: int, *dead: tuple[str, object]) -> None:
        self.belief.begin(self.now)
        place = {"generation": GENERATION, "seq": seq}
        self.hear(
            ("hello", {"at": 7000}), ("snapshot", place), ("tombstones", dead), ("complete", place), self.beat(seq)
        )

    def beat(self, seq: int, after_seconds: float = 0.0) -> tuple[str, object]:
        return "heartbeat", {"generation": GENERATION, "seq": seq, "at": 7000 + after_seconds * 1000}

    def revoke(self, seq: int, cause: str) -> tuple[str, object]:
        data = {"seq": seq, "cause": cause, "tombstone": {"ended": {"seq": seq, "as": "revoked"}, "until": 10**13}}
        return "revocation", data

    def verdict(self, born: int = 3, cause: str = "c", generation: str = GENERATION) -> str:
        return str(self.belief.verdict(f"{generation}.{born}", [cause]))

    def test_decides_once_it_has_everything_and_knows_what_dies(self) -> None:
        self.assertEqual(self.verdict(), "unknown")
        self.know(5, ("d", {"lastHold": 4, "until": 10**13}))
        self.assertEqual((self.verdict(), self.verdict(cause="d")), ("alive", "dead"))
        self.assertEqual(self.verdict(born=4, cause="d"), "alive")
        self.hear(self.revoke(6, "c"))
        self.assertEqual(self.verdict(), "dead")
        self.assertEqual(self.belief.last_event_id(), f"{GENERATION}.6")

    def test_waits_for_what_it_has_not_heard_of_and_ends_what_an_earlier_log_bore(self) -> None:
        self.know(5)
        self.assertEqual(self.verdict(born=6), "unborn")
        self.assertEqual(self.verdict(generation="3_beef"), "unborn")
        self.assertEqual(self.verdict(generation="1_beef"), "dead")
        self.assertEqual(self.verdict(generation="2_beef"), "dead")

    def test_believes_nothing_after_five_seconds_of_silence(self) -> None:
        self.know(5)
        self.now += 5.0
        self.assertEqual(self.verdict(), "alive")
        self.now += 0.1
        self.assertEqual(self.verdict(), "unknown")
        self.hear(self.beat(5, 5.1))
        self.assertEqual(self.verdict(), "alive")

    def test_counts_from_the_look_of_the_broker_and_not_from_when_the_news_came(self) -> None:
        self.know(5)
        self.now += 20.0  # Something in between held the events back.
        self.hear(self.beat(5, 14.0))
        self.assertEqual(self.verdict(), "unknown")
        self.hear(self.beat(5, 16.0))
        self.assertEqual(self.verdict(), "alive")

    def test_does_not_look_at_the_time_of_day(self) -> None:
        self.know(5)
        for jump in (-(10**6), 10**6):
            with mock.patch.object(time, "time", lambda jump=jump: jump):
                self.assertEqual(self.verdict(), "alive")
                self.now += 4.0
                self.hear(self.beat(5, self.now - 100.0))
        self.now += 5.1
        with mock.patch.object(time, "time", lambda: 0.0):
            self.assertEqual(self.verdict(), "unknown")

    def test_begins_anew_when_its_own_clock_stood_still(self) -> None:
        self.know(5)
        self.assert_broken(self.beat(5, 60.0))

    def test_begins_anew_when_anything_is_missing(self) -> None:
        place = {"generation": GENERATION, "seq": 5}
        for wrong in (
            self.revoke(7, "x"),  # 6 was left out
            self.beat(6),
            ("heartbeat", {"generation": "3_beef", "seq": 5, "at": 7000}),
            ("tombstones", []),
            ("complete", place),
            ("snapshot", place),  # the rest of it has not come
        ):
            with self.subTest(wrong):
                self.know(5)
                self.assert_broken(wrong)

    def test_begins_anew_when_it_does_not_understand(self) -> None:
        malformed: list[Any] = [
            {"seq": 6, "cause": "c"},
            {"seq": 6, "cause": 1, "tombstone": {"until": 1}},
            {"seq": 6.5, "cause": "c", "tombstone": {"until": 1}},
            {"seq": True, "cause": "c", "tombstone": {"until": 1}},
            {"seq": 6, "cause": "c", "tombstone": {}},
            {"seq": 6, "cause": "c", "tombstone": {"ended": None, "until": 1}},
            {"seq": 6, "cause": "c", "tombstone": {"ended": 3, "until": 1}},
            {"seq": 6, "cause": "c", "tombstone": {"cut": {"seq": "4"}, "until": 1}},
            {"seq": 6, "cause": "c", "tombstone": {"lastHold": -1, "until": 1}},
            [],
            "x",
        ]
        for data in malformed:
            with self.subTest(data), self.assertRaises(self.events.FeedBroken):
                self.hear(("revocation", data))
        with self.assertRaises(self.events.FeedBroken):
            list(self.events.Reader().read(b"x" * (self.events.EVENT_BYTES_MAX + 1)))

    def test_passes_over_what_a_newer_broker_may_say_and_hears_twice_without_harm(self) -> None:
        self.know(5)
        self.hear(("news", {}), self.revoke(6, "c"), self.revoke(6, "c"), self.revoke(4, "d"), self.beat(6))
        self.assertEqual((self.verdict(), self.verdict(cause="d"), self.verdict(cause="e")), ("dead", "dead", "alive"))

    def test_forgets_what_can_end_nothing_any_more(self) -> None:
        self.know(5, ("old", {"cut": {"seq": 4}, "until": 1000}), ("c", {"cut": {"seq": 4}, "until": 10**13}))
        self.belief.forget(1000 + 120_000)
        self.assertEqual(len(self.belief), 2)
        self.belief.forget(1000 + 120_001)
        self.assertEqual((len(self.belief), self.verdict()), (1, "dead"))

    def assert_broken(self, *events: tuple[str, object]) -> None:
        try:
            self.hear(*events)
        except self.events.FeedBroken:
            self.assertIsNone(self.belief.last_event_id())
        self.assertEqual(self.verdict(), "unknown")
