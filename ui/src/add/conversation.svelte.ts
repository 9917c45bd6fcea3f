// The one conversation about a new session. It outlives the view, so that a look at the sessions throws nothing away.
import type { AddingView } from "../bindings/AddingView";
import type { Answer } from "../bindings/Answer";
import type { Copy } from "../bindings/Copy";
import type { Say } from "../bindings/Say";
import type { Stage } from "../bindings/Stage";
import * as ask from "../lib/ask";
import { isUntouched, PAUSE } from "./box";
import { isOver, nameIn, steady } from "./screen";

/** Those of [`ask`] that a conversation needs. */
export type Line = Pick<typeof ask, "addingBegin" | "addingSay" | "addingWait" | "addingEnd">;

export class Conversation {
  view = $state.raw<AddingView | null>(null);
  /** What is shown, which is not changed for a moment's look at a file. */
  stage = $state.raw<Stage | null>(null);
  /** The session's name, once there is one. */
  name = $state("");
  /** Why what was said last could not be taken; one sentence. */
  problem = $state("");
  /** Whether that was a text or the clipboard. */
  problemInBox = $state(false);
  /** Why nothing more is heard of it; one sentence. */
  lost = $state("");
  /** How many things were said that are not answered yet. */
  saying = $state(0);

  #line: Line;
  #id: string | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #opening: Promise<void> = Promise.resolve();
  #asked: (() => void)[] = [];

  constructor(line: Line) {
    this.#line = line;
  }

  /** Takes up this conversation; without a number the one that is open, or a new one. */
  open(id: string | null): Promise<void> {
    this.#opening = this.#opening.then(() => this.#open(id));
    return this.#opening;
  }

  async #open(id: string | null): Promise<void> {
    if (this.#id !== null && (id === null || id === this.#id) && this.lost === "") return;
    this.end();
    try {
      // Nothing has revision 0 for long: this asks how it is now.
      const view = id === null ? await this.#line.addingBegin() : await this.#line.addingWait(id, 0);
      this.#id = view.id;
      this.#take(view);
      void this.#follow(view.id);
    } catch (reason) {
      if (id !== null) return this.#open(null);
      this.lost = String(reason);
    }
  }

  /** Says something, after all that was said before. Whether it was taken. What answers a question answers the one that
   * is shown now, whatever is asked by then. */
  say(say: Say): Promise<boolean> {
    const question = this.view?.question ?? 0;
    const said = this.#last.then(() => this.#say(question, say));
    this.#last = said;
    return said;
  }

  answer(answer: Answer): Promise<boolean> {
    return this.say({ say: "answer", with: answer });
  }

  copy(copy: Copy): Promise<boolean> {
    return this.say({ say: "copy", with: copy });
  }

  /** When nothing is being looked up any more. */
  settled(): Promise<void> {
    if (this.view?.stage.stage !== "looks") return Promise.resolve();
    return new Promise((done) => this.#asked.push(done));
  }

  /** Gives the proposed session another name, then goes ahead if that is still all that is asked. */
  async goAhead(name: string, mine_alone: boolean): Promise<void> {
    const shown = this.stage;
    await this.#last;
    await this.settled();
    const proposed = this.view?.stage;
    if (proposed?.stage !== "asks" || proposed.question.ask !== "go-ahead") return;
    if (shown !== null && !leadsAlike(shown, proposed)) return;
    if (name !== proposed.question.name && !(await this.say({ say: "rename", with: name }))) return;
    await this.settled();
    const now = this.view?.stage;
    if (now?.stage !== "asks" || now.question.ask !== "go-ahead" || now.question.name !== name || !leadsAlike(proposed, now)) return;
    await this.answer({ answer: "go-ahead", with: { mine_alone } });
  }

  /** The view is left. What is unfinished stays as it is. */
  leave(): void {
    const view = this.view;
    if (view === null || view.stage.stage === "done" || isUntouched(view)) this.end();
  }

  /** Ends it: what was pasted is thrown away. */
  end(): void {
    const id = this.#id;
    this.#forget();
    // One that cannot be ended ends by itself.
    if (id !== null) this.#line.addingEnd(id).catch(() => {});
  }

  async again(): Promise<void> {
    this.end();
    await this.open(null);
  }

  #forget(): void {
    this.#id = null;
    this.view = null;
    this.stage = null;
    this.name = "";
    this.problem = "";
    this.lost = "";
    this.#wake();
  }

  async #say(question: number, say: Say): Promise<boolean> {
    const id = this.#id;
    if (id === null) return false;
    // A moment's look at a file may lead back to the same question, which is shown all the while.
    const stage = this.view?.stage;
    if (answers(say) && stage?.stage === "looks" && stage.at === "here") await this.settled();
    this.saying += 1;
    this.problem = "";
    try {
      const view = await this.#line.addingSay(id, question, say);
      if (id === this.#id) this.#take(view);
      return true;
    } catch (reason) {
      if (id === this.#id) {
        this.problem = String(reason);
        this.problemInBox = say.say === "text" || say.say === "edited" || say.say === "paste";
      }
      return false;
    } finally {
      this.saying -= 1;
    }
  }

  async #follow(id: string): Promise<void> {
    while (id === this.#id && this.view !== null && !isOver(this.view.stage)) {
      try {
        const known = this.view.revision;
        const view = await this.#line.addingWait(id, known);
        if (id === this.#id) this.#take(view);
        // An agent that does not keep us waiting is not asked all the time.
        if (view.revision === known) await new Promise((done) => setTimeout(done, PAUSE));
      } catch (reason) {
        if (id === this.#id) this.lost = String(reason);
        return;
      }
    }
  }

  /** What comes late is not taken for news. */
  #take(view: AddingView): void {
    if (this.view !== null && view.revision < this.view.revision) return;
    this.stage = steady(this.stage, view);
    this.view = view;
    this.name = nameIn(view) ?? this.name;
    if (view.stage.stage !== "looks") this.#wake();
  }

  #wake(): void {
    const asked = this.#asked;
    this.#asked = [];
    for (const done of asked) done();
  }
}

const answers = (say: Say): boolean => say.say === "answer" || say.say === "paste-answer";

/** Whether two proposals differ in no more than the name, which is the person's own to change. */
function leadsAlike(one: Stage, other: Stage): boolean {
  if (one.stage !== "asks" || other.stage !== "asks") return false;
  const [a, b] = [one.question, other.question];
  if (a.ask !== "go-ahead" || b.ask !== "go-ahead") return false;
  return a.link === b.link && a.endpoint === b.endpoint && a.user === b.user && a.moves_from === b.moves_from;
}

export const conversation = new Conversation(ask);
