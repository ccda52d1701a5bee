// The side of the item: what was found, what is covered, what this person changed, and what was looked for.

import { useState } from "preact/hooks";
import type { Change } from "./changes.ts";
import { spansAt, type Draft, type DraftTrack } from "./draft.ts";
import { firstOf, lastOf } from "./spans.ts";
import type { Finding, Item } from "./types.ts";
import { framesInWords, moment } from "./words.ts";

export function Findings({ item, chosen, choose }: {
  item: Item;
  chosen: Finding | null;
  choose: (finding: Finding) => void;
}) {
  return (
    <section aria-labelledby="findings-title">
      <h2 id="findings-title">
        Findings <span class="count">{item.findings.length}</span>
      </h2>
      {item.findings.length === 0 && <p class="quiet">The checks found nothing on the finished file.</p>}
      <ol class="list">
        {item.findings.map((finding) => (
          <li key={finding.index}>
            <button
              type="button"
              class={finding.severity === "BLOCK" ? "row stop" : "row wait"}
              aria-current={finding.index === chosen?.index}
              onClick={() => choose(finding)}
            >
              <span class="mark" aria-hidden="true">
                {finding.index + 1}
              </span>
              <span>
                {finding.words}
                <span class="quiet own-line">{placeOf(finding, item)}</span>
              </span>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}

function placeOf({ kind, first, last, detail, severity }: Finding, item: Item): string {
  const parts: string[] = [];
  if (item.frames > 1 && first !== null) parts.push(framesInWords(first, last ?? first));
  if (detail && kind !== "note") parts.push(detail);
  if (severity === "BLOCK") parts.push("must not be published as it is");
  return parts.join(", ");
}

export function Covers({ draft, frame, selected, select }: {
  draft: Draft;
  frame: number;
  selected: string | null;
  select: (track: DraftTrack) => void;
}) {
  const [all, setAll] = useState(false);
  const film = draft.frames > 1;
  const here = draft.tracks.filter((track) => spansAt(track, frame).length > 0);
  const rest = draft.tracks.filter((track) => !here.includes(track));
  const row = (track: DraftTrack) => (
    <li key={track.key}>
      <button type="button" class="row" aria-pressed={track.key === selected} onClick={() => select(track)}>
        <span class={`swatch ${track.kind}${track.keep ? " kept" : ""}`} aria-hidden="true" />
        <span>
          {track.name}
          {track.keep && ", shown on purpose"}
          {film && <span class="quiet own-line">{framesInWords(firstOf(track.spans), lastOf(track.spans))}</span>}
        </span>
      </button>
    </li>
  );
  return (
    <section aria-labelledby="covers-title">
      <h2 id="covers-title">
        {film ? "Covers on this frame" : "Covers"} <span class="count">{here.length}</span>
      </h2>
      {here.length === 0 && <p class="quiet">Nothing is covered here.</p>}
      <ul class="list">{here.map(row)}</ul>
      {rest.length > 0 && (
        <details open={all} onToggle={(event) => setAll(event.currentTarget.open)}>
          <summary>Covers on other frames ({rest.length})</summary>
          {all && <ul class="list">{rest.map(row)}</ul>}
        </details>
      )}
    </section>
  );
}

export function Changes({ list, go, undoAll }: {
  list: readonly Change[];
  go: (change: Change) => void;
  undoAll: () => void;
}) {
  if (list.length === 0) return null;
  return (
    <section aria-labelledby="changes-title" class="changes">
      <h2 id="changes-title">
        Your changes <span class="count">{list.length}</span>
      </h2>
      <ul class="list">
        {list.map((change) => (
          <li key={change.words}>
            <button type="button" class={change.loss ? "row stop" : "row"} onClick={() => go(change)}>
              {change.loss && <strong class="loss">Less covered</strong>} <span>{change.words}</span>
            </button>
          </li>
        ))}
      </ul>
      <p class="quiet">They are drawn into the file and checked when you approve.</p>
      <button type="button" class="small" onClick={undoAll}>
        Drop all changes
      </button>
    </section>
  );
}

export function Record({ item }: { item: Item }) {
  return (
    <section aria-label="Record">
      <details>
        <summary>What was looked for</summary>
        <ul class="plain">
          {item.looked_for.map(({ what, by, frames, of_frames }) => (
            <li key={`${what}-${by}`}>
              {what} <span class="quiet">by {by}{of_frames > 1 ? `, ${frames} of ${of_frames} frames` : ""}</span>
            </li>
          ))}
        </ul>
      </details>
      <details>
        <summary>What happened so far</summary>
        <ul class="plain">
          {item.history.map(({ time, event, by, reason }) => (
            <li key={`${time}-${event}`}>
              {event}
              {by && ` by ${by}`} <span class="quiet">{moment(time)}</span>
              {reason && <span class="quiet own-line">{reason}</span>}
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}
