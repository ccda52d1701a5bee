// The session: the one-time token leaves the address before anything else happens, and the key that it is traded for
// lives in this tab's sessionStorage only.

import { open } from "./api.ts";

const KEY = "redact-session";
const BY = "redact-by";

export interface Session {
  readonly key: string;
  readonly by: string;
}

/** The token of the address, which is removed from it. Pages of the app have addresses that begin with `#/`. */
export function takeToken(): string {
  const token = location.hash.replace(/^#/, "");
  if (token === "" || token.startsWith("/")) return "";
  history.replaceState(null, "", location.pathname);
  return token;
}

/** The session of this tab: of the token if there is one, else the one it had. Null if there is none. */
export async function begin(): Promise<Session | null> {
  const token = takeToken();
  if (token === "") return kept();
  forget();
  const { session, by } = await open(token);
  sessionStorage.setItem(KEY, session);
  sessionStorage.setItem(BY, by);
  return { key: session, by };
}

function kept(): Session | null {
  const key = sessionStorage.getItem(KEY);
  return key ? { key, by: sessionStorage.getItem(BY) ?? "" } : null;
}

export function forget(): void {
  sessionStorage.removeItem(KEY);
  sessionStorage.removeItem(BY);
}
