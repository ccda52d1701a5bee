// The dialog behind `?`: every key, and the switch that turns single keys off.

import { useState } from "preact/hooks";
import { Dialog } from "./dialog.tsx";
import { keysOff, setKeysOff, SHORTCUTS } from "./keys.ts";

const GROUPS = ["Go", "Look", "Cover", "Decide"] as const;

export function Help({ close }: { close: () => void }) {
  const [off, setOff] = useState(keysOff());
  return (
    <Dialog title="Keys" close={close} wide read>
      <div class="keys">
        {GROUPS.map((group) => (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {SHORTCUTS.filter((shortcut) => shortcut.group === group).map(({ action, shown, words, film }) => (
                <div key={action}>
                  <dt>
                    <kbd>{shown}</kbd>
                  </dt>
                  <dd>
                    {words}
                    {film && <span class="quiet"> (films)</span>}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
      <p class="quiet fine">
        On a Mac, ⌘ does what Ctrl does. On a Cyrillic, Armenian or other keyboard the keys are where a Latin one has them. With
        a box selected the arrows move it; , and . still step. Ctrl and the wheel zoom, and a drag beside the boxes moves the
        picture; two fingers do both.
      </p>
      <label class="check">
        <input
          type="checkbox"
          checked={off}
          onChange={(event) => {
            setKeysOff(event.currentTarget.checked);
            setOff(event.currentTarget.checked);
          }}
        />
        Switch single-letter keys off
      </label>
      <div class="buttons">
        <button type="button" class="primary" onClick={close}>
          Close
        </button>
      </div>
    </Dialog>
  );
}
