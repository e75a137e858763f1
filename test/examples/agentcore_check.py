"""Says what the model of the AWS API finds wrong in a request to create a credential provider of AgentCore."""

import json
import os
import sys
from typing import Any

import boto3
from botocore.validate import ParamValidator


def wrong_values(shape: Any, value: Any, path: str = "") -> list[str]:
    """The validator of botocore does not look at the values that an enumeration has."""
    if shape.type_name == "structure":
        return [text for name, member in value.items() for text in wrong_values(shape.members[name], member, name)]
    return [f"{path} is not one of {shape.enum}"] if getattr(shape, "enum", None) and value not in shape.enum else []


client = boto3.client("bedrock-agentcore-control", region_name=os.environ.get("AWS_DEFAULT_REGION", "eu-central-1"))
shape = client.meta.service_model.operation_model("CreateOauth2CredentialProvider").input_shape
request = json.loads(sys.argv[1])
print(ParamValidator().validate(request, shape).generate_report() or "; ".join(wrong_values(shape, request)))
