//! The command line's grammar.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use moorline_model::channel_settings::ChannelKind;
use moorline_model::colab_runtime::EndpointId;
use moorline_model::secret_kind::SecretKind;
use moorline_model::session::{RelayTarget, RemotePath};
use moorline_ssh_files::{Alias, Fingerprint, HostName, Port, UserName};

/// One ssh alias for a Colab runtime that drifts.
///
/// Paste what the notebook's cell printed, and `ssh NAME`, VS Code and PyCharm keep working across restarts of
/// the runtime: Moorline rewrites the ssh config entry and the host key, and asks before it trusts a new key.
#[derive(Debug, Parser)]
#[command(name = "moorline", version, arg_required_else_help = true, after_help = EXAMPLES)]
pub struct Cli {
    /// Print one JSON object instead of text; never asks.
    #[arg(long, global = true)]
    pub json: bool,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  moorline demo                       see the whole thing on a practice runtime, in a throw-away home
  moorline add colab                  paste what the cell printed, then press Ctrl-D
  moorline add colab --from cell.txt  the same from a file
  moorline repair colab               the runtime restarted: fetch its key, compare, re-pin
  moorline open colab --in vscode     open the editor on it

Exit status: 0 done; 1 failed, and nothing was changed or only mended; 2 wrong usage.";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Follow a runtime: read what its cell printed and make `ssh NAME` work. Pasting again re-points NAME.
    Add(AddArgs),
    /// Show the sessions and what Moorline knows of them.
    Status(StatusArgs),
    /// Fetch the host key that answers now, compare it with the pinned one, and mend the ssh files.
    Repair(RepairArgs),
    /// Stop following a session and undo everything that was written for it.
    Forget(ForgetArgs),
    /// Print the notebook cell that makes a runtime reachable and tells this desktop where it is.
    Cell(CellArgs),
    /// Open an editor or a terminal on a session.
    Open(OpenArgs),
    /// Keep, list or delete secrets in the system's keyring.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Check the keyring, ssh, file modes, editors and clock, and say what to do.
    Doctor,
    /// Watch the sessions in the foreground, without a desktop: repair, and say what happens, one line each.
    ///
    /// On a terminal the lines are words. Into a pipe or a file each is a JSON object, with or without `--json`.
    Watch,
    /// Play the whole story on a practice runtime on this machine, in a throw-away home.
    Demo(DemoArgs),
    /// Hold the one connection of a session for all its editors (started by `moorline-proxy`).
    #[command(hide = true)]
    Hub(HubArgs),
    /// Forget every session and remove all that Moorline has written on this machine.
    Uninstall(UninstallArgs),
    /// Print a completion script.
    Completions(CompletionsArgs),
}

impl Command {
    /// The session that it is about, if the person named one.
    pub fn session(&self) -> Option<&Alias> {
        match self {
            Self::Add(args) => args.name.as_ref(),
            Self::Status(args) => args.name.as_ref(),
            Self::Repair(args) => args.name.as_ref(),
            Self::Forget(args) => Some(&args.name),
            Self::Cell(args) => Some(&args.name),
            Self::Open(args) => Some(&args.name),
            Self::Hub(args) => Some(&args.name),
            Self::Secret(_)
            | Self::Doctor
            | Self::Watch
            | Self::Demo(_)
            | Self::Uninstall(_)
            | Self::Completions(_) => None,
        }
    }
}

/// `moorline add`
#[derive(Debug, Args)]
pub struct AddArgs {
    /// The session's name, which is also the ssh alias. Default: the one in the text, else `colab`.
    pub name: Option<Alias>,
    /// Where the pasted text comes from; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    /// Follow a runtime of your Google account over Google's own SSH; without RUNTIME, the only one or the one you choose.
    #[arg(long, value_name = "RUNTIME", num_args = 0..=1, conflicts_with_all = ["from", "relay", "relay_is_mine_alone"])]
    #[expect(clippy::option_option, reason = "clap's form of an option whose value may be left out")]
    pub colab: Option<Option<EndpointId>>,
    /// The relay that holds the runtime's port, as your own ssh knows it.
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub relay: Option<RelayTarget>,
    /// Nobody but you can log in to the relay: a key seen on its port, held by your own login, is trusted.
    #[arg(long)]
    pub relay_is_mine_alone: bool,
    /// The user on the runtime, if the text does not say it. Default: root.
    #[arg(long)]
    pub user: Option<UserName>,
    /// The folder that editors open, such as /content.
    #[arg(long, value_name = "PATH")]
    pub folder: Option<RemotePath>,
    /// Log in with this key of yours instead of the one that Moorline makes.
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    #[command(flatten)]
    pub trust: TrustArgs,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Answer yes to the questions about names and endpoints; never to one about a host key.
    #[arg(long, short)]
    pub yes: bool,
}

/// What vouches for a host key.
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// Accept exactly this host key, as `ssh-keygen -lf` prints it on the runtime.
    #[arg(long, value_name = "SHA256:…")]
    pub fingerprint: Option<Fingerprint>,
    /// Accept whatever key answers now without comparing. Anyone between you and the runtime could be it.
    #[arg(long, conflicts_with = "fingerprint")]
    pub trust_first_use: bool,
}

/// `moorline status`
#[derive(Debug, Args)]
pub struct StatusArgs {
    /// Only this session.
    pub name: Option<Alias>,
    /// Knock at each endpoint, and say what answers.
    #[arg(long)]
    pub check: bool,
}

/// `moorline repair`
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct RepairArgs {
    /// Which session. Default: the only one.
    pub name: Option<Alias>,
    /// Text that the restarted cell printed, to re-point the session with; `-` is standard input.
    #[arg(long, value_name = "FILE")]
    pub from: Option<PathBuf>,
    #[command(flatten)]
    pub trust: TrustArgs,
    /// Also mend the relay's own known_hosts, for people who hop on from there.
    #[arg(long, conflicts_with = "from")]
    pub relay_known_hosts: bool,
    /// Let the session's runtimes in on its relay, for its port and its announcements, and do nothing else.
    #[arg(long, conflicts_with_all = ["from", "relay_known_hosts", "dry_run"])]
    pub prepare_relay: bool,
    /// Show the ngrok agents that former runtimes left behind, ask for each whether to stop it, and do nothing else.
    #[arg(long, conflicts_with_all = ["from", "relay_known_hosts", "dry_run", "prepare_relay"])]
    pub stop_agents: bool,
    /// Follow the other runtime that announced itself while this one is online, and do nothing else.
    #[arg(long, conflicts_with_all = ["from", "relay_known_hosts", "dry_run", "prepare_relay", "stop_agents"])]
    pub take_over: bool,
    /// Show what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Answer yes to the questions about names and endpoints; never to one about a host key.
    #[arg(long, short)]
    pub yes: bool,
}

/// `moorline forget`
#[derive(Debug, Args)]
pub struct ForgetArgs {
    /// Which session.
    pub name: Alias,
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// `moorline cell`
#[derive(Debug, Args)]
pub struct CellArgs {
    /// Which session. One that does not exist yet is made: say its --link.
    pub name: Alias,
    /// Print a whole notebook (.ipynb) instead of the cell.
    #[arg(long, conflicts_with = "announce_only")]
    pub notebook: bool,
    /// Print the one line that announces a runtime, for the end of a cell of your own.
    #[arg(long)]
    pub announce_only: bool,
    /// How the runtime is to be reached, for a new session.
    #[arg(long)]
    pub link: Option<CellLinkKind>,
    /// The relay, for a new session behind one, as your own ssh knows it.
    #[arg(long, value_name = "[USER@]HOST[:PORT]")]
    pub relay: Option<RelayTarget>,
    /// The host name of a named Cloudflare tunnel or of a direct link, for a new session.
    #[arg(long)]
    pub host: Option<HostName>,
    /// The port on the relay or of a direct link, for a new session.
    #[arg(long)]
    pub port: Option<Port>,
    /// The user on the runtime, for a new session. Default: root.
    #[arg(long)]
    pub user: Option<UserName>,
    /// Over which channels the runtime announces itself and this desktop listens, from now on. Default for a new
    /// session: relay behind a relay, else ntfy.
    #[arg(long = "channel", value_name = "CHANNEL", value_delimiter = ',', value_parser = channel)]
    pub channels: Vec<ChannelKind>,
    /// For the folder channel: the folder on this computer that Drive, Syncthing or the like keeps in step.
    #[arg(long, value_name = "PATH", value_parser = own_folder)]
    pub folder: Option<PathBuf>,
    /// For the folder channel: the same folder as the runtime sees it, such as /content/drive/MyDrive/moorline.
    #[arg(long, value_name = "PATH")]
    pub runtime_folder: Option<RemotePath>,
    /// Let the runtime in on the relay: add its key line there, restricted to one port and one command.
    #[arg(long)]
    pub prepare_relay: bool,
}

fn channel(word: &str) -> Result<ChannelKind, &'static str> {
    ChannelKind::of_word(word).ok_or("a channel is ntfy, relay, ngrok or folder")
}

/// A folder of this computer, absolute, with a name that config.toml can hold.
fn own_folder(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| error.to_string())
}

/// Links that a setup cell opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum CellLinkKind {
    /// A port on a relay of your own.
    Relay,
    /// A Cloudflare tunnel: a quick one, or with --host a named one.
    Cloudflare,
    /// An ngrok TCP endpoint.
    Ngrok,
    /// A place where the runtime can be reached anyway.
    Direct,
}

/// `moorline open`
#[derive(Debug, Args)]
pub struct OpenArgs {
    /// Which session.
    pub name: Alias,
    /// The program.
    #[arg(long = "in", value_name = "EDITOR", default_value = "vscode")]
    pub editor: moorline_model::editor::Editor,
    /// The folder on the runtime. Default: the session's, else /content.
    pub path: Option<RemotePath>,
    /// In a terminal: inside `tmux new -A -s main`, so that what runs there outlives a lost connection.
    #[arg(long)]
    pub tmux: bool,
    /// Print the argument list or the link, one argument a line, and start nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// `moorline secret`
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Store a secret; it is asked for without echo, or read from standard input.
    Set(SecretSetArgs),
    /// Name the secrets that are stored, never their values.
    List,
    /// Delete a secret.
    Delete(SecretArgs),
    /// Make a session's key, with which its runtimes announce themselves; one that is there stays.
    NewSessionKey(NewKeyArgs),
    /// Show a session's key on this terminal, to be put into the notebook's secrets.
    ShowSessionKey(ShowKeyArgs),
}

/// `moorline secret new-session-key`
#[derive(Debug, Args)]
pub struct NewKeyArgs {
    /// The session; it need not be there yet.
    pub name: Alias,
    /// Make the next one in the place of the one that is there.
    #[arg(long)]
    pub rotate: bool,
}

/// `moorline secret show-session-key`
#[derive(Debug, Args)]
pub struct ShowKeyArgs {
    /// The session.
    pub name: Alias,
}

/// `moorline secret set`
#[derive(Debug, Args)]
pub struct SecretSetArgs {
    #[command(flatten)]
    pub which: SecretArgs,
    /// Copy google-colab-cli's sign-in (for google-refresh-token).
    #[arg(long)]
    pub from_colab_cli: bool,
    /// Copy gcloud's Application Default Credentials (for google-refresh-token).
    #[arg(long, conflicts_with = "from_colab_cli")]
    pub from_gcloud: bool,
}

/// Which secret.
#[derive(Debug, Args)]
pub struct SecretArgs {
    /// The session it belongs to; for an account's secret, what it is: ngrok-api-key or google-refresh-token.
    pub name: Alias,
    /// What it is. Default: password.
    pub kind: Option<SecretKind>,
}

/// `moorline demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Keep the throw-away home and say where it is.
    #[arg(long)]
    pub keep: bool,
}

/// `moorline hub`
#[derive(Debug, Args)]
pub struct HubArgs {
    /// Which session.
    pub name: Alias,
    /// How many seconds it stays when nobody needs it.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub idle: u64,
}

/// `moorline uninstall`
#[derive(Debug, Args)]
pub struct UninstallArgs {
    /// Do not ask.
    #[arg(long, short)]
    pub yes: bool,
}

/// `moorline completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: Shell,
}

/// Shells that completions can be made for.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Shell {
    /// bash
    Bash,
    /// zsh
    Zsh,
    /// fish
    Fish,
    /// Windows `PowerShell`
    Powershell,
    /// elvish
    Elvish,
}

#[cfg(test)]
mod tests;
