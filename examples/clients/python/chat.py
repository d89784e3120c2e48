"""A chat through the gateway with OpenAI's own SDK, first whole, then as a stream.

    pip install openai
    export WITGATE_API_KEY=sk-...
    python chat.py "Why is the sky blue?"
"""

import os
import sys

from openai import OpenAI

client = OpenAI(
    base_url=os.environ.get("WITGATE_BASE_URL", "http://127.0.0.1:3000/v1"),
    api_key=os.environ["WITGATE_API_KEY"],
)
model = os.environ.get("WITGATE_MODEL", "echo")
messages = [{"role": "user", "content": " ".join(sys.argv[1:]) or "Hello!"}]

answer = client.chat.completions.create(model=model, messages=messages)
print(answer.choices[0].message.content)

for chunk in client.chat.completions.create(model=model, messages=messages, stream=True):
    for choice in chunk.choices:
        print(choice.delta.content or "", end="", flush=True)
print()
