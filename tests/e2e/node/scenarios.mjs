// Conversations through the official Node SDK: `node scenarios.mjs NAME MODEL` prints what it saw as JSON.
// The endpoint comes from OPENAI_BASE_URL and OPENAI_API_KEY, which the SDK reads itself.
import OpenAI, { toFile } from "openai";

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

// Everything that one AssistantStream emits to its listeners.
async function watch(stream) {
  const seen = { events: [], text: "", calls: [], messages: [], steps: [] };
  stream
    .on("event", ({ event }) => seen.events.push(event))
    .on("textDelta", (delta) => (seen.text += delta.value))
    .on("toolCallDone", (call) => seen.calls.push(call.function?.arguments))
    .on("messageDone", (message) => seen.messages.push(message.status))
    .on("runStepDone", (step) => seen.steps.push([step.type, step.status]));
  const run = await stream.finalRun();
  return { run, seen: { ...seen, status: run.status } };
}

// A CSV goes in, a plot and a cleaned CSV come out, and a second run knows the first one's variables.
async function executed(model, runOnce) {
  const csv = await toFile(Buffer.from("day,sold\n1,10\n2,\n3,30\n"), "sales.csv");
  const file = await client.files.create({ file: csv, purpose: "assistants" });
  const tools = [{ type: "code_interpreter" }];
  const resources = { code_interpreter: { file_ids: [file.id] } };
  const assistant = await assistants.create({ model, tools, tool_resources: resources });
  const thread = await threads.create({ messages: [{ role: "user", content: "Clean it." }] });
  const first = await runOnce(thread.id, assistant.id);
  const [message] = (await threads.messages.list(thread.id, { limit: 1 })).data;
  const [image, spoken] = message.content;
  const [annotation] = spoken.text.annotations;
  const png = await (await client.files.content(image.image_file.file_id)).arrayBuffer();
  const cleaned = await (await client.files.content(annotation.file_path.file_id)).text();
  const second = await runOnce(thread.id, assistant.id);
  const [step] = (await threads.runs.steps.list(second.run.id, { thread_id: thread.id, order: "asc" })).data;
  return {
    statuses: [first.run.status, second.run.status],
    streamed: first.streamed,
    types: message.content.map(({ type }) => type),
    png: Buffer.from(png.slice(1, 4)).toString(),
    cleaned,
    annotation,
    value: spoken.text.value,
    outputs: step.step_details.tool_calls[0].code_interpreter.outputs,
  };
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

  async codeInterpreterStream(model) {
    return executed(model, async (thread_id, assistant_id) => {
      const stream = threads.runs.stream(thread_id, { assistant_id });
      const annotated = [];
      stream.on("textDelta", ({ annotations }) => annotated.push(...(annotations ?? [])));
      const outputs = [];
      stream.on("toolCallDelta", ({ code_interpreter }) =>
        outputs.push(...(code_interpreter?.outputs ?? []).map(({ type }) => type)),
      );
      const { run } = await watch(stream);
      return { run, streamed: { annotations: annotated.length, outputs } };
    });
  },

  async codeInterpreterPolled(model) {
    return executed(model, async (thread_id, assistant_id) => ({
      run: await threads.runs.createAndPoll(thread_id, { assistant_id }),
    }));
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
