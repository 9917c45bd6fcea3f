import type { AddingView } from "../bindings/AddingView";
import type { Check } from "../bindings/Check";
import type { CheckKind } from "../bindings/CheckKind";
import type { CheckState } from "../bindings/CheckState";
import type { FirstLook } from "../bindings/FirstLook";
import type { Health } from "../bindings/Health";
import type { Outcome } from "../bindings/Outcome";
import type { Question } from "../bindings/Question";
import type { SessionView } from "../bindings/SessionView";
import type { Summary } from "../bindings/Summary";
import type { Understood } from "../bindings/Understood";
import type { View } from "../bindings/View";

type Part = Partial<AddingView> & Pick<AddingView, "stage">;

/** What a scene begins with. */
export type Scene = {
  view?: View;
  adding?: Part;
  first?: FirstLook;
  sessions?: SessionView[];
  other_secret?: string;
  cellHealth?: Health[];
  /** What is clicked, and after how many milliseconds. */
  clicks?: [string, number][];
};

const SEEN = "SHA256:uNiVztksCsDhcc0u9e8BrrJXVGDUHWcXEYmo5OUYUwM";
const OLD = "SHA256:Zq1sKmT0m0X1Y0v7pWc9l5S8f1Vw8s0n2dGx3k4j5aE";
const PRINTED = "ssh -p 15873 root@0.tcp.eu.ngrok.io\nRoot password: ••••";
const LINE = "!ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";
const KEEP = "!mkdir -p ~/.ssh && echo 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKq0…' >> ~/.ssh/authorized_keys";
const DIFF = `--- ~/.ssh/config
+++ ~/.ssh/config
@@ -1,3 +1,17 @@
+# >>> moorline >>> managed: edits inside are replaced
+Host colab
+    HostName 0.tcp.eu.ngrok.io
+    Port 15873
+    User root
+    HostKeyAlias colab
+    StrictHostKeyChecking yes
+    IdentityFile ~/.ssh/moorline_ed25519
+# <<< moorline <<<
 Host *
     ServerAliveInterval 60
-    ForwardAgent yes
`;

const read: Understood = {
  link: ["ngrok", "0.tcp.eu.ngrok.io:15873"],
  user: "root",
  folder: null,
  password: true,
  fingerprint: false,
  notices: [],
  doubts: [],
};

const summary: Summary = {
  name: "colab",
  name_from_text: false,
  link: "ngrok",
  endpoint: "0.tcp.eu.ngrok.io:15873",
  user: "root",
  folder: null,
  moves_from: null,
  relay: null,
  has_password: true,
  has_fingerprint: false,
  doubts: [],
  diff: DIFF,
};

const outcome: Outcome = {
  name: "colab",
  link: "ngrok",
  endpoint: "0.tcp.eu.ngrok.io:15873",
  user: "root",
  new: true,
  announced: false,
  reachable: true,
  cause: null,
  vault_problem: null,
  host_key: [SEEN, "compared with the notebook"],
  login: "key-installed",
  ssh_works: true,
  remarks: ["The password was used once, to let this computer in, and is kept in the keyring."],
  files: [
    { path: "~/.ssh/config", changed: true, backup: "~/.local/state/moorline/backups/config.1" },
    { path: "~/.ssh/known_hosts", changed: true, backup: null },
  ],
  diff: DIFF,
};

export const session = (name: string, health: Health): SessionView => ({
  name,
  link: "ngrok",
  endpoint: "0.tcp.eu.ngrok.io:15873",
  health,
  state: health.state === "online" ? "online" : health.state,
  vitals: null,
  ends: null,
  last_editor: "pycharm",
  editors: ["vscode", "cursor", "pycharm", "terminal"],
  password_only: false,
  has_notebook: false,
  offered: null,
  rival: null,
  action: null,
});

const ONLINE: Health = { state: "online", since: "2026-11-01T10:00:00Z" };

function checks(...states: CheckState[]): Check[] {
  const kinds: CheckKind[] = ["reached", "fingerprint", "access", "written", "ssh"];
  return kinds.map((what, at) => ({ what, state: states[at] ?? "waits", detail: null }));
}

const asks = (question: Question, more: Partial<AddingView> = {}): Part => ({
  stage: { stage: "asks", question },
  echo: PRINTED,
  read,
  ...more,
});

const first: Part = { stage: { stage: "asks", question: { ask: "where", has_password: false, why: [] } } };
const goAhead = asks({ ask: "go-ahead", ...summary });
const key: Question = {
  ask: "key",
  name: "colab",
  endpoint: "0.tcp.eu.ngrok.io:15873",
  kind: "ssh-ed25519",
  seen: SEEN,
  before: [],
  line: LINE,
  line_lets_in: true,
  relay_proved_nothing: null,
  last_text: null,
};
const login: Question = { ask: "login", name: "colab", user: "root", line: KEEP, problem: null };
const done: Part = { stage: { stage: "done", outcome }, checks: checks("good", "good", "good", "good", "good") };

export const walk: Part[] = [
  first,
  { stage: { stage: "looks", at: "here" }, echo: PRINTED },
  goAhead,
  { stage: { stage: "looks", at: "runtime" }, checks: checks("runs") },
  asks(key, { checks: checks("good", "runs") }),
  { stage: { stage: "looks", at: "access" }, checks: checks("good", "good", "runs") },
  asks(login, { checks: checks("good", "good", "runs") }),
  { stage: { stage: "looks", at: "ssh" }, checks: checks("good", "good", "good", "good", "runs") },
  done,
];

export const scenes: Record<string, Scene> = {
  walk: { sessions: [session("colab", ONLINE)] },
  empty: { view: { view: "sessions" } },
  sessions: {
    view: { view: "sessions" },
    sessions: [
      session("colab", ONLINE),
      { ...session("trainer", { state: "new-host-key", fingerprint: SEEN, since: "" }), state: "shows a fingerprint seen for the first time", action: "compare" },
      { ...session("spare", { state: "waiting" }), state: "waiting for you to run the cell" },
    ],
  },
  compare: {
    view: { view: "compare", name: "trainer" },
    sessions: [session("trainer", { state: "new-host-key", fingerprint: SEEN, since: "" })],
  },
  first: { adding: first },
  "first-look": {
    adding: first,
    first: {
      loose: [{ alias: "colab", file: "~/.ssh/config", line: 12 }],
      google: [
        { endpoint: "gpu-t4-s-2kq5xw0s4hbx", hardware: "T4, High-RAM", name: "train" },
        { endpoint: "m-s-3c0p1v9e8a", hardware: "CPU", name: null },
      ],
      google_sign_in: true,
      google_problem: null,
    },
  },
  password: {
    adding: asks(
      { ask: "where", has_password: true, why: [] },
      { echo: "Root password: ••••", read: { ...read, link: null, user: null } },
    ),
  },
  why: {
    adding: asks(
      { ask: "where", has_password: false, why: ["The text names no address: it starts sshd, and prints where it listens only when it runs."] },
      { echo: "!apt-get install -y openssh-server\n!service ssh start", read: { ...read, link: null, user: null, password: false } },
    ),
  },
  "go-ahead": { adding: goAhead },
  doubts: {
    adding: asks(
      { ask: "go-ahead", ...summary, moves_from: "2.tcp.eu.ngrok.io:11020", doubts: ["The text says `root` and `me` for the user; `root` is taken."] },
      { read: { ...read, doubts: ["The text says `root` and `me` for the user; `root` is taken."], fingerprint: true } },
    ),
  },
  relay: {
    adding: asks(
      { ask: "go-ahead", ...summary, link: "relay", endpoint: "port 7423 of me@relay.example.org", relay: "me@relay.example.org" },
      { echo: "ssh -p7423 root@127.0.0.1", read: { ...read, link: ["relay", "port 7423 of me@relay.example.org"], password: false } },
    ),
  },
  which: { adding: asks({ ask: "which-endpoint", found: ["ngrok 0.tcp.eu.ngrok.io:15873 (line 3)", "cloudflare a-b-c.trycloudflare.com (line 9)"] }) },
  whose: { adding: asks({ ask: "whose-port", port: 7423, relays: ["me@relay.example.org"] }) },
  taken: { adding: asks({ ask: "name-taken", name: "colab", by: { by: "entry", file: "/home/me/.ssh/config", line: 12, loose: false }, free: "colab2" }) },
  loose: { adding: asks({ ask: "name-taken", name: "colab", by: { by: "entry", file: "/home/me/.ssh/config", line: 12, loose: true }, free: "colab2" }) },
  still: { adding: asks({ ask: "still-answers", at: "2.tcp.eu.ngrok.io:11020", to: "0.tcp.eu.ngrok.io:15873", unsure: null }, { checks: checks("runs") }) },
  reaching: { adding: { stage: { stage: "looks", at: "runtime" }, checks: checks("runs") } },
  key: { adding: asks(key, { checks: checks("good", "runs") }) },
  "key-again": {
    adding: asks(
      { ...key, before: [{ fingerprint: OLD, learned: "given by you" }], last_text: "no-fingerprint", relay_proved_nothing: "Port 7423 of me@relay.example.org is held by another user there, so it proves nothing." },
      { checks: checks("good", "runs") },
    ),
  },
  login: { adding: asks(login, { checks: checks("good", "good", "runs") }) },
  "login-again": { adding: asks({ ...login, problem: "The password was refused." }, { checks: checks("good", "good", "runs") }) },
  "relay-login": { adding: asks({ ask: "relay-login", relay: "me@relay.example.org", refused: true }, { checks: checks("runs") }) },
  unreachable: {
    adding: asks({ ask: "unreachable", cause: "0.tcp.eu.ngrok.io:15873 refuses connections: the tunnel is gone, or the cell does not run." }, { checks: checks("bad") }),
  },
  refused: {
    adding: {
      stage: {
        stage: "refuses",
        why: { reason: "relay-is-session", with: "trainer" },
        sentence: "the relay trainer has the name of a session, and ssh would go round in circles; give the relay’s own address, or choose another name for the session",
        remedies: ["choose-name", "paste-again"],
      },
      echo: PRINTED,
      read,
    },
  },
  "refused-key": {
    adding: {
      stage: {
        stage: "refuses",
        why: { reason: "not-writable", with: "" },
        sentence: "~/.ssh/config is read-only; make it writable and try again",
        remedies: ["try-again", "paste-again"],
      },
      checks: checks("good", "good", "good", "bad"),
    },
  },
  done: { adding: done, sessions: [session("colab", ONLINE)] },
  later: {
    adding: {
      stage: { stage: "done", outcome: { ...outcome, reachable: false, cause: "0.tcp.eu.ngrok.io:15873 refuses connections", ssh_works: null, host_key: null, remarks: [] } },
      checks: checks("bad", "waits", "waits", "good", "waits"),
    },
    sessions: [session("colab", { state: "waiting" })],
  },
  cell: { adding: first, clicks: [["#make-cell", 300]] },
  "cell-relay": { adding: first, clicks: [["#make-cell", 300], ["input[value=relay]", 500]] },
  steps: { adding: first, clicks: [["#make-cell", 300], ["#make", 500]] },
  "steps-online": {
    adding: first,
    other_secret: "NGROK_AUTHTOKEN",
    cellHealth: [{ state: "waiting" }, ONLINE],
    clicks: [["#make-cell", 300], ["#make", 500]],
  },
};
