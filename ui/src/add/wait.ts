// What is said while a cell is waited for. Pure.
import type { SessionView } from "../bindings/SessionView";
import { sentence } from "./words";

const WAITING = "Waiting for you to run the cell";

export type Wait = { title: string; line: string; tone: "" | "good" | "wary"; spins: boolean; online: boolean };

export function waitFor(name: string, session: SessionView | undefined): Wait {
  const state = session?.health.state ?? "waiting";
  const title = `A cell for ${name}`;
  switch (state) {
    case "online":
      return { title: `${name} is online`, line: `\`ssh ${name}\` works`, tone: "good", spins: false, online: true };
    case "waiting":
      return { title, line: waiting(session), tone: "", spins: true, online: false };
    case "connecting":
    case "suspect":
      return { title, line: `The cell ran. Reaching ${name}…`, tone: "", spins: true, online: false };
    default:
      return { title, line: `${name}: ${session?.state ?? state}`, tone: "wary", spins: false, online: false };
  }
}

/** What else is in the way, such as a server that does not answer, stands in the agent's words. */
function waiting(session: SessionView | undefined): string {
  const said = sentence(session?.state ?? null) ?? "";
  return said.startsWith(`${WAITING};`) ? said : `${WAITING}…`;
}
