// A `fetch` for the OpenAI SDK that sends large files straight to S3:
//
//   const client = new OpenAI({ fetch: largeFiles({ onProgress: (sent, size) => console.log(sent, size) }) });
//   await client.files.create({ file: await fs.openAsBlob("large.pdf"), purpose: "assistants" });
//
// A request to the API may carry about 4.4 MB of a file. With this fetch `files.create` takes up to 5 GB: it
// silently becomes an upload with one part, whose bytes go to a URL of S3. A Blob or File is read as it
// is sent (`fs.openAsBlob` leaves it on disk); a stream is read into memory first, as its size must be known.

export const THRESHOLD = 4_000_000; // bytes of a file that is sent as ever

const OF_THE_FORM = ["content-length", "content-type", "transfer-encoding"];

export function largeFiles({ threshold = THRESHOLD, onProgress, fetch = globalThis.fetch } = {}) {
  return async function (url, init = {}) {
    if (init.method?.toUpperCase() !== "POST" || !new URL(url).pathname.endsWith("/files") || !init.body)
      return fetch(url, init);
    const form = await formOf(init);
    const file = form?.get("file");
    if (!(file instanceof Blob)) return fetch(url, form ? { ...withoutForm(init), body: form } : init);
    if (file.size <= threshold) return fetch(url, { ...withoutForm(init), body: form });
    return sendStraight(fetch, new URL(url), init, form, file, onProgress);
  };
}

async function sendStraight(fetch, url, init, form, file, onProgress) {
  const call = (path, body) => {
    const headers = withoutForm(init).headers;
    headers.set("content-type", "application/json");
    const there = new URL(url);
    there.pathname = url.pathname.replace(/\/files$/, path);
    return fetch(there, { method: "POST", headers, body: JSON.stringify(body), signal: init.signal });
  };
  const described = { filename: file.name ?? "upload", bytes: file.size, mime_type: file.type || "application/octet-stream" };
  const created = await call("/uploads", { ...described, ...membersOf(form) });
  if (!created.ok) return created;
  const upload = `/uploads/${(await created.json()).id}`;
  let part;
  try {
    const answer = await call(`${upload}/direct_parts`, {});
    if (!answer.ok) return answer;
    part = await answer.json();
    await put(fetch, part.url, file, onProgress, init.signal);
  } catch (error) {
    // The SDK tries again, with another upload.
    await call(`${upload}/cancel`, {});
    throw error;
  }
  const completed = await call(`${upload}/complete`, { part_ids: [part.id] });
  if (!completed.ok) return completed;
  const headers = withoutForm(completed).headers;
  headers.set("content-type", "application/json");
  return new Response(JSON.stringify((await completed.json()).file), { headers });
}

async function put(fetch, url, file, onProgress, signal) {
  let sent = 0;
  const counted = new TransformStream({
    transform(chunk, controller) {
      controller.enqueue(chunk);
      onProgress?.((sent += chunk.byteLength), file.size);
    },
  });
  const headers = { "content-length": String(file.size) };
  const body = file.stream().pipeThrough(counted);
  const answer = await fetch(url, { method: "PUT", headers, body, duplex: "half", signal });
  if (!answer.ok) throw new Error(`S3 answered ${answer.status}: ${(await answer.text()).slice(0, 500)}`);
}

// The SDK sends a FormData, or, of a file that is a stream, the encoded form as a stream.
async function formOf({ body, headers }) {
  if (body instanceof FormData) return body;
  const type = new Headers(headers).get("content-type") ?? "";
  return type.startsWith("multipart/form-data") ? new Response(body, { headers: { "content-type": type } }).formData() : undefined;
}

function withoutForm({ headers, ...init }) {
  const kept = new Headers(headers);
  for (const name of OF_THE_FORM) kept.delete(name);
  return { ...init, headers: kept };
}

// `expires_after[seconds]` as the JSON that it means.
function membersOf(form) {
  const members = {};
  for (const [name, value] of form) {
    const [, outer, inner] = name.match(/^(\w+)(?:\[(\w+)\])?$/) ?? [undefined, name];
    if (name === "file") continue;
    if (inner) members[outer] = { ...members[outer], [inner]: inner === "seconds" ? Number(value) : value };
    else members[outer] = value;
  }
  return members;
}
