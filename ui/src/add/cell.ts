// The form of a setup cell, and what is wished for with it. Pure.
import type { CellWay } from "../bindings/CellWay";
import type { CellWish } from "../bindings/CellWish";

/** The ways in that the form offers. */
export type Way = Exclude<CellWay["way"], "direct">;

/** How a runtime tells this computer where it is, as the form offers it. */
export type Channel = Exclude<CellWish["told_by"]["by"], "folder">;

/** What the form of a cell holds: the fields of every way, of which one counts. */
export type CellForm = {
  name: string;
  way: Way;
  host: string;
  relay: string;
  port: string;
  toldBy: Channel;
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
export function channelsOf(way: Way): Channel[] {
  return way === "relay" ? ["relay-file", "ntfy", "paste"] : ["ntfy", "paste"];
}

/** The form with another way, and a channel that this way has. */
export function withWay(form: CellForm, way: Way): CellForm {
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
