// Conversations through the official Node SDK: `node scenarios.mjs NAME MODEL` prints what it saw as JSON.
// The endpoint comes from OPENAI_BASE_URL and OPENAI_API_KEY, which the SDK reads itself.
import OpenAI from "openai";

const client = new OpenAI({ maxRetries: 0 });
const { assistants, threads } = client.beta;
const weather = { type: "function", function: { name: "weather" } };

async function start(model) {
  const assistant = await assistants.create({ model, tools: [weather] });
  const thread = await threads.create({ messages: [{ role: "user", content: "Hello" }] });
  return { assistant, thread };
}

function outputsFor(run) {
  const calls = run.required_action.submit_tool_outputs.tool_calls;
  return calls.map((call) => ({
    tool_call_id: call.id,
    output: `sunny in ${JSON.parse(call.function.arguments).city}`,
  }));
}

// Everything that one AssistantStream tells its listeners.
async function watch(stream) {
  const seen = { events: [], text: "", calls: [], messages: [], steps: [] };
  stream
    .on("event", ({ event }) => seen.events.push(event))
    .on("textDelta", (delta) => (seen.text += delta.value))
    .on("toolCallDone", (call) => seen.calls.push(call.function.arguments))
    .on("messageDone", (message) => seen.messages.push(message.status))
    .on("runStepDone", (step) => seen.steps.push([step.type, step.status]));
  const run = await stream.finalRun();
  return { run, seen: { ...seen, status: run.status } };
}

const scenarios = {
  async stream(model) {
    const { assistant, thread } = await start(model);
    const { seen } = await watch(threads.runs.stream(thread.id, { assistant_id: assistant.id }));
    return seen;
  },

  async createAndRunStream(model) {
    const { assistant } = await start(model);
    const thread = { messages: [{ role: "user", content: "Hello" }] };
    const { seen } = await watch(threads.createAndRunStream({ assistant_id: assistant.id, thread }));
    return seen;
  },

  async streamUntilAnswered(model) {
    const { assistant, thread } = await start(model);
    const parts = [];
    let { run, seen } = await watch(threads.runs.stream(thread.id, { assistant_id: assistant.id }));
    parts.push(seen);
    while (run.status === "requires_action") {
      const body = { thread_id: thread.id, tool_outputs: outputsFor(run) };
      ({ run, seen } = await watch(threads.runs.submitToolOutputsStream(run.id, body)));
      parts.push(seen);
    }
    return parts;
  },

  async pollUntilAnswered(model) {
    const { assistant, thread } = await start(model);
    let run = await threads.runs.createAndPoll(thread.id, { assistant_id: assistant.id });
    while (run.status === "requires_action") {
      const body = { thread_id: thread.id, tool_outputs: outputsFor(run) };
      run = await threads.runs.submitToolOutputsAndPoll(run.id, body);
    }
    const messages = [];
    for await (const message of threads.messages.list(thread.id, { limit: 1, order: "asc" }))
      messages.push([message.role, message.content[0].text.value]);
    return { status: run.status, messages };
  },

  async unknownAssistant() {
    try {
      await assistants.retrieve("asst_unknown");
    } catch (error) {
      const { status, error: body, requestID } = error;
      return { type: error.constructor.name, status, body, traced: Boolean(requestID) };
    }
  },
};

const [name, model] = process.argv.slice(2);
console.log(JSON.stringify(await scenarios[name](model)));
