"""What OpenAI's Python SDK must be able to do through the gateway, as tests.

They expect WITGATE_BASE_URL, WITGATE_API_KEY, WITGATE_MODEL and WITGATE_TOOL_MODEL in the environment, and a vendor behind the gateway
that calls the first tool it is offered. `cargo xtask test` sets all that up.
"""

import asyncio
import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

import openai

BASE_URL = os.environ["WITGATE_BASE_URL"]
API_KEY = os.environ["WITGATE_API_KEY"]
MODEL = os.environ["WITGATE_MODEL"]
TOOL_MODEL = os.environ["WITGATE_TOOL_MODEL"]

MESSAGES = [{"role": "user", "content": "Say hello."}]
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "The weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
]


def client(**changes):
    return openai.OpenAI(**{"base_url": BASE_URL, "api_key": API_KEY, "max_retries": 0, "timeout": 30, **changes})


def text_of(chunks):
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


class Chat(unittest.TestCase):
    def test_a_plain_answer_has_text_usage_and_the_name_that_was_asked_for(self):
        answer = client().chat.completions.create(model=MODEL, messages=MESSAGES)
        self.assertTrue(answer.choices[0].message.content)
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.model, MODEL)
        self.assertGreater(answer.usage.prompt_tokens, 0)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_every_answer_has_a_request_id(self):
        raw = client().chat.completions.with_raw_response.create(model=MODEL, messages=MESSAGES)
        self.assertTrue(raw.headers.get("x-request-id"))

    def test_a_stream_says_the_same_as_a_plain_answer(self):
        plain = client().chat.completions.create(model=MODEL, messages=MESSAGES)
        chunks = list(client().chat.completions.create(model=MODEL, messages=MESSAGES, stream=True))
        self.assertGreater(len(chunks), 1)
        self.assertEqual(text_of(chunks), plain.choices[0].message.content)
        reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices if choice.finish_reason]
        self.assertEqual(reasons, ["stop"])
        self.assertEqual({chunk.model for chunk in chunks}, {MODEL})

    def test_usage_comes_in_a_stream_when_asked_for_and_only_then(self):
        ask = {"model": MODEL, "messages": MESSAGES, "stream": True}
        without = list(client().chat.completions.create(**ask))
        self.assertEqual([chunk.usage for chunk in without if chunk.usage], [])
        chunks = list(client().chat.completions.create(**ask, stream_options={"include_usage": True}))
        self.assertEqual(chunks[-1].choices, [])
        self.assertGreater(chunks[-1].usage.total_tokens, 0)

    def test_a_stream_can_be_left_early(self):
        with client().chat.completions.create(model=MODEL, messages=MESSAGES, stream=True) as stream:
            next(iter(stream))
        self.assertTrue(client().chat.completions.create(model=MODEL, messages=MESSAGES).choices)

    def test_many_at_once_with_the_async_client(self):
        async def ask():
            async with openai.AsyncOpenAI(base_url=BASE_URL, api_key=API_KEY, max_retries=0) as many:
                plain = [many.chat.completions.create(model=MODEL, messages=MESSAGES) for _ in range(8)]
                answers = await asyncio.gather(*plain)
                stream = await many.chat.completions.create(model=MODEL, messages=MESSAGES, stream=True)
                return answers, [chunk async for chunk in stream]

        answers, chunks = asyncio.run(ask())
        texts = {answer.choices[0].message.content for answer in answers} | {text_of(chunks)}
        self.assertEqual(len(texts), 1)


class Tools(unittest.TestCase):
    def check(self, call):
        self.assertEqual(call["name"], "get_weather")
        self.assertIsInstance(json.loads(call["arguments"])["city"], str)
        self.assertTrue(call["id"])

    def test_a_tool_is_called_and_its_result_is_understood(self):
        answer = client().chat.completions.create(model=TOOL_MODEL, messages=MESSAGES, tools=TOOLS)
        self.assertEqual(answer.choices[0].finish_reason, "tool_calls")
        message = answer.choices[0].message
        call = message.tool_calls[0]
        self.check({"id": call.id, "name": call.function.name, "arguments": call.function.arguments})

        result = {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "blue"}'}
        turns = [*MESSAGES, message.model_dump(exclude_none=True), result]
        final = client().chat.completions.create(model=TOOL_MODEL, messages=turns, tools=TOOLS)
        self.assertTrue(final.choices[0].message.content)

    def test_a_streamed_tool_call_comes_together(self):
        with client().chat.completions.stream(model=TOOL_MODEL, messages=MESSAGES, tools=TOOLS) as stream:
            completion = stream.get_final_completion()
        call = completion.choices[0].message.tool_calls[0]
        self.check({"id": call.id, "name": call.function.name, "arguments": call.function.arguments})


class Models(unittest.TestCase):
    def test_the_list_has_what_the_key_may_call(self):
        rows = {row.id: row for row in client().models.list()}
        self.assertIn(MODEL, rows)
        self.assertTrue(rows[MODEL].owned_by)

    def test_one_model_can_be_looked_up(self):
        self.assertEqual(client().models.retrieve(MODEL).id, MODEL)
        with self.assertRaises(openai.NotFoundError):
            client().models.retrieve("no-such-model")


class Faults(unittest.TestCase):
    """The SDK raises by status and reads `code` and `param` from the body: both must be right."""

    def test_a_wrong_key(self):
        with self.assertRaises(openai.AuthenticationError) as caught:
            client(api_key="sk-wrong").chat.completions.create(model=MODEL, messages=MESSAGES)
        self.assertEqual(caught.exception.code, "invalid_api_key")

    def test_an_unknown_model(self):
        for stream in (False, True):
            with self.assertRaises(openai.NotFoundError) as caught:
                client().chat.completions.create(model="no-such-model", messages=MESSAGES, stream=stream)
            self.assertEqual(caught.exception.code, "model_not_found")
            self.assertEqual(caught.exception.type, "invalid_request_error")

    def test_a_missing_model(self):
        with self.assertRaises(openai.BadRequestError):
            client().chat.completions.create(model="", messages=MESSAGES)

    def test_what_is_not_offered_yet_says_so(self):
        with self.assertRaises(openai.APIStatusError) as caught:
            client().fine_tuning.jobs.list()
        self.assertEqual(caught.exception.status_code, 501)
        self.assertTrue(caught.exception.body["message"])


class LangChain(unittest.TestCase):
    def setUp(self):
        from langchain_openai import ChatOpenAI

        make = lambda model: ChatOpenAI(base_url=BASE_URL, api_key=API_KEY, model=model, max_retries=0)
        self.llm, self.with_tools = make(MODEL), make(TOOL_MODEL)

    def test_invoke_and_stream_say_the_same(self):
        whole = self.llm.invoke("Say hello.")
        parts = list(self.llm.stream("Say hello."))
        self.assertTrue(whole.text)
        self.assertEqual("".join(part.text for part in parts), whole.text)
        self.assertGreater(whole.usage_metadata["total_tokens"], 0)

    def test_a_bound_tool_is_called(self):
        answer = self.with_tools.bind_tools(TOOLS).invoke("How is the weather in Paris?")
        self.assertEqual(answer.tool_calls[0]["name"], "get_weather")
        self.assertIn("city", answer.tool_calls[0]["args"])


class Examples(unittest.TestCase):
    """The scripts beside this file, as a reader would run them."""

    def run_script(self, name):
        script = Path(__file__).parent / name
        done = subprocess.run([sys.executable, script, "Hello"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_chat(self):
        whole, streamed = self.run_script("chat.py").splitlines()
        self.assertTrue(whole)
        self.assertEqual(whole, streamed)

    def test_chat_langchain(self):
        self.assertTrue(self.run_script("chat_langchain.py").strip())


if __name__ == "__main__":
    unittest.main()
