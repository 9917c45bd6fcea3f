// A setup cell that Moorline makes: what is wanted, and what comes of it.

/** How a runtime is reached. */
export type Way =
  | { way: "quick-tunnel" }
  | { way: "named-tunnel"; host: string }
  | { way: "ngrok" }
  | { way: "relay"; relay: string; port: number };

/** How a runtime tells this computer where it is. */
export type ToldBy = "ntfy" | "paste" | "relay-file";

export type CellWish = { name: string; way: Way; told_by: { by: ToldBy } };

export type CellMade = {
  session: string;
  /** The name under which its secret stands in the notebook's Secrets panel. */
  secret_name: string;
  /** Another secret that the way needs, which the person has. */
  other_secret: string | null;
  lines: number;
};

export type CellCopy = "cell" | "secret";

/** What is there already when a person adds the first session. */
export type FirstLook = {
  loose: LooseEntry[];
  google: GoogleRuntime[];
  google_sign_in: boolean;
  google_problem: string | null;
};

/** An entry for Colab in the person's ssh config that switches checking off. */
export type LooseEntry = { alias: string; file: string; line: number };

/** A runtime of the person's Google account, and what google-colab-cli calls it. */
export type GoogleRuntime = { endpoint: string; hardware: string; name: string | null };

/** What the form of a cell holds: the fields of every way, of which one counts. */
export type CellForm = {
  name: string;
  way: Way["way"];
  host: string;
  relay: string;
  port: string;
  toldBy: ToldBy;
};

export const emptyForm: CellForm = {
  name: "colab",
  way: "quick-tunnel",
  host: "",
  relay: "",
  port: "",
  toldBy: "ntfy",
};

/** How a runtime that is reached this way can tell where it is; the first is the usual one. */
export function channelsOf(way: Way["way"]): ToldBy[] {
  return way === "relay" ? ["relay-file", "ntfy", "paste"] : ["ntfy", "paste"];
}

/** The form with another way, and a channel that this way has. */
export function withWay(form: CellForm, way: Way["way"]): CellForm {
  const channels = channelsOf(way);
  const kept = channels.includes(form.toldBy) && (form.way === "relay") === (way === "relay");
  return { ...form, way, toldBy: kept ? form.toldBy : (channels[0] ?? "paste") };
}

export function wishOf(form: CellForm): CellWish {
  const name = form.name.trim();
  const told_by = { by: form.toldBy };
  switch (form.way) {
    case "named-tunnel":
      return { name, way: { way: "named-tunnel", host: form.host.trim() }, told_by };
    case "relay":
      return { name, way: { way: "relay", relay: form.relay.trim(), port: Number(form.port) }, told_by };
    default:
      return { name, way: { way: form.way }, told_by };
  }
}
