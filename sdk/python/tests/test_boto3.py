"""What is asked of AWS, by the real boto3 and its model of the API. Run where it is installed."""

from __future__ import annotations

import unittest
from typing import Any

import mayfly

from .test_auth import installed


class AnIdentityOfAws(unittest.TestCase):
    def test_is_asked_for_as_the_api_has_it(self) -> None:
        boto3: Any = installed("boto3")
        stub: Any = installed("botocore.stub")
        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x"}
        sts = boto3.client("sts", region_name="eu-central-1", **keys)
        token = "eyJhbGciOiJFUzM4NCJ9.aWRlbnRpdHk.c2ln"
        asked = {"Audience": ["https://mayfly.example"], "SigningAlgorithm": "ES384", "DurationSeconds": 300}
        with stub.Stubber(sts) as answers:
            answers.add_response("get_web_identity_token", {"WebIdentityToken": token}, asked)
            self.assertEqual(mayfly.from_aws("https://mayfly.example", client=sts)(), token)
            answers.assert_no_pending_responses()
