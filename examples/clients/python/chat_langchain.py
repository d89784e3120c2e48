"""The same chat with LangChain: only the base URL and the key say that a gateway answers.

    pip install langchain-openai
    export WITGATE_API_KEY=sk-...
    python chat_langchain.py "Why is the sky blue?"
"""

import os
import sys

from langchain_openai import ChatOpenAI

llm = ChatOpenAI(
    base_url=os.environ.get("WITGATE_BASE_URL", "http://127.0.0.1:3000/v1"),
    api_key=os.environ["WITGATE_API_KEY"],
    model=os.environ.get("WITGATE_MODEL", "echo"),
)

for chunk in llm.stream(" ".join(sys.argv[1:]) or "Hello!"):
    print(chunk.text, end="", flush=True)
print()
