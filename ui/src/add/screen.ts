// Which screen belongs to a conversation. Pure.
import type { AddingView } from "../bindings/AddingView";
import type { Check } from "../bindings/Check";
import type { CheckState } from "../bindings/CheckState";
import type { Stage } from "../bindings/Stage";

export { isUntouched } from "./box";

/** Whether the box with what was pasted is shown: until it was said to go ahead. */
export function hasBox(view: AddingView): boolean {
  return view.checks.length === 0 && view.stage.stage !== "done";
}

/**
 * The stage to show. While this computer's own files are looked at, which takes a moment, what was asked last stays
 * where it is, so that nothing flickers or loses its focus.
 */
export function steady(shown: Stage | null, view: AddingView): Stage {
  const now = view.stage;
  const short = now.stage === "looks" && now.at === "here" && view.checks.length === 0;
  return short && shown !== null && shown.stage !== "done" ? shown : now;
}

/** Whether nothing more can come of it. */
export function isOver(stage: Stage): boolean {
  return stage.stage === "done" || (stage.stage === "refuses" && stage.why.reason === "expired");
}

/** Another one means that the focus goes to what is shown now. */
export function focusKey(stage: Stage): string {
  switch (stage.stage) {
    case "asks":
      return `asks ${stage.question.ask}`;
    case "refuses":
      return `refuses ${stage.why.reason}`;
    default:
      return stage.stage;
  }
}

/** How many checks are done, and of how many. */
export function progress(checks: Check[]): { done: number; of: number } {
  const over: CheckState[] = ["good", "bad"];
  return { done: checks.filter((check) => over.includes(check.state)).length, of: checks.length };
}

/** The session's name, where the conversation has one. */
export function nameIn(stage: Stage): string | null {
  if (stage.stage === "done") return stage.outcome.name;
  if (stage.stage === "asks" && "name" in stage.question) return stage.question.name;
  return null;
}
