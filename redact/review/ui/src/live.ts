// Whether a part of the page is still there when an answer comes for it.

import { useEffect, useRef } from "preact/hooks";

/** `current` is true as long as the component is on the page. */
export function useLive(): { readonly current: boolean } {
  const live = useRef(true);
  useEffect(() => {
    live.current = true;
    return () => {
      live.current = false;
    };
  }, []);
  return live;
}
