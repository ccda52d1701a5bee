import assert from "node:assert/strict";
import { test } from "node:test";
import { Api, ApiError, isAbort } from "../src/api.ts";

const RUNNING = { state: "running", stage: "gate", done: 0, total: 0, result: null, error: "", message: "" };
const STOPPED = { ...RUNNING, state: "failed", error: "stopped", message: "It was stopped." };
const DONE = { ...RUNNING, state: "done", result: { outcome: "published" } };

/** Has the server say these states, one after the other, once it was asked to stop. Gives what it was asked. */
async function stopped(...states: object[]): Promise<{ asked: string[]; result: unknown; error: unknown }> {
  const [fetched, timeout] = [globalThis.fetch, globalThis.setTimeout];
  const asked: string[] = [];
  globalThis.setTimeout = ((then: () => void) => queueMicrotask(then)) as unknown as typeof setTimeout;
  globalThis.fetch = (async (_: unknown, { method }: RequestInit) => {
    asked.push(method ?? "");
    const state = asked.includes("DELETE") ? states.shift() : RUNNING;
    return method === "DELETE" ? (states.unshift(state as object), new Response(null, { status: 204 })) : Response.json(state);
  }) as typeof fetch;
  const stop = new AbortController();
  const api = new Api("key", { ended: () => undefined, reached: () => undefined });
  try {
    const result = await api.job("1", stop.signal, () => stop.abort());
    return { asked, result, error: null };
  } catch (error) {
    return { asked, result: null, error };
  } finally {
    [globalThis.fetch, globalThis.setTimeout] = [fetched, timeout];
  }
}

test("a job that was stopped in time is told so, and asked to stop once", async () => {
  const { asked, error } = await stopped(RUNNING, RUNNING, STOPPED);
  assert.ok(isAbort(error));
  assert.deepEqual(asked, ["GET", "DELETE", "GET", "GET", "GET"]);
});

test("a stop that comes too late does not hide that the file was published", async () => {
  const { result } = await stopped(RUNNING, DONE);
  assert.deepEqual(result, { outcome: "published" });
});

test("a job that fails while it is stopped says why", async () => {
  const { error } = await stopped({ ...STOPPED, error: "damaged", message: "It does not decode." });
  assert.ok(error instanceof ApiError && error.message === "It does not decode.");
});
