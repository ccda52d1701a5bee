// The only place that talks to the server. Every request carries the session's key; every failure is an `ApiError`
// whose message can be shown as it is. Nothing is kept: answers are never cached.

export class ApiError extends Error {
  /** `status` is the HTTP status, 0 if the server could not be reached; `word` the contract's error word. */
  constructor(
    readonly status: number,
    readonly word: string,
    message: string,
  ) {
    super(message);
  }
}

const UNREACHABLE = "The review server does not answer. See whether it still runs, then try again.";
const POLL_MS = 300;

export interface ApiEvents {
  /** The session is over: nothing can be asked any more. */
  ended: () => void;
  /** Whether the last request reached the server. */
  reached: (reached: boolean) => void;
}

export class Api {
  private sent = 0;
  private lost = 0;

  constructor(
    private readonly key: string,
    private readonly events: ApiEvents,
  ) {}

  async json<T>(path: string, init: { method?: string; body?: unknown; signal?: AbortSignal } = {}): Promise<T> {
    const response = await this.send(path, init);
    return (response.status === 204 ? null : await response.json()) as T;
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.json<T>(path, { method: "POST", body });
  }

  async picture(path: string, options: { original?: boolean; signal?: AbortSignal } = {}): Promise<Blob> {
    const response = await this.send(path, options);
    return response.blob();
  }

  /**
   * Polls a job until it ends. Aborting `signal` asks the server to stop it; what then counts is how it did end: a
   * stop that comes too late changes nothing any more, and the result is given.
   */
  async job<Result>(id: string, signal: AbortSignal, watch: (job: import("./types.ts").Job<Result>) => void) {
    const path = `/api/jobs/${encodeURIComponent(id)}`;
    for (let asked = false; ; ) {
      const job = await this.json<import("./types.ts").Job<Result>>(path);
      watch(job);
      if (job.state === "failed" && asked && job.error === "stopped") throw new DOMException("Stopped", "AbortError");
      if (job.state === "failed") throw new ApiError(job.error === "changed" ? 409 : 500, job.error, job.message);
      if (job.state === "done" && job.result !== null) return job.result;
      if (signal.aborted && !asked) {
        asked = true;
        await this.json(path, { method: "DELETE" });
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  private async send(
    path: string,
    { method = "GET", body, original, signal }: {
      method?: string;
      body?: unknown;
      original?: boolean;
      signal?: AbortSignal;
    },
  ): Promise<Response> {
    const number = ++this.sent;
    const headers: Record<string, string> = { Authorization: `Bearer ${this.key}` };
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (original) headers["Redact-Show"] = "original";
    const response = await reach(path, {
      method,
      headers,
      cache: "no-store",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    }).catch((error: unknown) => {
      if (error instanceof ApiError) {
        this.lost = this.sent;
        this.events.reached(false);
      }
      throw error;
    });
    // An answer to what was asked before the server was lost does not say that it is back.
    if (number > this.lost) this.events.reached(true);
    if (response.ok) return response;
    const error = await refusal(response);
    if (response.status === 401) this.events.ended();
    throw error;
  }
}

async function reach(path: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "unreachable", UNREACHABLE);
  }
}

async function refusal(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as { error?: string; message?: string };
  const message = body.message ?? "The server could not do this. Try again.";
  return new ApiError(response.status, body.error ?? "error", message);
}

/** Trades the one-time token of the address for a session. */
export async function open(token: string): Promise<{ session: string; by: string }> {
  const response = await reach("/api/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
    cache: "no-store",
    credentials: "omit",
  });
  if (!response.ok) throw await refusal(response);
  return (await response.json()) as { session: string; by: string };
}

/** What went wrong, for a person. */
export function told(error: unknown): string {
  return error instanceof ApiError ? error.message : "Something went wrong on this page. Load it again.";
}

export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
