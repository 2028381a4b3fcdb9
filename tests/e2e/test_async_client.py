"""The asynchronous Python SDK: its streaming handler, and several runs at once."""

import asyncio
from typing import Any

from openai import AsyncAssistantEventHandler, AsyncOpenAI
from typing_extensions import override

from tests.support.model_server import Calls, ModelServer, Text

WEATHER: Any = {"type": "function", "function": {"name": "weather"}}


class Handler(AsyncAssistantEventHandler):
    """Answers every function call, and keeps the text that follows."""

    def __init__(self, client: AsyncOpenAI) -> None:
        super().__init__()
        self.client = client
        self.calls: list[str] = []
        self.answer = ""

    @override
    async def on_tool_call_done(self, tool_call: Any) -> None:
        self.calls.append(tool_call.function.arguments)

    @override
    async def on_text_delta(self, delta: Any, snapshot: Any) -> None:
        self.answer += delta.value

    @override
    async def on_event(self, event: Any) -> None:
        if event.event != "thread.run.requires_action":
            return
        required = event.data.required_action.submit_tool_outputs.tool_calls
        async with self.client.beta.threads.runs.submit_tool_outputs_stream(
            thread_id=event.data.thread_id,
            run_id=event.data.id,
            tool_outputs=[{"tool_call_id": call.id, "output": "sunny"} for call in required],
            event_handler=AsyncAssistantEventHandler(),
        ) as stream:
            async for text in stream.text_deltas:
                self.answer += text


async def converse(client: AsyncOpenAI, model: str, city: str) -> Handler:
    assistant = await client.beta.assistants.create(model=model, tools=[WEATHER])
    thread = await client.beta.threads.create(
        messages=[{"role": "user", "content": f"How is the weather in {city}?"}]
    )
    handler = Handler(client)
    async with client.beta.threads.runs.stream(
        thread_id=thread.id, assistant_id=assistant.id, event_handler=handler
    ) as stream:
        await stream.until_done()
    return handler


def test_five_conversations_at_once_do_not_disturb_each_other(
    base_url: str, api_key: str, model_server: ModelServer
) -> None:
    cities = ["Paris", "Rome", "Oslo", "Lima", "Bern"]
    models = [
        model_server.script(Calls(weather={"city": city}), Text("Sunny ", f"in {city}."))
        for city in cities
    ]

    async def all_at_once() -> list[Handler]:
        async with AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0) as client:
            conversations = [
                converse(client, model.name, city)
                for model, city in zip(models, cities, strict=True)
            ]
            return await asyncio.gather(*conversations)

    for city, handler in zip(cities, asyncio.run(all_at_once()), strict=True):
        assert handler.calls == [f'{{"city": "{city}"}}']
        assert handler.answer == f"Sunny in {city}."
