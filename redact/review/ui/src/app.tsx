// The page: who is signed in, which view is open, and what everything else says to the person in one place.

import { render } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { Api, ApiError, told } from "./api.ts";
import { ItemView } from "./item.tsx";
import { QueueView } from "./queue.tsx";
import type { Say } from "./say.ts";
import { address, isHeld, leave, useRoute } from "./router.ts";
import { begin, forget, type Session } from "./session.ts";

/** How long a message stays, in milliseconds; screen readers hear it at once. */
const SHOWN_MS = 9000;

/** How long signing out waits for the server. */
const PATIENCE_MS = 5000;

const UNTOLD =
  "The server did not hear of it: there the session lives on for up to eight hours. To end it now, stop redact review.";

type End = (words: string, warning?: string) => void;

function App({ session, end }: { session: Session; end: End }) {
  const route = useRoute();
  const [reached, setReached] = useState(true);
  const [message, setMessage] = useState<{ words: string; heard?: boolean }>({ words: "" });
  const ending = useRef(end);
  ending.current = end;
  /** Whoever signs out is not told by a late answer that the session is over. */
  const signingOut = useRef(false);
  const over = (): void => {
    if (signingOut.current) return;
    ending.current("Your session is over.", isHeld() ? "Your changes were not drawn; they are lost." : "");
  };
  const api = useMemo(() => new Api(session.key, { ended: over, reached: setReached }), [session.key]);
  useEffect(() => {
    if (message.words === "") return undefined;
    const timer = setTimeout(() => setMessage({ words: "" }), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [message]);
  const say: Say = (words, heard = false) => setMessage({ words, heard });
  const signOut = async (): Promise<void> => {
    // What is on the screen goes at once, whatever the server says.
    signingOut.current = true;
    end("Signing out");
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      await api.json("/api/session", { method: "DELETE", signal });
      end("You are signed out.");
    } catch (error) {
      const known = error instanceof ApiError && error.status === 401;
      end("You are signed out.", known ? "" : UNTOLD);
    }
  };
  return (
    <div class="app">
      <header class="top">
        <a class="home" href={address({ room: "review", item: "" })}>
          Review
        </a>
        <span class="quiet">on this machine only</span>
        <span class="gap" />
        <span>
          <span class="quiet">Reviewer</span> <code>{session.by}</code>
        </span>
        <button type="button" class="small" onClick={() => leave(() => void signOut())}>
          Sign out
        </button>
      </header>
      {!reached && (
        <p class="banner" role="alert">
          The review server does not answer; see whether it still runs. What you changed and did not draw is kept here
          until it answers again, but lost if it was stopped.
        </p>
      )}
      {route.item ? (
        <ItemView key={`${route.room} ${route.item}`} {...{ api, route, say }} />
      ) : (
        <QueueView key={route.room} api={api} room={route.room} say={say} />
      )}
      <p class={message.heard || !message.words ? "unseen" : "toast"} role="status">
        {message.words}
      </p>
    </div>
  );
}

function Ended({ words, warning }: { words: string; warning: string }) {
  return (
    <main class="middle">
      <h1>{words}</h1>
      {warning && (
        <p class="notice stop" role="alert">
          {warning}
        </p>
      )}
      <p>
        Each address opens the review once. For a new one press Enter where <code>redact review</code> runs (if there are
        several reviewers, type your code first), or start it again.
      </p>
    </main>
  );
}

function Root() {
  const [session, setSession] = useState<Session | null>(null);
  const [words, setWords] = useState("");
  const [warning, setWarning] = useState("");
  const end: End = (why, more = "") => {
    forget();
    setSession(null);
    setWords(why);
    setWarning(more);
  };
  useEffect(() => {
    begin()
      .then((made) => (made ? setSession(made) : setWords("You are not signed in.")))
      .catch((error: unknown) => end(told(error)));
  }, []);
  if (session) return <App session={session} end={end} />;
  return words ? <Ended {...{ words, warning }} /> : <main class="middle" aria-busy="true" />;
}

const root = document.getElementById("app");
if (root) render(<Root />, root);
