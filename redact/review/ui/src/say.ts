// How every part of the page speaks to the person: one line at the top, and one live region.

/** Says something: seen and heard, or only heard, by a screen reader, where eyes see it on the page itself. */
export type Say = (words: string, heard?: boolean) => void;
