// Approving and rejecting. An item that was edited is drawn and checked again; one that was not needs a typed reason
// for every finding that is let pass.

import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, isAbort, told, type Api } from "./api.ts";
import type { Change } from "./changes.ts";
import { Dialog, Working } from "./dialog.tsx";
import { useLive } from "./live.ts";
import type { Say } from "./say.ts";
import type { Approvals, Drawn, Item, Job } from "./types.ts";

const SHORTEST = 3;
const LONGEST = 200;

export interface Outcome {
  words: string;
  /** True if the item has left its room: go on with the next. */
  settled: boolean;
}

interface Common {
  api: Api;
  item: Item;
  close: () => void;
  done: (outcome: Outcome) => void;
  /** The item is no longer what lies there. */
  changed: (words: string) => void;
  say: Say;
}

/**
 * Sends a decision; says what went wrong in the dialog, except that the item changed meanwhile. A decision cannot be
 * taken back on its way: until the answer comes its dialog stays, and then until the page has moved on.
 */
function useSend({ changed, say }: Common): { wrong: string; busy: boolean; send: (ask: () => Promise<void>) => void } {
  const [wrong, setWrong] = useState("");
  const [busy, setBusy] = useState(false);
  const live = useLive();
  const send = (ask: () => Promise<void>): void => {
    setBusy(true);
    setWrong("");
    ask()
      .catch((error: unknown) => {
        setBusy(false);
        if (error instanceof ApiError && error.status === 409) changed(error.message);
        else if (isAbort(error)) return;
        else if (live.current) setWrong(told(error));
        else say(told(error));
      });
  };
  return { wrong, busy, send };
}

export function Accept(props: Common) {
  const { api, item, close, done } = props;
  const findings = item.findings.filter(({ needs_reason }) => needs_reason ?? true);
  const [reasons, setReasons] = useState<Record<number, string>>({});
  const { wrong, busy, send } = useSend(props);
  const ready = findings.every(({ index }) => (reasons[index] ?? "").trim().length >= SHORTEST);
  const first = reasons[findings[0]?.index ?? -1] ?? "";

  const accept = async (): Promise<void> => {
    const body = { sha256: item.sha256, reasons: trimmed(reasons) };
    const answer = await api.post<{ outcome: string; approvals: Approvals }>(`/api/items/${item.item}/accept`, body);
    const settled = answer.outcome === "published";
    const waits = `Approved. It waits for a second person: ${answer.approvals.given.length} of ${answer.approvals.needed}.`;
    done({ words: settled ? "Approved and published." : waits, settled });
  };
  return (
    <Dialog title="Approve" close={busy ? undefined : close} wide>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready && !busy) send(accept);
        }}
      >
        {findings.length === 0 && <p>Nothing was found that needs a reason. Approve it as you see it?</p>}
        {findings.length > 0 && <p>Say for each finding why it may pass. Write no names: the reason goes into the record.</p>}
        {findings.map(({ index, words }) => (
          <p class="reason" key={index}>
            <label for={`reason-${index}`}>
              {index + 1}. {words}
            </label>
            <input
              id={`reason-${index}`}
              type="text"
              required
              minLength={SHORTEST}
              maxLength={LONGEST}
              autocomplete="off"
              value={reasons[index] ?? ""}
              onInput={(event) => setReasons({ ...reasons, [index]: event.currentTarget.value })}
            />
          </p>
        ))}
        {findings.length > 1 && (
          <button
            type="button"
            class="small"
            disabled={first.trim().length < SHORTEST}
            onClick={() => setReasons(Object.fromEntries(findings.map(({ index }) => [index, first])))}
          >
            Use the first reason for all
          </button>
        )}
        <Wrong words={wrong} />
        <Buttons yes="Approve" tone="primary" {...{ busy, close }} off={!ready} />
      </form>
    </Dialog>
  );
}

function trimmed(reasons: Record<number, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(reasons).map(([index, reason]) => [index, reason.trim()]));
}

export function Draw(props: Common & { edits: object; list: readonly Change[] }) {
  const { api, item, list, edits, close, done } = props;
  const [job, setJob] = useState<Job<Drawn> | null>(null);
  const { wrong, send } = useSend(props);
  const stop = useRef(new AbortController());
  // Who leaves was asked and gave the changes up.
  useEffect(() => () => stop.current.abort(), []);
  const losses = list.filter(({ loss }) => loss);

  const draw = async (): Promise<void> => {
    stop.current = new AbortController();
    setJob({ state: "running", stage: "", done: 0, total: 0, result: null, error: "", message: "" });
    try {
      const body = { plan: item.plan, sha256: item.sha256, ...edits };
      const { job: id } = await api.post<{ job: string }>(`/api/items/${item.item}/draw`, body);
      const { outcome, findings, message } = await api.job<Drawn>(id, stop.current.signal, setJob);
      const usual = {
        published: "Drawn, checked and published.",
        review: `Drawn and checked: it waits, with ${findings} ${findings === 1 ? "finding" : "findings"}.`,
        blocked: "Drawn and checked: it must not be published as it is.",
      };
      const late = stop.current.signal.aborted ? "It was too late to stop. " : "";
      done({ words: late + (message || usual[outcome]), settled: outcome === "published" && item.room !== "published" });
    } catch (error) {
      setJob(null);
      throw error;
    }
  };
  if (job) return <Working title="Draw and check" {...job} stop={() => stop.current.abort()} />;
  return (
    <Dialog title="Draw and check" close={close}>
      <p>Your changes are drawn into the file and the finished file is checked again. It is published only if the check finds nothing.</p>
      <ul class="plain">
        {list.map(({ words, loss }) => (
          <li key={words} class={loss ? "loss" : ""}>
            {loss && "Less covered: "}
            {words}
          </li>
        ))}
      </ul>
      {losses.length > 0 && <p class="notice stop">What is uncovered can be seen by everyone once it is published.</p>}
      <Wrong words={wrong} />
      <div class="buttons">
        <button type="button" class="primary" onClick={() => send(draw)}>
          {wrong ? "Try again" : "Draw and check"}
        </button>
        <button type="button" onClick={close}>
          Cancel
        </button>
      </div>
    </Dialog>
  );
}

export function Reject(props: Common) {
  const { api, item, close, done } = props;
  const [reason, setReason] = useState("");
  const { wrong, busy, send } = useSend(props);
  const published = item.room === "published";
  const reject = async (): Promise<void> => {
    await api.post(`/api/items/${item.item}/reject`, { sha256: item.sha256, reason: reason.trim() });
    done({ words: published ? "Taken back. The file is no longer in the published folder." : "Rejected.", settled: true });
  };
  return (
    <Dialog title={published ? "Take back" : "Reject"} close={busy ? undefined : close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) send(reject);
        }}
      >
        <p>
          {published
            ? "The finished file is taken out of the published folder and deleted. Copies that went elsewhere stay there."
            : "The finished file is deleted. The original stays where it is."}
        </p>
        <p class="reason">
          <label for="why">Reason (may be left empty; no names)</label>
          <input id="why" type="text" maxLength={LONGEST} autocomplete="off" value={reason}
            onInput={(event) => setReason(event.currentTarget.value)} />
        </p>
        <Wrong words={wrong} />
        <Buttons yes={published ? "Take back" : "Reject"} tone="danger" {...{ busy, close }} />
      </form>
    </Dialog>
  );
}

/** While busy they do nothing, but keep the focus: it would fall out of the dialog otherwise. */
function Buttons({ yes, tone, busy, close, off = false }: {
  yes: string;
  tone: "primary" | "danger";
  busy: boolean;
  close: () => void;
  off?: boolean;
}) {
  return (
    <div class="buttons">
      <button type="submit" class={tone} disabled={off} aria-disabled={busy}>
        {yes}
      </button>
      <button type="button" aria-disabled={busy} onClick={() => busy || close()}>
        Cancel
      </button>
      <span class="quiet" role="status">
        {busy && "The server is at it"}
      </span>
    </div>
  );
}

function Wrong({ words }: { words: string }) {
  return (
    <p class={words ? "notice stop" : "unseen"} role="alert">
      {words}
    </p>
  );
}
