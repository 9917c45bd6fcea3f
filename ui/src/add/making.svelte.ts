// The cell that is being made. It outlives the view, so that the steps are still there after a look elsewhere.
import type { CellMade } from "../bindings/CellMade";
import * as ask from "../lib/ask";
import { store } from "../lib/shows.svelte";
import { type CellForm, emptyForm, wishOf } from "./cell";
import { type Wait, waitFor } from "./wait";

class Making {
  isOpen = $state(false);
  form = $state.raw<CellForm>(emptyForm);
  made = $state.raw<CellMade | null>(null);
  busy = $state(false);
  problem = $state("");

  /** Another one means that the focus goes to what is shown now. */
  get step(): string {
    if (this.wait === null) return "form";
    return this.wait.online ? "online" : "steps";
  }

  /** What is said of the machine that the cell is to bring. */
  get wait(): Wait | null {
    const name = this.made?.session;
    if (name === undefined) return null;
    return waitFor(name, store.now.snapshot?.sessions.find((one) => one.name === name));
  }

  open(): void {
    this.isOpen = true;
  }

  close(): void {
    this.isOpen = false;
    this.form = emptyForm;
    this.made = null;
    this.problem = "";
  }

  async make(): Promise<void> {
    this.busy = true;
    this.problem = "";
    try {
      this.made = await ask.makeCell(wishOf(this.form));
    } catch (reason) {
      this.problem = String(reason);
    } finally {
      this.busy = false;
    }
  }
}

export const making = new Making();
