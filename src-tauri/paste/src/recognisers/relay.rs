//! Reverse tunnels: `ssh -R 7423:127.0.0.1:22 user@relay`, as a cell runs it, and the port that a relay allocated.

use moorline_model::session::RelayTarget;
use moorline_ssh_files::{InvalidName, Place, Port};

use super::super::places::{is_other_service, is_placeholder, is_public_service};
use super::super::ssh_command::SshCommand;
use super::super::text::{Text, commands};
use super::super::{Confidence, Doubt, Finding, FoundLink, What};
use super::refused::refused;
use super::relay_target::relay_target;

const NAME: &str = "relay";

pub fn find(text: &Text) -> Vec<Finding> {
    let mut found = Vec::new();
    let allocated = allocated(text);
    for command in commands(text) {
        for forward in &command.remote_forwards {
            match read(allocated, command, forward) {
                Ok(findings) => found.extend(findings),
                Err(reason) => found.push(refused(NAME, command.line, &reason)),
            }
        }
    }
    found
}

fn read(allocated: Option<Port>, command: &SshCommand, forward: &str) -> Result<Vec<Finding>, InvalidName> {
    let Some(forward) = Forward::split(forward) else { return Ok(Vec::new()) };
    let (user, place) = command.login_and_place();
    let told = [forward.port, forward.target_port, place, user.unwrap_or_default()];
    if told.into_iter().chain(command.port.as_deref()).any(is_placeholder) {
        return Ok(Vec::new());
    }
    let target: Port = forward.target_port.parse()?;
    if target != Port::SSH && is_other_service(target) {
        return Ok(Vec::new());
    }
    let relay = relay_target(command)?;
    let line = command.line;
    let confidence = if target == Port::SSH { Confidence::Certain } else { Confidence::Likely };
    let finding = |what| Finding::new(NAME, line, confidence, what);
    let port = if forward.port == "0" { allocated } else { Some(forward.port.parse()?) };
    let Some(port) = port else {
        // Such services print the endpoint themselves.
        let told = is_public_service(&relay.host);
        return Ok(if told {
            Vec::new()
        } else {
            vec![finding(What::Doubt(Doubt::PortNotTold { relay, line }))]
        });
    };
    if is_public_service(&relay.host) {
        let link = FoundLink::Direct(Place { host: relay.host, port });
        return Ok(vec![finding(What::Link { link, user: None })]);
    }
    if forward.is_public() {
        return Ok(public(relay, port, line).into_iter().map(finding).collect());
    }
    Ok(vec![finding(What::Link { link: FoundLink::Relay { relay, port }, user: None })])
}

fn public(relay: RelayTarget, port: Port, line: usize) -> [What; 2] {
    let link = FoundLink::Direct(Place { host: relay.host.clone(), port });
    [What::Link { link, user: None }, What::Doubt(Doubt::PublicListener { relay, port, line })]
}

/// The last `Allocated port 43210 for remote forward to localhost:22` (OpenSSH ssh(1), `-R 0:…`).
fn allocated(text: &Text) -> Option<Port> {
    text.lines.iter().rev().find_map(|line| {
        let rest = line.text.split_once("Allocated port ")?.1;
        let (port, rest) = rest.split_once(' ')?;
        rest.starts_with("for remote forward").then(|| port.parse().ok()).flatten()
    })
}

/// `[bind:]port:host:hostport`, not yet believed.
struct Forward<'a> {
    bind: Option<&'a str>,
    port: &'a str,
    target_port: &'a str,
}

impl<'a> Forward<'a> {
    /// `None` for forms that do not forward to a TCP port: sockets and dynamic ones.
    fn split(value: &'a str) -> Option<Self> {
        let (rest, target_port) = value.rsplit_once(':')?;
        let (rest, host) = rest.rsplit_once(':')?;
        if host.contains('/') || target_port.contains('/') || rest.is_empty() {
            return None;
        }
        let (bind, port) = match rest.rsplit_once(':') {
            Some((bind, port)) => (Some(bind), port),
            None => (None, rest),
        };
        Some(Self { bind, port, target_port })
    }

    /// Without a bind address sshd listens on the loopback, unless its administrator said otherwise.
    fn is_public(&self) -> bool {
        !matches!(self.bind, None | Some("localhost" | "127.0.0.1" | "::1" | "[::1]"))
    }
}
