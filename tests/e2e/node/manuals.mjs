// File search through the official Node SDK: `node manuals.mjs MODEL QUESTION FILE...` prints what it saw.
// The endpoint comes from OPENAI_BASE_URL and OPENAI_API_KEY, which the SDK reads itself.
import fs from "node:fs";
import OpenAI from "openai";

const [model, question, ...paths] = process.argv.slice(2);
const client = new OpenAI({ maxRetries: 0 });

const store = await client.vectorStores.create({ name: "Manuals" });
const files = paths.map((path) => fs.createReadStream(path));
const batch = await client.vectorStores.fileBatches.uploadAndPoll(
  store.id,
  { files },
  { pollIntervalMs: 200 },
);
const assistant = await client.beta.assistants.create({
  model,
  tools: [{ type: "file_search" }],
  tool_resources: { file_search: { vector_store_ids: [store.id] } },
});
const thread = await client.beta.threads.create({ messages: [{ role: "user", content: question }] });

let text = "";
const stream = client.beta.threads.runs.stream(thread.id, { assistant_id: assistant.id });
stream.on("textDelta", (delta) => (text += delta.value ?? ""));
const [message] = await stream.finalMessages();
const { value, annotations } = message.content[0].text;

const citations = [];
for (const { type, text, start_index, end_index, file_citation } of annotations) {
  const characters = Array.from(value); // offsets count characters, where JavaScript counts halves
  const page = await client.vectorStores.files.content(file_citation.file_id, {
    vector_store_id: store.id,
  });
  const { filename } = await client.files.retrieve(file_citation.file_id);
  const placed = characters.slice(start_index, end_index).join("") === text;
  citations.push({ type, filename, placed, quoted: page.data[0].text.includes(file_citation.quote) });
}
const found = await client.vectorStores.search(store.id, { query: question, max_num_results: 1 });
const ids = [];
for await (const file of client.vectorStores.files.list(store.id)) ids.push(file.id);
await client.beta.threads.delete(thread.id);
await client.beta.assistants.delete(assistant.id);
const { deleted } = await client.vectorStores.delete(store.id);
for (const id of ids) await client.files.delete(id);

const best = found.data[0].filename;
console.log(JSON.stringify({ counts: batch.file_counts, text, value, citations, best, deleted }));
