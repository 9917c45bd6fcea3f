// The one box that reads while one types: what it shows, and what is said of it. Pure; the box itself is a textarea.
import type { AddingView } from "../bindings/AddingView";
import type { Say } from "../bindings/Say";

/** How long after the last keystroke a text is read, in milliseconds. */
export const PAUSE = 250;

export type Box = {
  /** What the textarea shows. */
  text: string;
  /** Whether the text is one that the agent has already, so that what is said next is how it is now. */
  known: boolean;
  /** Whether it changed since it was said. */
  unsaid: boolean;
  /** Whether the person is typing in it: until they leave it, nothing is replaced under their hands. */
  typing: boolean;
  /** How many things were said that are not answered yet. */
  pending: number;
};

export const emptyBox: Box = { text: "", known: false, unsaid: false, typing: false, pending: 0 };

/** The person typed. */
export function typed(box: Box, text: string): Box {
  return { ...box, text, typing: true, unsaid: true };
}

/** The pause after typing is over, or the box was left: what is to be said of it, if anything. */
export function due(box: Box): { box: Box; say: Say | null } {
  if (!box.unsaid || (!box.known && box.text.trim() === "")) return { box: { ...box, unsaid: false }, say: null };
  const say: Say = { say: box.known ? "edited" : "text", with: box.text };
  return { box: { ...box, known: true, unsaid: false, pending: box.pending + 1 }, say };
}

/** The clipboard is being read by the agent; what it read comes back as the echo. */
export function pasting(box: Box): Box {
  return { ...box, known: true, unsaid: false, typing: false, pending: box.pending + 1 };
}

/** What was said is answered, or failed. */
export function answered(box: Box): Box {
  return { ...box, pending: box.pending - 1 };
}

/** A paste failed: nothing is known of what the box shows but what was known before. */
export function pasteFailed(box: Box, before: Box): Box {
  return { ...answered(box), known: before.known, unsaid: before.unsaid };
}

/** The person left the box. */
export function left(box: Box): Box {
  return { ...box, typing: false };
}

/**
 * The box beside this view. A text that was read is replaced by its echo, in which every secret is concealed; where only
 * a password was read it is emptied, for what says where the password belongs.
 */
export function beside(box: Box, view: AddingView): Box {
  if (box.typing || box.unsaid || box.pending > 0) return box;
  const stage = view.stage;
  if (stage.stage === "asks" && stage.question.ask === "where" && stage.question.has_password) {
    return box.text === "" && !box.known ? box : { ...box, text: "", known: false };
  }
  if (view.echo === null) return isUntouched(view) && box.known ? emptyBox : box;
  return box.text === view.echo && box.known ? box : { ...box, text: view.echo, known: true };
}

/** Whether nothing was said to this conversation yet, or all of it was thrown away. */
export function isUntouched(view: AddingView): boolean {
  const stage = view.stage;
  if (view.echo !== null || view.read !== null || view.checks.length > 0) return false;
  if (stage.stage === "looks") return stage.at === "here";
  if (stage.stage !== "asks" || stage.question.ask !== "where") return false;
  return !stage.question.has_password && stage.question.why.length === 0;
}
