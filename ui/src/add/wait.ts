// What is said while a cell is waited for. Pure.
import type { SessionView } from "../bindings/SessionView";

export type Wait = { line: string; tone: "" | "good" | "wary"; spins: boolean; online: boolean };

export function waitFor(name: string, session: SessionView | undefined): Wait {
  const state = session?.health.state ?? "waiting";
  switch (state) {
    case "online":
      return { line: `${name} is online: \`ssh ${name}\` works`, tone: "good", spins: false, online: true };
    case "waiting":
      return { line: "Waiting for you to run the cell…", tone: "", spins: true, online: false };
    case "connecting":
    case "suspect":
      return { line: `The cell ran. Reaching ${name}…`, tone: "", spins: true, online: false };
    default:
      return { line: `${name}: ${session?.state ?? state}`, tone: "wary", spins: false, online: false };
  }
}
