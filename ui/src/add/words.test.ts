import { expect, test } from "vitest";

import type { Health } from "../bindings/Health";
import { channelsOf, emptyForm, wishOf, withWay } from "./cell";
import { scenes, session } from "../fake/scenes";
import { waitFor } from "./wait";
import { backInPlainWords, chipsOf, editorsInOrder, ready, titleOf } from "./words";

function summary() {
  const stage = scenes["go-ahead"]?.adding?.stage;
  if (stage?.stage !== "asks" || stage.question.ask !== "go-ahead") throw new Error("the scene asks to go ahead");
  return stage.question;
}

function outcome() {
  const stage = scenes["done"]?.adding?.stage;
  if (stage?.stage !== "done") throw new Error("the scene is done");
  return stage.outcome;
}

test("what was understood is said back in one sentence", () => {
  expect(backInPlainWords(summary())).toBe("`ssh colab` will lead to your notebook’s machine, as root, at `0.tcp.eu.ngrok.io:15873` over ngrok.");
  expect(backInPlainWords({ ...summary(), link: "direct" })).not.toContain("over");
  const relay = { ...summary(), link: "relay", endpoint: "port 7423 of me@relay" };
  expect(backInPlainWords(relay)).toContain("as root, through port 7423 of me@relay.");
  expect(backInPlainWords({ ...summary(), moves_from: "old:1" })).toContain("leads to `old:1` now, and will lead to");
});

test("only what was read becomes a chip", () => {
  const nothing = { link: null, user: null, folder: null, password: false, fingerprint: false, notices: [], doubts: [] };
  expect(chipsOf(nothing)).toEqual([]);
  expect(chipsOf({ ...nothing, link: ["direct", "h:1"], user: "root" })).toEqual(["h:1", "user root"]);
  expect(chipsOf({ ...nothing, link: ["ngrok", "h:1"], password: true })).toEqual(["ngrok h:1", "a password"]);
});

test("it is called ready only where plain ssh works", () => {
  expect(ready(outcome()).line).toBe("Ready: `ssh colab`");
  for (const not of [{ ssh_works: false }, { ssh_works: null, reachable: false }, { ssh_works: null }]) {
    expect(ready({ ...outcome(), ...not }).line).not.toContain("Ready");
  }
  expect(ready({ ...outcome(), ssh_works: false }).tone).toBe("wary");
});

test("the title says what happened", () => {
  expect(titleOf(outcome())).toBe("colab is added");
  expect(titleOf({ ...outcome(), new: false })).toBe("colab has moved");
});

test("why it was not reached is said as a sentence", () => {
  const later = { ...outcome(), reachable: false, ssh_works: null };
  expect(ready({ ...later, cause: "nothing listens at h:1" }).more).toMatch(/^Nothing listens at h:1\. Moorline/);
  expect(ready({ ...later, cause: null }).more).toMatch(/^It does not answer just now\. /);
});

test("the editor used last comes first, if it is installed", () => {
  expect(editorsInOrder(["vscode", "pycharm"], "pycharm")).toEqual(["pycharm", "vscode"]);
  expect(editorsInOrder(["vscode"], "zed")).toEqual(["vscode"]);
});

test("only what the chosen way needs is wished for", () => {
  const form = { ...emptyForm, host: "h.example.org", relay: " me@relay ", port: "7423" };
  expect(wishOf(form).way).toEqual({ way: "quick-tunnel" });
  expect(wishOf(withWay(form, "relay"))).toEqual({
    name: "colab",
    way: { way: "relay", relay: "me@relay", port: 7423 },
    told_by: { by: "relay-file" },
  });
});

test("a channel that a way does not have is never left chosen", () => {
  const back = withWay(withWay(emptyForm, "relay"), "ngrok");
  expect(channelsOf("ngrok")).toContain(back.toldBy);
  const paste = withWay({ ...emptyForm, toldBy: "paste" }, "ngrok");
  expect(paste.toldBy, "a choice that holds is kept").toBe("paste");
});

test("the wait ends when the session is online, and goes on while it is unknown", () => {
  const online: Health = { state: "online", since: "" };
  expect(waitFor("colab", undefined)).toMatchObject({ spins: true, online: false });
  expect(waitFor("colab", session("colab", online))).toMatchObject({ title: "colab is online", tone: "good", spins: false, online: true });
  expect(waitFor("colab", session("colab", { state: "auth-failed", since: "" }))).toMatchObject({ tone: "wary", online: false });
});

test("a server that does not answer is said while the cell is waited for", () => {
  const waiting = session("colab", { state: "waiting" });
  expect(waitFor("colab", waiting).line).toBe("Waiting for you to run the cell…");
  const down = { ...waiting, state: "waiting for you to run the cell; relay refuses connections" };
  expect(waitFor("colab", down)).toMatchObject({ line: "Waiting for you to run the cell; relay refuses connections.", spins: true });
});
