// An agent that is not there: each scene is one screen of the Add view, and `walk` is the way from the first to the last.
import { mockIPC } from "@tauri-apps/api/mocks";

import type { AddingView } from "../bindings/AddingView";
import type { CellMade } from "../bindings/CellMade";
import type { FirstLook } from "../bindings/FirstLook";
import type { Say } from "../bindings/Say";
import type { SessionView } from "../bindings/SessionView";
import type { Shows } from "../bindings/Shows";
import type { View } from "../bindings/View";
import { type Scene, scenes, session, walk } from "./scenes";

export function play(name: string): void {
  const scene: Scene = scenes[name] ?? scenes["first"] ?? {};
  let shows: Shows = {
    snapshot: { light: "online", sessions: scene.sessions ?? [], snoozed_until: null, starts_at_login: true },
    view: scene.view ?? { view: "add", name: null },
    agent_gone: false,
  };
  let now = scene.adding;
  let step = 0;
  let revision = 1;
  const waiting: (() => void)[] = [];

  const view = (): AddingView => {
    const base = name === "walk" ? walk[step] : now;
    return { id: "fake", revision, question: revision, echo: null, read: null, draft: null, checks: [], ...(base ?? scenes["first"]?.adding) } as AddingView;
  };
  const next = (): AddingView => {
    if (name === "walk" && step + 1 < walk.length) step += 1;
    revision += 1;
    for (const heard of waiting.splice(0)) heard();
    const stage = walk[step]?.stage;
    if (name === "walk" && stage?.stage === "looks") setTimeout(next, 700);
    return view();
  };
  const said = (say: Say): AddingView => {
    console.info("said", JSON.stringify(say));
    if (say.say === "copy") return view();
    if (say.say === "rename" && now?.stage.stage === "asks" && now.stage.question.ask === "go-ahead") {
      now = { ...now, stage: { stage: "asks", question: { ...now.stage.question, name: say.with } } };
      return next();
    }
    if (say.say === "start-again") {
      step = 0;
      now = undefined;
      revision += 1;
      return view();
    }
    if (name === "walk") return next();
    return view();
  };
  const change = (to: Partial<Shows>): void => {
    shows = { ...shows, ...to };
    emit(shows);
  };
  const made: CellMade = {
    session: "colab",
    secret_name: "MOORLINE_COLAB",
    other_secret: scene.other_secret ?? null,
    secret_stays: 30,
  };
  let emit: (shows: Shows) => void = () => {};

  mockIPC(
    (command, given) => {
      const args = (given ?? {}) as Record<string, unknown>;
      switch (command) {
        case "shown":
          return shows;
        case "show":
          change({ view: args["view"] as View });
          return null;
        case "adding_begin":
          return view();
        case "adding_say":
          return said(args["say"] as Say);
        case "adding_wait":
          if (args["revision"] === 0) return view();
          return new Promise((answer) => waiting.push(() => answer(view())));
        case "first_look":
          return (scene.first ?? { loose: [], google: [], google_sign_in: false, google_problem: null }) satisfies FirstLook;
        case "make_cell": {
          const states: SessionView["health"][] = scene.cellHealth ?? [{ state: "waiting" }];
          states.forEach((health, at) =>
            setTimeout(() => {
              if (shows.snapshot) change({ snapshot: { ...shows.snapshot, sessions: [session("colab", health)] } });
            }, at * 1500),
          );
          return made;
        }
        case "compare":
          return { seen: "SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDUHWcXEYmo5OUYUwM", pinned: [{ fingerprint: "SHA256:Zq1sKmT0m0X1Y0v7pWc9l5S8f1Vw8s0n2dGx3k4j5aE", learned: "given by you" }], line: "!ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" };
        default:
          console.info("asked", command, JSON.stringify(args));
          return null;
      }
    },
    { shouldMockEvents: true },
  );
  void import("@tauri-apps/api/event").then((events) => {
    emit = (now) => void events.emit("shows", now);
  });
  for (const [selector, at] of scene.clicks ?? []) {
    setTimeout(() => document.querySelector<HTMLElement>(selector)?.click(), at);
  }
}
