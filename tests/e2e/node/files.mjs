// Files through the official Node SDK: `node files.mjs SCENARIO PATH` prints what it saw as JSON.
// The endpoint comes from OPENAI_BASE_URL and OPENAI_API_KEY, which the SDK reads itself.
import { createHash } from "node:crypto";
import fs from "node:fs";
import OpenAI from "openai";
import { largeFiles } from "../../../examples/large_files/largeFiles.mjs";

const expires_after = { anchor: "created_at", seconds: 3600 };

// What it holds; then it is gone, as every endpoint is left as it was found.
async function contentOf(client, id) {
  const content = Buffer.from(await (await client.files.content(id)).arrayBuffer());
  const { deleted } = await client.files.delete(id);
  return { bytes: content.length, sha256: createHash("sha256").update(content).digest("hex"), deleted };
}

async function throughAdapter(file) {
  const progress = [];
  const fetch = largeFiles({ onProgress: (sent, size) => progress.push([sent, size]) });
  const client = new OpenAI({ maxRetries: 0, fetch });
  const created = await client.files.create({ file, purpose: "vision", expires_after });
  return { created, content: await contentOf(client, created.id), last: progress.at(-1) };
}

const scenarios = {
  async create(path) {
    const client = new OpenAI({ maxRetries: 0 });
    const file = fs.createReadStream(path);
    const created = await client.files.create({ file, purpose: "vision", expires_after });
    const listed = [];
    for await (const one of client.files.list({ purpose: "vision" })) listed.push(one.id);
    return { created, content: await contentOf(client, created.id), listed };
  },

  async upload(path) {
    const client = new OpenAI({ maxRetries: 0 });
    const content = fs.readFileSync(path);
    const upload = await client.uploads.create({
      filename: "large.bin",
      purpose: "vision",
      bytes: content.length,
      mime_type: "application/octet-stream",
    });
    const part_ids = [];
    for (let at = 0; at < content.length; at += 4_000_000) {
      const data = new Blob([content.subarray(at, at + 4_000_000)]);
      part_ids.push((await client.uploads.parts.create(upload.id, { data })).id);
    }
    const md5 = createHash("md5").update(content).digest("hex");
    const completed = await client.uploads.complete(upload.id, { part_ids, md5 });
    return { status: completed.status, content: await contentOf(client, completed.file.id) };
  },

  async blobThroughAdapter(path) {
    return throughAdapter(new File([await fs.openAsBlob(path)], "blob.bin"));
  },

  async streamThroughAdapter(path) {
    return throughAdapter(fs.createReadStream(path));
  },

  async tooLarge(path) {
    const client = new OpenAI({ maxRetries: 0 });
    try {
      await client.files.create({ file: fs.createReadStream(path), purpose: "vision" });
    } catch ({ status, error }) {
      return { status, message: error.message };
    }
  },
};

const [name, path] = process.argv.slice(2);
console.log(JSON.stringify(await scenarios[name](path)));
