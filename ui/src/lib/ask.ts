// What the page asks of the window process, which asks the agent. Each answers with data, or fails with one sentence.
import { invoke } from "@tauri-apps/api/core";

import type { AddingView } from "../bindings/AddingView";
import type { CellCopy } from "../bindings/CellCopy";
import type { CellMade } from "../bindings/CellMade";
import type { CellWish } from "../bindings/CellWish";
import type { FirstLook } from "../bindings/FirstLook";
import type { Say } from "../bindings/Say";

export const addingBegin = (): Promise<AddingView> => invoke("adding_begin");

/** Says something; an answer to any other question than the one of this number changes nothing. */
export const addingSay = (id: string, question: number, say: Say): Promise<AddingView> =>
  invoke("adding_say", { id, question, say });

/** Answers when the conversation is at another revision, or after some seconds with the same. */
export const addingWait = (id: string, revision: number): Promise<AddingView> =>
  invoke("adding_wait", { id, revision });

export const addingEnd = (id: string): Promise<void> => invoke("adding_end", { id });

export const makeCell = (wish: CellWish): Promise<CellMade> => invoke("make_cell", { wish });

export const copyCell = (session: string, what: CellCopy): Promise<void> => invoke("copy_cell", { session, what });

export const firstLook = (): Promise<FirstLook> => invoke("first_look");

export const open = (name: string, editor: string): Promise<void> => invoke("open", { name, editor });
