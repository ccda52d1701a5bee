// One dialog for all: the browser's own <dialog>, so that the focus stays inside and Escape closes it.

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { stageInWords } from "./words.ts";

export function Dialog({
  title,
  close,
  wide = false,
  read = false,
  children,
}: {
  title: string;
  /** Called when the person wants it closed; without it only the dialog's own buttons do. */
  close?: (() => void) | undefined;
  wide?: boolean;
  /** It is there to be read: begin at its title, not at its first button. */
  read?: boolean;
  children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  // Before the page is drawn: a key pressed in between would act on what lies behind.
  useLayoutEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={wide ? "wide-dialog" : ""}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close?.();
      }}
      onClose={() => {
        // A second Escape closes it whatever the page says: it goes, or is there again.
        close?.();
        setTimeout(() => dialog.current?.isConnected && !dialog.current.open && dialog.current.showModal());
      }}
    >
      <h2 id={id} {...(read ? { tabIndex: -1, autofocus: true } : {})}>
        {title}
      </h2>
      {children}
    </dialog>
  );
}

export function Ask({
  title,
  words,
  yes,
  no = "Cancel",
  danger = false,
  confirm,
  close,
}: {
  title: string;
  words: string;
  yes: string;
  no?: string;
  danger?: boolean;
  confirm: () => void;
  close: () => void;
}) {
  return (
    <Dialog title={title} close={close}>
      <p>{words}</p>
      <div class="buttons">
        <button type="button" class={danger ? "danger" : "primary"} onClick={confirm}>
          {yes}
        </button>
        <button type="button" onClick={close}>
          {no}
        </button>
      </div>
    </Dialog>
  );
}

/** How far a long job is, with a way to stop it. */
export function Working({
  title,
  stage,
  done,
  total,
  stop,
}: {
  title: string;
  stage: string;
  done: number;
  total: number;
  stop: () => void;
}) {
  const [stopping, setStopping] = useState(false);
  const end = (): void => {
    setStopping(true);
    stop();
  };
  return (
    <Dialog title={title} close={end}>
      <p class="quiet" aria-live="polite">
        {stopping ? "Stopping" : stageInWords(stage || "waiting")}
      </p>
      <progress aria-label={title} max={Math.max(total, 1)} {...(total > 0 ? { value: done } : {})} />
      <div class="buttons">
        <button type="button" onClick={end}>
          Stop
        </button>
      </div>
    </Dialog>
  );
}
