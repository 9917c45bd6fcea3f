//! `moorline cell`: the setup cell of a session, and the session itself if it is new.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{anyhow, bail};
use clap::{Args, ValueEnum};
use moorline_core::announce::cell::{
    self, Begun, Cell, CellLink, CellPlan, CellWay, Listen, ListenError, MakeCellError,
};
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::relay_setup::Prepared;
use moorline_core::store::session_keys::SessionKeyError;
use moorline_model::channel_settings::ChannelKind;
use moorline_model::session::{Link, RelayTarget, RemotePath, Session};
use moorline_ssh_files::{Alias, HostName, Port, UserName};
use serde_json::json;

use crate::ask::{Terminal, confirm};
use crate::printer::Printer;

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

fn channel(word: &str) -> Result<ChannelKind, &'static str> {
    ChannelKind::of_word(word).ok_or("a channel is ntfy, relay, ngrok or folder")
}

/// A folder of this computer, absolute, with a name that config.toml can hold.
fn own_folder(path: &str) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|error| error.to_string())
}

/// Runs the command.
pub fn run(args: &CellArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    let file = super::sessions(&tools)?;
    let known = file.get(&args.name);
    // Also one whose making was broken off.
    let silent = args.link.is_some() && file.channels(&args.name).channels.is_empty();
    let plan = planned(args, known, silent)?;
    let begun = super::block_on(cell::begin(&tools, &plan))?;
    if known.is_none() || !plan.listen.is_empty() {
        // Also where it was broken off: the session may be there.
        super::agent::reload(&tools);
    }
    let begun = begun.map_err(worded)?;
    if begun.is_new {
        printer.aside(format!(
            "{} is new; its host key is derived from its session key and pinned",
            begun.session.name
        ));
    }
    // Last, since it can fail half way: what is there by now is whole, and the same command goes on from here.
    prepare_relay(&tools, &begun, args, printer)?;
    let cell = begun.cell(&tools).map_err(worded)?;
    let (kind, text) = if args.announce_only {
        ("announce-line", cell.announce_line())
    } else if args.notebook {
        ("notebook", cell::notebook(&cell.session, &cell.setup()))
    } else {
        ("cell", cell.setup())
    };
    printer.json(&json!({ "session": cell.session, kind: text, "secret": cell.secret, "key_id": cell.key_id.as_str() }));
    if !printer.is_json() {
        printer.raw(&text);
    }
    advise(&cell, printer);
    Ok(ExitCode::SUCCESS)
}

/// What is to be made, or what is there and keeps its way.
fn planned(args: &CellArgs, known: Option<&Session>, silent: bool) -> anyhow::Result<CellPlan> {
    let said = args.link.is_some() || args.relay.is_some() || args.host.is_some() || args.port.is_some();
    let link = match known {
        Some(session) if !said => session.link.clone(),
        // The very command that made it may be said again.
        Some(session) => new_link(args).map_err(|_| other_way(session))?,
        None => new_link(args)?,
    };
    let listen = channels(args, &link, known.is_none() || silent)?;
    Ok(CellPlan { name: args.name.clone(), link, user: args.user.clone(), listen })
}

fn other_way(session: &Session) -> anyhow::Error {
    worded(MakeCellError::OtherWay { name: session.name.clone(), kind: session.link.kind() })
}

/// The next step as this command has it.
fn worded(error: MakeCellError) -> anyhow::Error {
    match error {
        MakeCellError::OtherWay { name, kind } => {
            anyhow!("{name} is there already, by {kind}; leave the link away, or forget the session first")
        }
        MakeCellError::Listen(ListenError::NoFolder(name)) => anyhow!(
            "the folder channel of {name} needs two places: --folder PATH, the folder on this computer that Drive, Syncthing or the like keeps in step, and --runtime-folder PATH, the same folder as the runtime sees it"
        ),
        MakeCellError::NotAKey(name) => SessionKeyError::Unreadable(name).into(),
        other => other.into(),
    }
}

fn new_link(args: &CellArgs) -> anyhow::Result<Link> {
    let name = &args.name;
    let way = match args.link {
        None => bail!(
            "there is no session {name}; say how its runtime is to be reached, such as --link cloudflare"
        ),
        Some(CellLinkKind::Relay) => {
            let (Some(relay), Some(port)) = (args.relay.clone(), args.port) else {
                bail!("a relay needs --relay HOST and --port PORT, a free port of the relay's loopback")
            };
            CellWay::Relay { relay, port }
        }
        Some(CellLinkKind::Cloudflare) => match args.host.clone() {
            Some(host) => CellWay::NamedTunnel { host },
            None => CellWay::QuickTunnel,
        },
        Some(CellLinkKind::Ngrok) => CellWay::Ngrok,
        Some(CellLinkKind::Direct) => {
            let (Some(host), Some(port)) = (args.host.clone(), args.port) else {
                bail!("a direct link needs --host and --port, where the runtime can be reached")
            };
            CellWay::Direct { host, port }
        }
    };
    Ok(way.link(name)?)
}

/// What is to be set of the session's channels: what the person says now, else for a new session what suits its link.
fn channels(args: &CellArgs, link: &Link, new: bool) -> anyhow::Result<Listen> {
    let mut said = args.channels.clone();
    if said.contains(&ChannelKind::Relay) && !matches!(link, Link::Relay(_)) {
        return Err(MakeCellError::NoRelay(args.name.clone()).into());
    }
    let folders_alone = said.is_empty() && (args.folder.is_some() || args.runtime_folder.is_some());
    if said.is_empty() && new && !folders_alone {
        said.push(if matches!(link, Link::Relay(_)) { ChannelKind::Relay } else { ChannelKind::Ntfy });
    }
    let channels = (!said.is_empty()).then_some(said);
    Ok(Listen { channels, folder: args.folder.clone(), runtime_folder: args.runtime_folder.clone() })
}

/// Writes the runtime's key line on the session's relay, if it has one and the person wants it.
fn prepare_relay(tools: &Tools, begun: &Begun, args: &CellArgs, printer: &Printer) -> anyhow::Result<()> {
    let Link::Relay(link) = &begun.session.link else { return Ok(()) };
    let (relay, port, wanted) = (&link.relay, link.port, args.prepare_relay);
    let first = begun.is_new || args.link.is_some();
    let mut terminal = if first && !wanted { Terminal::open(printer.is_json()) } else { None };
    let question = format!(
        "Let {}'s runtimes in on {relay}, for its port {port} and for announcing themselves alone (a line in its authorized_keys)?",
        begun.session.name
    );
    if !wanted && (terminal.is_none() || confirm(&mut terminal, &question).is_err()) {
        if first {
            printer.aside(format!(
                "{relay} does not let the runtime in yet: run this again with --prepare-relay"
            ));
        }
        return Ok(());
    }
    let done = super::block_on(cell::prepare_relay(tools, &begun.session))?.map_err(worded)?;
    printer.aside(match done {
        Prepared::Unchanged => format!("{relay} lets the runtime in already"),
        Prepared::Added => format!("{relay} lets the runtime in now: one port, one command, nothing else"),
        Prepared::Replaced => {
            format!("{relay} lets the runtime in by its new key, and by the old one no more")
        }
    });
    Ok(())
}

/// What must be done once by hand.
fn advise(cell: &Cell, printer: &Printer) {
    let secret = &cell.secret;
    printer.aside(format!(
        "once: put the session key into the notebook's secrets as {secret}; `moorline secret show-session-key {}` shows it",
        cell.session
    ));
    if let Some(other) = cell.other_secret() {
        let whose =
            if matches!(cell.link, CellLink::Ngrok) { "ngrok's authtoken" } else { "the tunnel's token" };
        printer.aside(format!("and {whose} as {other}"));
    }
}
