// What is there already: entries of the person's own for Colab, and runtimes of their Google account.
import type { FirstLook } from "../bindings/FirstLook";
import * as ask from "../lib/ask";

class First {
  now = $state.raw<FirstLook | null>(null);

  /** Looks; where it cannot be seen, there is nothing to offer. */
  async look(): Promise<void> {
    try {
      this.now = await ask.firstLook();
    } catch {
      this.now = { loose: [], google: [], google_sign_in: false, google_problem: null };
    }
  }
}

export const firstLook = new First();
