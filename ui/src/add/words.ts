// Words of the Add view that more than one of its parts uses.
import type { Outcome } from "../bindings/Outcome";
import type { Summary } from "../bindings/Summary";
import type { Understood } from "../bindings/Understood";

const LINKS: Record<string, string> = {
  colab: "Google’s own SSH",
  ngrok: "ngrok",
  cloudflare: "Cloudflare",
  relay: "your server",
  direct: "a plain address",
};

export const linkWord = (link: string): string => LINKS[link] ?? link;

/** What was understood, as short items. */
export function chipsOf(read: Understood): string[] {
  const chips: string[] = [];
  if (read.link) {
    const [link, endpoint] = read.link;
    // Of these the address says it all.
    chips.push(link === "direct" || link === "relay" ? endpoint : `${linkWord(link)} ${endpoint}`);
  }
  if (read.user) chips.push(`user ${read.user}`);
  if (read.password) chips.push("a password");
  if (read.fingerprint) chips.push("a fingerprint");
  if (read.folder) chips.push(`folder ${read.folder}`);
  return chips;
}

/** What would be added, in one sentence. */
export function backInPlainWords(summary: Summary): string {
  const way = summary.link === "direct" ? "" : ` over ${linkWord(summary.link)}`;
  const machine = `your notebook’s machine, as ${summary.user}`;
  const there =
    summary.link === "relay" ? `${machine}, through ${summary.endpoint}` : `${machine}, at \`${summary.endpoint}\`${way}`;
  if (summary.moves_from === null) return `\`ssh ${summary.name}\` will lead to ${there}.`;
  return `\`ssh ${summary.name}\` leads to \`${summary.moves_from}\` now, and will lead to ${there}.`;
}

/** Whether it may be a runtime of Colab’s, whose terms then are said. */
export const mayBeColab = (link: string): boolean => link !== "direct";

/** What happened, as the title of the screen that says so. */
export const titleOf = (outcome: Outcome): string => `${outcome.name} ${outcome.new ? "is added" : "has moved"}`;

/** How it ended, in one line below that title. */
export function ready(outcome: Outcome): { tone: "good" | "wary"; line: string; more: string | null } {
  const { name } = outcome;
  if (outcome.ssh_works === true) return { tone: "good", line: `Ready: \`ssh ${name}\``, more: null };
  if (!outcome.reachable) {
    const more = `${sentence(outcome.cause) ?? "It does not answer just now."} Moorline keeps looking, and tells you when it answers.`;
    return { tone: "wary", line: "It waits for its machine", more };
  }
  if (outcome.ssh_works === false) return { tone: "wary", line: `\`ssh ${name}\` does not work yet`, more: null };
  return { tone: "good", line: `\`ssh ${name}\` leads there`, more: null };
}

/** What the agent says in a clause, as a sentence. */
export function sentence(clause: string | null): string | null {
  if (clause === null || clause === "") return null;
  const end = /[.?!]$/.test(clause) ? "" : ".";
  return clause.charAt(0).toUpperCase() + clause.slice(1) + end;
}

const EDITORS: Record<string, string> = {
  vscode: "VS Code",
  "code-insiders": "VS Code Insiders",
  codium: "VSCodium",
  cursor: "Cursor",
  windsurf: "Windsurf",
  positron: "Positron",
  antigravity: "Antigravity",
  zed: "Zed",
  pycharm: "PyCharm",
  terminal: "Terminal",
};

export const editorName = (editor: string): string => EDITORS[editor] ?? editor;

/** The editors, the one used last first. */
export function editorsInOrder(editors: string[], last: string | null): string[] {
  if (last === null || !editors.includes(last)) return editors;
  return [last, ...editors.filter((editor) => editor !== last)];
}
