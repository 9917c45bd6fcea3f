//! `moorline cell`: the setup cell of a session, and the session itself if it is new.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::bail;
use moorline_core::cell::{self, Cell, CellChannels, CellLink, Listen, RelayWay};
use moorline_core::channel::{ChannelKind, ChannelSettings};
use moorline_core::clock;
use moorline_core::reach::relay_ssh;
use moorline_core::relay::{Prepared, prepare_session, relay_place};
use moorline_core::session::{Link, RelayLink, RelayTarget, Session};
use moorline_core::session_key;
use moorline_core::settle;
use moorline_core::tools::Tools;
use moorline_ssh_files::{HostName, Place, Port, UserName};
use serde_json::json;

use super::claimed;
use crate::args::{CellArgs, CellLinkKind};
use crate::ask::{Terminal, confirm};
use crate::printer::Printer;

/// Logging in to a relay may need a hand on a key.
const RELAY_LIMIT: Duration = Duration::from_secs(60);

/// Runs the command.
pub fn run(args: &CellArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let tools = super::tools()?;
    let file = super::sessions(&tools)?;
    let known = file.get(&args.name);
    let link = match known {
        Some(session) => {
            refuse_another_way(args, session)?;
            session.link.clone()
        }
        None => new_link(args)?,
    };
    // Also one whose making was broken off.
    let silent = args.link.is_some() && file.channels(&args.name).channels.is_empty();
    let listen = channels(args, &link, known.is_none() || silent)?;
    if !listen.is_empty() {
        // Before a session is made and before anything is written: a cell that cannot be made leaves nothing behind.
        listen.on(&args.name, file.channels(&args.name), &file.remembered(&args.name).cell)?;
    }
    let session = match known {
        Some(session) => session.clone(),
        None => planned(&tools, args, link)?,
    };
    let relay = match &session.link {
        Link::Relay(link) => Some(super::block_on(way_to_relay(&tools, &session, &link.relay))??),
        _ => None,
    };
    if known.is_none() {
        begin(&tools, &session, printer)?;
    }
    let channels = if listen.is_empty() {
        file.channels(&session.name)
    } else {
        let settings = cell::listen_to(&tools, &session.name, &listen)?;
        super::agent::reload(&tools);
        settings
    };
    // Last, since it can fail half way: what is there by now is whole, and the same command goes on from here.
    if let Link::Relay(link) = &session.link {
        let first = known.is_none() || args.link.is_some();
        prepare_relay(&tools, &session, link, args.prepare_relay, first, printer)?;
    }
    let cell = gather(&tools, &session, &channels, relay)?;
    let (kind, text) = if args.announce_only {
        ("announce-line", cell.announce_line())
    } else if args.notebook {
        ("notebook", cell::notebook(&cell.session, &cell.setup()))
    } else {
        ("cell", cell.setup())
    };
    printer.json(&json!({ "session": session.name, kind: text, "secret": cell.secret, "key_id": cell.key_id.as_str() }));
    if !printer.is_json() {
        printer.raw(&text);
    }
    advise(&cell, printer);
    Ok(ExitCode::SUCCESS)
}

fn refuse_another_way(args: &CellArgs, session: &Session) -> anyhow::Result<()> {
    let given = args.link.is_some() || args.relay.is_some() || args.host.is_some() || args.port.is_some();
    // The very command that made it may be said again.
    let same = new_link(args).is_ok_and(|link| link.described() == session.link.described())
        && args.user.as_ref().is_none_or(|user| *user == session.user);
    if (given || args.user.is_some()) && !same {
        bail!(
            "{} is there already, by {}; leave the link away, or forget the session first",
            session.name,
            session.link.kind()
        );
    }
    Ok(())
}

/// A new session, of which nothing is written yet.
fn planned(tools: &Tools, args: &CellArgs, link: Link) -> anyhow::Result<Session> {
    claimed::refuse(tools, &args.name)?;
    Ok(Session {
        name: args.name.clone(),
        link,
        user: args.user.clone().unwrap_or_else(UserName::root),
        folder: None,
        identity_file: None,
    })
}

/// Makes a session that has had no runtime yet. Its host key is known before there is one.
fn begin(tools: &Tools, session: &Session, printer: &Printer) -> anyhow::Result<()> {
    let name = &session.name;
    super::block_on(settle::begin(tools, session, clock::now()))??;
    super::agent::reload(tools);
    printer.aside(format!("{name} is new; its host key is derived from its session key and pinned"));
    Ok(())
}

fn new_link(args: &CellArgs) -> anyhow::Result<Link> {
    let name = &args.name;
    // Until its first runtime has announced itself it is nowhere: a name that is never found (RFC 2606).
    let nowhere = || format!("{name}.invalid").parse::<HostName>();
    Ok(match args.link {
        None => bail!(
            "there is no session {name}; say how its runtime is to be reached, such as --link cloudflare"
        ),
        Some(CellLinkKind::Relay) => {
            let (Some(relay), Some(port)) = (args.relay.clone(), args.port) else {
                bail!("a relay needs --relay HOST and --port PORT, a free port of the relay's loopback")
            };
            Link::Relay(RelayLink { relay, port, mine_alone: false })
        }
        Some(CellLinkKind::Cloudflare) => Link::Cloudflare(match &args.host {
            Some(host) => host.clone(),
            None => nowhere()?,
        }),
        Some(CellLinkKind::Ngrok) => Link::Ngrok(Place { host: nowhere()?, port: Port::try_from(1)? }),
        Some(CellLinkKind::Direct) => {
            let (Some(host), Some(port)) = (args.host.clone(), args.port) else {
                bail!("a direct link needs --host and --port, where the runtime can be reached")
            };
            Link::Direct(Place { host, port })
        }
    })
}

/// What is to be set of the session's channels: what the person says now, else for a new session what suits its link.
fn channels(args: &CellArgs, link: &Link, new: bool) -> anyhow::Result<Listen> {
    let mut said = args.channels.clone();
    if said.contains(&ChannelKind::Relay) && !matches!(link, Link::Relay(_)) {
        bail!(
            "{} goes through no relay that could hold its announcements; choose another channel",
            args.name
        );
    }
    let folders_alone = said.is_empty() && (args.folder.is_some() || args.runtime_folder.is_some());
    if said.is_empty() && new && !folders_alone {
        said.push(if matches!(link, Link::Relay(_)) { ChannelKind::Relay } else { ChannelKind::Ntfy });
    }
    let (folder, runtime_folder) = (args.folder.clone(), args.runtime_folder.clone());
    Ok(Listen { channels: said, folder, runtime_folder })
}

fn gather(
    tools: &Tools,
    session: &Session,
    channels: &ChannelSettings,
    relay: Option<RelayWay>,
) -> anyhow::Result<Cell> {
    let options = super::sessions(tools)?.remembered(&session.name).cell;
    // The person's own file may name the channel without its folders.
    Listen::default().on(&session.name, channels.clone(), &options)?;
    let channels = CellChannels::of(channels, &options);
    Ok(cell::cell_of(tools, session, options, channels, relay)?)
}

/// Where the runtime finds the relay, and the key it is to insist on there.
async fn way_to_relay(tools: &Tools, session: &Session, relay: &RelayTarget) -> anyhow::Result<RelayWay> {
    let found = relay_place(&relay_ssh(tools, session), relay, RELAY_LIMIT).await?;
    if found.behind_another {
        bail!(
            "your ssh reaches {relay} through another machine, which a runtime cannot; name a relay that the internet reaches"
        );
    }
    let Place { host, port } = found.place;
    Ok(RelayWay { host, port, user: found.user, host_keys: vec![found.key] })
}

/// Writes the runtime's key line there, if the person wants it.
fn prepare_relay(
    tools: &Tools,
    session: &Session,
    link: &RelayLink,
    wanted: bool,
    first: bool,
    printer: &Printer,
) -> anyhow::Result<()> {
    let RelayLink { relay, port, .. } = link;
    let mut terminal = if first && !wanted { Terminal::open(printer.is_json()) } else { None };
    let question = format!(
        "Let {}'s runtimes in on {relay}, for its port {port} and for announcing themselves alone (a line in its authorized_keys)?",
        session.name
    );
    if !wanted && (terminal.is_none() || confirm(&mut terminal, &question).is_err()) {
        if first {
            printer.aside(format!(
                "{relay} does not let the runtime in yet: run this again with --prepare-relay"
            ));
        }
        return Ok(());
    }
    let key = session_key::create(tools, &session.name)?;
    let ssh = relay_ssh(tools, session);
    let done = super::block_on(prepare_session(tools, &ssh, session, &key, RELAY_LIMIT))??;
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
    match &cell.link {
        CellLink::Ngrok => printer.aside("and ngrok's authtoken as NGROK_AUTHTOKEN"),
        CellLink::Cloudflare(Some(_)) => printer.aside("and the tunnel's token as TUNNEL_TOKEN"),
        _ => {}
    }
}
