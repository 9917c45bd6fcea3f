//! `ssh` command lines that log in: the endpoint, the user, and the way over a relay.

use moorline_model::session::RelayTarget;
use moorline_ssh_files::{HostName, InvalidName, Port, UserName};

use super::super::places::{
    Authority, is_never, is_ngrok_tcp, is_nowhere, is_placeholder, is_public_service, is_quick_tunnel,
    link_to, looks_public,
};
use super::super::ssh_command::SshCommand;
use super::super::text::{Text, commands};
use super::super::{Confidence, Doubt, Finding, FoundLink, Notice, NoticeKind, What};
use super::hop::outside_hops;
use super::refused::refused;
use crate::recognisers::relay_target::relay_target;

const NAME: &str = "ssh-command";

pub fn find(text: &Text) -> Vec<Finding> {
    let commands = commands(text);
    outside_hops(commands).into_iter().filter(|c| c.remote_forwards.is_empty()).flat_map(read).collect()
}

fn read(command: &SshCommand) -> Vec<Finding> {
    let mut found = Vec::new();
    let note = |kind| {
        let notice = Notice { kind, line: command.line };
        Finding::new(NAME, command.line, Confidence::Certain, What::Notice(notice))
    };
    match login(command) {
        Ok(Some((confidence, what))) => found.push(Finding::new(NAME, command.line, confidence, what)),
        Err(reason) if is_meant(command) => found.push(refused(NAME, command.line, &reason)),
        Ok(None) | Err(_) => return found,
    }
    if command.proxy_command.is_some() {
        found.push(note(NoticeKind::ProxyCommandIgnored));
    }
    if command.checking_off {
        found.push(note(NoticeKind::CheckingOff));
    }
    found
}

/// Whether a refused value is worth a word: a sentence about ssh is not.
fn is_meant(command: &SshCommand) -> bool {
    let destination = command.destination.as_str();
    command.port.is_some()
        || destination.contains('@')
        || (command.stands_alone
            && (!destination.is_ascii() || destination.contains(['$', '`', ';', '|', '&', '(', '\0', '%'])))
}

type Login = Option<(Confidence, What)>;

fn login(command: &SshCommand) -> Result<Login, InvalidName> {
    let (user, place) = command.login_and_place();
    if is_placeholder(place) || user.is_some_and(is_placeholder) {
        return Ok(None);
    }
    let is_url = command.destination.starts_with("ssh://");
    let authority = Authority::split(if is_url { place.split('/').next().unwrap_or(place) } else { place });
    // Outside of a URL a colon can only be part of an IPv6 address.
    let host = command.host_name.as_deref().unwrap_or(if is_url { authority.host } else { place });
    let host: HostName = host.parse()?;
    // `user:password@` in a URL: the password has its own recogniser and must not be quoted.
    let user: Option<UserName> = user.map(|u| u.split(':').next().unwrap_or(u).parse()).transpose()?;
    let port = match command.port.as_deref().or(authority.port.filter(|_| is_url)) {
        Some(port) if is_placeholder(port) => return Ok(None),
        Some(port) => Some(port.parse::<Port>()?),
        None => None,
    };
    if is_never(&host) || is_nowhere(&host) || (!command.stands_alone && user.is_none() && port.is_none()) {
        return Ok(None);
    }
    let relay = relay_of(command)?;
    let what = match relay {
        Some(relay) if host.is_loopback() => {
            let port = port.unwrap_or(Port::SSH);
            What::Link { link: FoundLink::Relay { relay, port }, user }
        }
        Some(relay) => What::Doubt(Doubt::JumpElsewhere { relay, host, line: command.line }),
        None if host.is_loopback() => What::LoopbackPort { port: port.unwrap_or(Port::SSH), user },
        None if through_cloudflared(command) => What::Link { link: FoundLink::Cloudflare(host), user },
        None => {
            let confidence = match looks_public(&host) || host.as_str().contains(':') {
                true if user.is_some() || port.is_some() || is_known_tunnel(&host) => Confidence::Certain,
                true => Confidence::Likely,
                // A bare word is an alias of the person's own, which leads nowhere new.
                false if user.is_none() && port.is_none() => return Ok(None),
                false => Confidence::Guess,
            };
            let link = link_to(host, port.unwrap_or(Port::SSH));
            return Ok(Some((confidence, What::Link { link, user })));
        }
    };
    Ok(Some((Confidence::Certain, what)))
}

fn is_known_tunnel(host: &HostName) -> bool {
    is_ngrok_tcp(host) || is_quick_tunnel(host) || is_public_service(host)
}

fn through_cloudflared(command: &SshCommand) -> bool {
    command.proxy_command.as_deref().is_some_and(|c| c.contains("cloudflared") && c.contains(" access "))
}

/// The relay of `-J relay` or of a `ProxyCommand` that is itself an `ssh -W`.
fn relay_of(command: &SshCommand) -> Result<Option<RelayTarget>, InvalidName> {
    if let Some(jump) = &command.jump {
        return jump.parse().map(Some);
    }
    let inner =
        command.proxy_command.as_deref().and_then(|c| super::super::ssh_command::parse(c, command.line));
    let Some(inner) = inner.filter(|i| i.stdio_forward.is_some()) else { return Ok(None) };
    relay_target(&inner).map(Some)
}
