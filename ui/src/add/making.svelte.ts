// The cell that is being made. It outlives the view, so that the steps are still there after a look elsewhere.
import type { CellMade } from "../bindings/CellMade";
import * as ask from "../lib/ask";
import { type CellForm, emptyForm, wishOf } from "./cell";

class Making {
  isOpen = $state(false);
  form = $state.raw<CellForm>(emptyForm);
  made = $state.raw<CellMade | null>(null);
  busy = $state(false);
  problem = $state("");

  /** Another one means that the focus goes to what is shown now. */
  get step(): string {
    return this.made === null ? "form" : "steps";
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
