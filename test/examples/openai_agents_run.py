"""Runs examples/openai-agents with a model that answers with what the tool said. `MODEL_FAILS`: it fails."""

import asyncio
import os
from typing import Any

import agent
from agents import set_tracing_disabled
from agents.testing import ModelCall, ScriptedModel, assistant_message, function_call

set_tracing_disabled(True)


def echo(call: ModelCall) -> Any:
    return [assistant_message(str(call.input[-1]))]


asked = function_call("read_incident", {"number": 4711}, call_id="call_1")
model = ScriptedModel([] if "MODEL_FAILS" in os.environ else [[asked], {"responder": echo}])


async def main() -> None:
    run = asyncio.create_task(agent.triage(model, 4711))
    if "CANCELLED" in os.environ:
        asyncio.get_running_loop().call_soon(run.cancel)
    print(await run)


asyncio.run(main())
