"""Runs examples/langchain with a model that calls the tool with `MODEL_ASKS`, and answers with what the tool said."""

import asyncio
import json
import os
from typing import Any

import agent
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult


class ScriptedModel(GenericFakeChatModel):
    def bind_tools(self, tools: Any, **_: Any) -> "ScriptedModel":
        return self

    def _generate(self, messages: list[Any], *_: Any, **__: Any) -> ChatResult:
        asked = {"name": "read_incident", "args": {"number": json.loads(os.environ["MODEL_ASKS"])}, "id": "call_1"}
        last = messages[-1]
        answer = AIMessage(str(last.content)) if isinstance(last, ToolMessage) else AIMessage("", tool_calls=[asked])
        return ChatResult(generations=[ChatGeneration(message=answer)])


print(asyncio.run(agent.triage(ScriptedModel(messages=iter([])), "What is wrong?")))
