// A chat through the gateway with OpenAI's own SDK, first whole, then as a stream.
//
//   npm ci
//   export WITGATE_API_KEY=sk-...
//   node chat.mjs "Why is the sky blue?"
import OpenAI from "openai";

const client = new OpenAI({
  baseURL: process.env.WITGATE_BASE_URL ?? "http://127.0.0.1:3000/v1",
  apiKey: process.env.WITGATE_API_KEY,
});
const model = process.env.WITGATE_MODEL ?? "echo";
const messages = [{ role: "user", content: process.argv.slice(2).join(" ") || "Hello!" }];

const answer = await client.chat.completions.create({ model, messages });
console.log(answer.choices[0].message.content);

for await (const chunk of await client.chat.completions.create({ model, messages, stream: true })) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}
process.stdout.write("\n");
