import { expect, test } from "vitest";

import type { AddingView } from "../bindings/AddingView";
import type { Check } from "../bindings/Check";
import type { Stage } from "../bindings/Stage";
import { focusKey, hasBox, isOver, nameIn, progress, steady } from "./screen";

const check = (state: Check["state"]): Check => ({ what: "reached", state, detail: null });
const view = (stage: Stage, checks: Check[] = []): AddingView => ({
  id: "1",
  revision: 1,
  question: 1,
  echo: null,
  read: null,
  draft: null,
  stage,
  checks,
});

const reading: Stage = { stage: "looks", at: "here" };
const reaching: Stage = { stage: "looks", at: "runtime" };
const unreachable: Stage = { stage: "asks", question: { ask: "unreachable", cause: "" } };
const taken: Stage = {
  stage: "asks",
  question: { ask: "name-taken", name: "colab", by: { by: "known-host" }, free: "colab2" },
};
const refuses: Stage = { stage: "refuses", why: { reason: "expired" }, sentence: "", remedies: [] };

test("the box is there until it was said to go ahead", () => {
  expect(hasBox(view(unreachable))).toBe(true);
  expect(hasBox(view(refuses))).toBe(true);
  expect(hasBox(view(unreachable, [check("bad")]))).toBe(false);
});

test("a moment's look at a file changes nothing on the screen", () => {
  expect(steady(taken, view(reading))).toBe(taken);
  expect(steady(refuses, view(reading))).toBe(refuses);
  expect(steady(null, view(reading)), "there is nothing to keep").toBe(reading);
});

test("what takes its time is shown, and so is all that follows the word to go ahead", () => {
  expect(steady(taken, view(reaching))).toBe(reaching);
  expect(steady(taken, view(reading, [check("runs")]))).toBe(reading);
  expect(steady(taken, view(unreachable))).toBe(unreachable);
});

test("another question moves the focus, and the same one does not", () => {
  expect(focusKey(taken)).not.toBe(focusKey(unreachable));
  expect(focusKey(reading)).toBe(focusKey(reaching));
  expect(focusKey(refuses)).not.toBe(focusKey({ ...refuses, why: { reason: "no-relay" } }));
});

test("nothing more comes of what is done or has expired", () => {
  expect(isOver(refuses)).toBe(true);
  expect(isOver({ ...refuses, why: { reason: "no-relay" } })).toBe(false);
  expect(isOver(reaching)).toBe(false);
});

test("good and bad checks are over, the others are not", () => {
  expect(progress([check("good"), check("bad"), check("runs"), check("waits")])).toEqual({ done: 2, of: 4 });
});

test("the name is that of the question, or else of what would be written", () => {
  const draft = { name: "trainer", link: "ngrok", endpoint: "h:1", user: "root", folder: null, new: true };
  expect(nameIn({ ...view(taken), draft })).toBe("colab");
  expect(nameIn({ ...view(unreachable), draft })).toBe("trainer");
  expect(nameIn(view(unreachable))).toBeNull();
});
