import { expect, test } from "vitest";

import type { AddingView } from "../bindings/AddingView";
import type { Question } from "../bindings/Question";
import { answered, beside, due, emptyBox, isUntouched, left, pasteFailed, pasting, typed } from "./box";

const PLAIN = "ssh root@x\npassword: hunter2";
const ECHO = "ssh root@x\npassword: ••••";

function asks(question: Question, echo: string | null): AddingView {
  return { id: "1", revision: 1, question: 1, echo, read: null, draft: null, stage: { stage: "asks", question }, checks: [] };
}

const nowhere = asks({ ask: "where", has_password: false, why: [] }, null);
const read = asks({ ask: "unreachable", cause: "" }, ECHO);
const passwordOnly = asks({ ask: "where", has_password: true, why: [] }, "password: ••••");

test("the first text is a new one, and each later one is how it is now", () => {
  const first = due(typed(emptyBox, "ssh"));
  expect(first.say).toEqual({ say: "text", with: "ssh" });
  const second = due(typed(answered(first.box), "ssh root@x"));
  expect(second.say).toEqual({ say: "edited", with: "ssh root@x" });
  expect(due(answered(second.box)).say, "nothing changed since").toBeNull();
});

test("an empty box says nothing, but one that was emptied does", () => {
  expect(due(typed(emptyBox, "  ")).say).toBeNull();
  const said = answered(due(typed(emptyBox, "ssh")).box);
  expect(due(typed(said, "")).say).toEqual({ say: "edited", with: "" });
});

test("what is pasted is shown as its echo as soon as it is read", () => {
  const box = pasting(emptyBox);
  expect(beside(box, nowhere).text, "before the answer there is nothing new").toBe("");
  expect(beside(answered(box), read).text).toBe(ECHO);
});

test("what is typed is concealed when the box is left, and not under the person's hands", () => {
  const said = answered(due(typed(emptyBox, PLAIN)).box);
  expect(beside(said, read).text).toBe(PLAIN);
  expect(beside(left(said), read).text).toBe(ECHO);
});

test("an older echo does not replace a text that is not answered yet", () => {
  const said = answered(due(typed(emptyBox, "ssh")).box);
  const more = due(typed(said, PLAIN)).box;
  expect(beside(left(more), read).text).toBe(PLAIN);
  expect(beside(left(answered(more)), read).text).toBe(ECHO);
});

test("where only a password was read, the box is emptied and the next text stands beside it", () => {
  const box = beside(answered(pasting(emptyBox)), passwordOnly);
  expect(box.text).toBe("");
  expect(beside(box, passwordOnly), "once").toBe(box);
  expect(due(typed(box, "ssh root@x")).say).toEqual({ say: "text", with: "ssh root@x" });
});

test("a password that is being typed is not taken out of the box", () => {
  const said = answered(due(typed(emptyBox, "password: hunter2")).box);
  expect(beside(said, passwordOnly).text).toBe("password: hunter2");
  expect(beside(left(said), passwordOnly).text).toBe("");
});

test("a paste that failed leaves the box as it was", () => {
  const before = typed(emptyBox, "ssh");
  const after = pasteFailed(pasting(before), before);
  expect(after).toMatchObject({ text: "ssh", known: false, pending: 0 });
  expect(due(after).say, "what was typed is still said").toEqual({ say: "text", with: "ssh" });
});

test("when everything was thrown away the box is empty and its next text a new one", () => {
  const box = beside(answered(pasting(emptyBox)), read);
  expect(beside(box, nowhere)).toEqual(emptyBox);
});

test("a conversation is untouched until something was said to it", () => {
  expect(isUntouched(nowhere)).toBe(true);
  expect(isUntouched({ ...nowhere, stage: { stage: "looks", at: "here" } }), "while it begins").toBe(true);
  expect(isUntouched(passwordOnly)).toBe(false);
  expect(isUntouched(asks({ ask: "where", has_password: false, why: ["no"] }, null))).toBe(false);
});
