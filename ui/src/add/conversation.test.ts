import { expect, test } from "vitest";

import type { AddingView } from "../bindings/AddingView";
import type { Say } from "../bindings/Say";
import type { Stage } from "../bindings/Stage";
import type { Summary } from "../bindings/Summary";
import { Conversation, type Line } from "./conversation.svelte";

const where: Stage = { stage: "asks", question: { ask: "where", has_password: false, why: [] } };
const reading: Stage = { stage: "looks", at: "here" };

const goAhead = (name: string): Stage => {
  const summary: Summary = {
    name,
    name_from_text: false,
    link: "ngrok",
    endpoint: "h:1",
    user: "root",
    folder: null,
    moves_from: null,
    relay: null,
    has_password: false,
    has_fingerprint: false,
    doubts: [],
    diff: "",
  };
  return { stage: "asks", question: { ask: "go-ahead", ...summary } };
};

/** An agent whose answers are given by the test; who waits hears what `tell` says. */
class Agent implements Line {
  said: Say[] = [];
  /** To which question the last one was. */
  question = 0;
  ended: string[] = [];
  begun = 0;
  answers: (say: Say) => Stage | string = () => where;
  #revision = 0;
  #waiting: { answer: (view: AddingView) => void; fail: (reason: string) => void }[] = [];

  view(stage: Stage, id = String(this.begun), question = 1): AddingView {
    this.#revision += 1;
    return { id, revision: this.#revision, question, echo: stage === where ? null : "ssh", read: null, draft: null, stage, checks: [] };
  }

  addingBegin = async (): Promise<AddingView> => {
    this.begun += 1;
    return this.view(where);
  };

  addingSay = async (_id: string, question: number, say: Say): Promise<AddingView> => {
    this.question = question;
    this.said.push(say);
    const answer = this.answers(say);
    if (typeof answer === "string") throw answer;
    return this.view(answer);
  };

  addingWait = (id: string, revision: number): Promise<AddingView> => {
    if (revision === 0) return id === "gone" ? Promise.reject("it is gone") : Promise.resolve(this.view(goAhead("colab"), id));
    return new Promise((answer, fail) => this.#waiting.push({ answer, fail }));
  };

  addingEnd = async (id: string): Promise<void> => {
    this.ended.push(id);
  };

  tell(view: AddingView): void {
    for (const one of this.#waiting.splice(0)) one.answer(view);
  }

  hangUp(): void {
    for (const one of this.#waiting.splice(0)) one.fail("Moorline has ended");
  }
}

const turn = (): Promise<void> => new Promise((done) => setTimeout(done));

async function opened(): Promise<{ agent: Agent; conversation: Conversation }> {
  const agent = new Agent();
  const conversation = new Conversation(agent);
  await conversation.open(null);
  return { agent, conversation };
}

test("one that is open is taken up again, and not begun twice", async () => {
  const { agent, conversation } = await opened();
  await Promise.all([conversation.open(null), conversation.open(null)]);
  expect(agent.begun).toBe(1);
});

test("the tray's conversation takes the place of the one that is open", async () => {
  const { agent, conversation } = await opened();
  await conversation.open("tray");
  expect(conversation.view?.id).toBe("tray");
  expect(agent.ended).toEqual(["1"]);
});

test("where the tray's is gone, a new one is begun", async () => {
  const agent = new Agent();
  const conversation = new Conversation(agent);
  await conversation.open("gone");
  expect(conversation.view?.id).toBe("1");
});

test("what comes late is not taken for news", async () => {
  const { agent, conversation } = await opened();
  const early = agent.view(where);
  agent.answers = () => goAhead("colab");
  await conversation.say({ say: "text", with: "ssh" });
  agent.tell(early);
  await turn();
  expect(conversation.stage).toEqual(goAhead("colab"));
});

test("a refused word is told, and the next one clears it", async () => {
  const { agent, conversation } = await opened();
  agent.answers = () => "the clipboard is empty";
  expect(await conversation.say({ say: "paste" })).toBe(false);
  expect(conversation.problem).toBe("the clipboard is empty");
  expect(conversation.problemInBox).toBe(true);
  agent.answers = () => where;
  expect(await conversation.say({ say: "paste" })).toBe(true);
  expect(conversation.problem).toBe("");
});

test("going ahead under another name renames first, and waits until that was looked at", async () => {
  const { agent, conversation } = await opened();
  agent.answers = () => goAhead("colab");
  await conversation.say({ say: "text", with: "ssh" });
  agent.answers = (say) => (say.say === "rename" ? reading : goAhead("trainer"));
  const ahead = conversation.goAhead("trainer", true);
  await turn();
  expect(agent.said.at(-1)).toEqual({ say: "rename", with: "trainer" });
  agent.tell(agent.view(goAhead("trainer")));
  await ahead;
  expect(agent.said.at(-1)).toEqual({ say: "answer", with: { answer: "go-ahead", with: { mine_alone: true } } });
});

test("a name that is being changed already is not changed twice", async () => {
  const { agent, conversation } = await opened();
  agent.answers = () => goAhead("colab");
  await conversation.say({ say: "text", with: "ssh" });
  agent.answers = () => goAhead("trainer");
  void conversation.say({ say: "rename", with: "trainer" });
  await conversation.goAhead("trainer", false);
  expect(agent.said.map((say) => say.say)).toEqual(["text", "rename", "answer"]);
});

test("where the other name is asked about, nothing goes ahead", async () => {
  const { agent, conversation } = await opened();
  agent.answers = () => goAhead("colab");
  await conversation.say({ say: "text", with: "ssh" });
  agent.answers = () => ({
    stage: "asks",
    question: { ask: "name-taken", name: "trainer", by: { by: "known-host" }, free: "trainer2" },
  });
  await conversation.goAhead("trainer", false);
  expect(agent.said.map((say) => say.say)).toEqual(["text", "rename"]);
});

test("an unfinished one outlives the view, an untouched one does not", async () => {
  const { agent, conversation } = await opened();
  agent.answers = () => goAhead("colab");
  await conversation.say({ say: "text", with: "ssh" });
  conversation.leave();
  expect(agent.ended).toEqual([]);
  agent.answers = () => where;
  await conversation.say({ say: "start-again" });
  conversation.leave();
  expect(agent.ended).toEqual(["1"]);
});

test("an agent that ends is told, and one can start again", async () => {
  const { agent, conversation } = await opened();
  agent.hangUp();
  await turn();
  expect(conversation.lost).toBe("Moorline has ended");
  await conversation.again();
  expect(conversation.lost).toBe("");
  expect(conversation.view?.id).toBe("2");
});

test("an answer is to the question that was shown, also where another one is asked by then", async () => {
  const { agent, conversation } = await opened();
  agent.tell(agent.view({ stage: "asks", question: { ask: "unreachable", cause: "" } }, "1", 4));
  await turn();
  agent.answers = () => ({ stage: "asks", question: { ask: "unreachable", cause: "" } });
  const both = [conversation.answer({ answer: "try-again" }), conversation.answer({ answer: "try-again" })];
  agent.addingSay = ((say) => async (id: string, question: number, what: Say) => {
    await say(id, question, what);
    return agent.view(reading, "1", 4);
  })(agent.addingSay);
  await both[0];
  agent.tell(agent.view({ stage: "asks", question: { ask: "unreachable", cause: "" } }, "1", 5));
  await both[1];
  expect([agent.said.length, agent.question]).toEqual([2, 4]);
  expect(conversation.problem).toBe("");
});

test("what leads elsewhere by the time is not gone ahead with", async () => {
  const { agent, conversation } = await opened();
  agent.answers = () => goAhead("colab");
  await conversation.say({ say: "text", with: "ssh" });
  const elsewhere = goAhead("colab");
  if (elsewhere.stage === "asks" && elsewhere.question.ask === "go-ahead") elsewhere.question.endpoint = "other:1";
  agent.answers = () => elsewhere;
  void conversation.say({ say: "edited", with: "ssh elsewhere" });
  await conversation.goAhead("colab", false);
  expect(agent.said.map((say) => say.say)).toEqual(["text", "edited"]);
});
