// Recorded streams through AssistantStream: `node recorded.mjs FILE` reads [{name, body}] and prints
// what the SDK made of each as JSON.
import { readFile } from "node:fs/promises";
import OpenAI from "openai";

const headers = { "content-type": "text/event-stream" };

async function read({ name, body }) {
  const fetch = async () => new Response(body, { headers });
  const client = new OpenAI({ apiKey: "sk-recorded", fetch, maxRetries: 0 });
  const stream = client.beta.threads.runs.stream("thread_1", { assistant_id: "asst_1" });
  try {
    const run = await stream.finalRun();
    const steps = await stream.finalRunSteps();
    const messages = await stream.finalMessages();
    return { name, status: run.status, steps: steps.length, messages: messages.length };
  } catch (error) {
    return { name, error: String(error) };
  }
}

const recorded = JSON.parse(await readFile(process.argv[2], "utf8"));
console.log(JSON.stringify(await Promise.all(recorded.map(read))));
