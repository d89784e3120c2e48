// What OpenAI's JavaScript SDK must be able to do through the gateway, as tests.
//
// They expect WITGATE_BASE_URL, WITGATE_API_KEY, WITGATE_MODEL and WITGATE_TOOL_MODEL in the environment, and a vendor behind the gateway
// that calls the first tool it is offered. `cargo xtask test` sets all that up.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import OpenAI from "openai";

const { WITGATE_BASE_URL: baseURL, WITGATE_API_KEY: apiKey, WITGATE_MODEL: model, WITGATE_TOOL_MODEL: toolModel } = process.env;
assert.ok(baseURL && apiKey && model && toolModel, "run these by `cargo xtask test`");

const connect = (changes = {}) => new OpenAI({ baseURL, apiKey, maxRetries: 0, timeout: 30_000, ...changes });
const client = connect();
const messages = [{ role: "user", content: "Say hello." }];
const tools = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false },
    },
  },
];

async function collect(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta?.content ?? "").join("");

describe("chat", () => {
  it("answers plainly, with usage and the model that was asked for", async () => {
    const answer = await client.chat.completions.create({ model, messages });
    assert.ok(answer.choices[0].message.content);
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.model, model);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
  });

  it("says the same in a stream, with usage at the end when asked for", async () => {
    const plain = await client.chat.completions.create({ model, messages });
    const options = { model, messages, stream: true, stream_options: { include_usage: true } };
    const chunks = await collect(await client.chat.completions.create(options));
    assert.equal(textOf(chunks), plain.choices[0].message.content);
    assert.ok(chunks.at(-1).usage.total_tokens > 0);
  });

  it("lets a stream be left early", async () => {
    const stream = await client.chat.completions.create({ model, messages, stream: true });
    for await (const chunk of stream) {
      assert.ok(chunk.id);
      break;
    }
    assert.ok((await client.chat.completions.create({ model, messages })).choices.length);
  });

  it("answers many at once", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => client.chat.completions.create({ model, messages })));
    assert.equal(new Set(answers.map((answer) => answer.choices[0].message.content)).size, 1);
  });
});

describe("tools", () => {
  const check = (call) => {
    assert.equal(call.function.name, "get_weather");
    assert.equal(typeof JSON.parse(call.function.arguments).city, "string");
  };

  it("are called in a plain answer", async () => {
    const answer = await client.chat.completions.create({ model: toolModel, messages, tools });
    assert.equal(answer.choices[0].finish_reason, "tool_calls");
    check(answer.choices[0].message.tool_calls[0]);
  });

  it("are called in a stream", async () => {
    const final = await client.chat.completions.stream({ model: toolModel, messages, tools }).finalChatCompletion();
    check(final.choices[0].message.tool_calls[0]);
  });
});

describe("models", () => {
  it("are listed and looked up", async () => {
    const ids = (await collect(await client.models.list())).map((row) => row.id);
    assert.ok(ids.includes(model));
    assert.equal((await client.models.retrieve(model)).id, model);
    await assert.rejects(client.models.retrieve("no-such-model"), OpenAI.NotFoundError);
  });
});

describe("faults are the SDK's own classes", () => {
  it("for a wrong key", async () => {
    const ask = connect({ apiKey: "sk-wrong" }).chat.completions.create({ model, messages });
    await assert.rejects(ask, (error) => error instanceof OpenAI.AuthenticationError && error.code === "invalid_api_key");
  });

  it("for an unknown model", async () => {
    const ask = client.chat.completions.create({ model: "no-such-model", messages });
    await assert.rejects(ask, (error) => error instanceof OpenAI.NotFoundError && error.code === "model_not_found");
  });
});

describe("the example", () => {
  it("prints the answer twice", () => {
    const printed = execFileSync(process.execPath, [fileURLToPath(new URL("chat.mjs", import.meta.url)), "Hello"], { encoding: "utf8" });
    const [whole, streamed] = printed.trimEnd().split("\n");
    assert.ok(whole);
    assert.equal(whole, streamed);
  });
});
