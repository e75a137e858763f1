"""Where identities come from: files, the environment, GitHub Actions, Google Cloud, AWS."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import mayfly

from .loopback import Loopback, Reply, Seen, reply

TOKEN = "eyJhbGciOiJub25lIn0.aWRlbnRpdHk.c2ln"


class Identities(unittest.TestCase):
    def serve(self, answer: Reply) -> Loopback:
        server = Loopback(lambda _: answer)
        self.addCleanup(server.close)
        return server

    def test_in_a_file_or_variable_is_one_token_and_nothing_else(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        file = Path(directory.name) / "token"
        read = mayfly.from_file(file)
        with self.assertRaises(mayfly.IdentityUnavailable):
            read()
        for text in ("", "\n", "a b", "Bearer a.b.c", f"{TOKEN}\nX-Evil: 1", "é.b.c", "x" * 16_385):
            file.write_text(text, encoding="utf-8")
            with self.subTest(text[:20]):
                with self.assertRaises(mayfly.IdentityUnavailable) as caught:
                    read()
                self.assertNotIn(TOKEN, str(caught.exception))
                with mock.patch.dict(os.environ, {"ID": text}), self.assertRaises(mayfly.IdentityUnavailable):
                    mayfly.from_env("ID")()
        file.write_text(f"  {TOKEN}\n")
        with mock.patch.dict(os.environ, {"ID": TOKEN}):
            self.assertEqual((read(), mayfly.from_env("ID")()), (TOKEN, TOKEN))
        with self.assertRaises(mayfly.IdentityUnavailable):
            mayfly.from_env("ID")()

    def test_of_github_actions_is_asked_for_with_the_audience_and_kept_for_a_minute(self) -> None:
        server = self.serve(reply(200, {"value": TOKEN, "count": 1}))
        environment = {
            "ACTIONS_ID_TOKEN_REQUEST_URL": f"{server.url}/id?api-version=2.0",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-secret",
        }
        identity = mayfly.from_github_actions("https://mayfly.example")
        with self.assertRaisesRegex(mayfly.IdentityUnavailable, "id-token: write"):
            identity()
        with mock.patch.dict(os.environ, environment):
            self.assertEqual([identity(), identity()], [TOKEN, TOKEN])
        (asked,) = server.seen
        self.assertEqual(asked.path, "/id?api-version=2.0&audience=https%3A%2F%2Fmayfly.example")
        self.assertEqual(asked.headers["authorization"], "Bearer runner-secret")
        with mock.patch.dict(os.environ, environment), mock.patch("mayfly._identity.elapsed", return_value=2.0**40):
            identity()
        self.assertEqual(len(server.seen), 2)

    def test_of_github_actions_is_not_asked_for_in_clear_text_or_by_a_redirect(self) -> None:
        elsewhere = self.serve(reply(200, {"value": TOKEN}))
        server = self.serve((302, {"Location": elsewhere.url}, b""))
        for url, problem in (("http://github.example/id", "not an https URL"), (server.url, "answered 302")):
            environment = {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-secret"}
            with self.subTest(url), mock.patch.dict(os.environ, environment):
                with self.assertRaisesRegex(mayfly.IdentityUnavailable, problem):
                    mayfly.from_github_actions("https://mayfly.example")()
        self.assertEqual(elsewhere.seen, [])

    def test_of_google_cloud_comes_from_a_metadata_server_and_from_nobody_else(self) -> None:
        for headers, is_google in (({"Metadata-Flavor": "Google"}, True), ({}, False)):
            server = self.serve((200, headers, TOKEN.encode()))
            host = server.url.removeprefix("http://")
            with self.subTest(headers), mock.patch.dict(os.environ, {"GCE_METADATA_HOST": host}):
                identity = mayfly.from_google("https://mayfly.example")
                if is_google:
                    self.assertEqual(identity(), TOKEN)
                    self.assertIn("audience=https%3A%2F%2Fmayfly.example&format=full", server.seen[0].path)
                    self.assertEqual(server.seen[0].headers["metadata-flavor"], "Google")
                else:
                    with self.assertRaisesRegex(mayfly.IdentityUnavailable, "not a metadata server"):
                        identity()

    def test_of_aws_is_asked_for_at_sts(self) -> None:
        sts = mock.Mock()
        sts.get_web_identity_token.return_value = {"WebIdentityToken": TOKEN}
        self.assertEqual(mayfly.from_aws("https://mayfly.example", client=sts)(), TOKEN)
        self.assertEqual(sts.get_web_identity_token.call_args.kwargs["Audience"], ["https://mayfly.example"])
        sts.get_web_identity_token.side_effect = ValueError("s3cret")
        with self.assertRaisesRegex(mayfly.IdentityUnavailable, "ValueError") as caught:
            mayfly.from_aws("https://mayfly.example", client=sts)()
        self.assertNotIn("s3cret", str(caught.exception))

    def test_that_is_kept_is_asked_for_anew_after_the_broker_refused_it(self) -> None:
        fresh = "eyJhbGciOiJub25lIn0.ZnJlc2g.c2ln"
        tokens = iter([TOKEN, fresh])
        github = Loopback(lambda _: reply(200, {"value": next(tokens, fresh)}))
        self.addCleanup(github.close)

        def answer(seen: Seen) -> Reply:
            if seen.headers["authorization"] == f"Bearer {TOKEN}":
                return reply(401, {"code": "invalid_token", "retry": "never"})
            return reply(201, {"id": "tsk_1", "state": "open"})

        broker = Loopback(answer)
        self.addCleanup(broker.close)
        environment = {"ACTIONS_ID_TOKEN_REQUEST_URL": github.url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "runner-secret"}
        with mock.patch.dict(os.environ, environment):
            identity = mayfly.from_github_actions("https://mayfly.example")
            self.assertEqual(mayfly.Broker(broker.url, identity=identity).task("triage").id, "tsk_1")
        self.assertEqual((len(github.seen), len(broker.seen)), (2, 2))
