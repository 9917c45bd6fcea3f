// The one store: everything the page shows, as the window process last said it.
import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";

import type { Shows } from "../bindings/Shows";
import type { View } from "../bindings/View";

class Store {
  now: Shows = $state.raw({ snapshot: null, view: { view: "sessions" }, agent_gone: false });

  async follow(): Promise<void> {
    await listen<Shows>("shows", (event) => {
      this.now = event.payload;
    });
    // Asked for after listening, so that nothing said in between is missed.
    this.now = await invoke<Shows>("shown");
  }
}

export const store = new Store();

/** Goes to another view. */
export function show(view: View): void {
  void invoke("show", { view });
}
