//! Two commands that are typed one after the other: `ssh me@relay`, and there `ssh -p7423 root@127.0.0.1`; also nested,
//! `ssh -t me@relay ssh -p7423 root@127.0.0.1`. Both together are one way, and the machine in between is its relay.

use moorline_ssh_files::{HostName, InvalidName, Port, UserName};

use super::super::places::is_placeholder;
use super::super::ssh_command::{SshCommand, parse};
use super::super::text::{Text, commands};
use super::super::{Confidence, Doubt, Finding, FoundLink, What};
use super::refused::refused;
use super::relay_target::relay_target;

const NAME: &str = "ssh-hop";

pub fn find(text: &Text) -> Vec<Finding> {
    hops(commands(text)).filter_map(|hop| hop.finding()).collect()
}

/// A login and the one that starts where it ends.
#[derive(Debug)]
pub struct Hop {
    /// The first, which leads to the machine in between.
    pub outer: SshCommand,
    inner: SshCommand,
    /// The port on the machine in between, not yet believed.
    port: Option<String>,
}

/// The hops of a text.
pub fn hops(commands: &[SshCommand]) -> impl Iterator<Item = Hop> {
    commands.iter().enumerate().filter_map(|(index, outer)| Hop::of(outer, commands.get(index + 1)))
}

/// The commands that belong to no hop.
pub fn outside_hops(commands: &[SshCommand]) -> Vec<&SshCommand> {
    let typed = |at: usize| Hop::typed(commands.get(at)?, commands.get(at + 1)?);
    let begins = |at: usize| Hop::nested(&commands[at]).or_else(|| typed(at)).is_some();
    let ends = |at: usize| at.checked_sub(1).and_then(typed).is_some();
    (0..commands.len()).filter(|at| !begins(*at) && !ends(*at)).map(|at| &commands[at]).collect()
}

impl Hop {
    fn of(outer: &SshCommand, next: Option<&SshCommand>) -> Option<Self> {
        Self::nested(outer).or_else(|| Self::typed(outer, next?))
    }

    fn typed(outer: &SshCommand, inner: &SshCommand) -> Option<Self> {
        let user_told = outer.login_and_place().0.is_some();
        if !is_login(outer) || !(outer.stands_alone || user_told) || outer.remote_command.is_some() {
            return None;
        }
        if !is_login(inner) || loopback(inner).is_none() {
            return None;
        }
        let port = if outer.local_forwards.is_empty() && !outer.no_shell {
            inner.port.clone()
        } else {
            Some(forwarded(outer, inner)?)
        };
        Some(Self { outer: outer.clone(), inner: inner.clone(), port })
    }

    fn nested(outer: &SshCommand) -> Option<Self> {
        let inside = outer.remote_command.as_deref()?;
        // The label of `ssh command: ssh -p 1 root@h` is no machine.
        if relay_target(outer).is_err() && !outer.destination.contains('@') {
            return None;
        }
        let inner = parse(inside, outer.line).filter(is_login)?;
        let begins = inside.split_whitespace().next().is_some_and(|w| w == "ssh" || w.ends_with("/ssh"));
        let port = inner.port.clone();
        (is_login(outer) && (begins || loopback(&inner).is_some())).then(|| Self {
            outer: outer.clone(),
            inner,
            port,
        })
    }

    fn finding(&self) -> Option<Finding> {
        let line = self.outer.line;
        match self.what() {
            Ok(what) => what.map(|what| Finding::new(NAME, line, Confidence::Certain, what)),
            Err(reason) => Some(refused(NAME, line, &reason)),
        }
    }

    fn what(&self) -> Result<Option<What>, InvalidName> {
        let (user, place) = self.inner.login_and_place();
        let said = [self.outer.login_and_place().1, place, user.unwrap_or_default()];
        if said.into_iter().chain(self.port.as_deref()).any(is_placeholder) {
            return Ok(None);
        }
        let relay = relay_target(&self.outer)?;
        let host: HostName = place.parse()?;
        let user: Option<UserName> = user.map(str::parse).transpose()?;
        let port = self.port.as_deref().map(str::parse).transpose()?.unwrap_or(Port::SSH);
        Ok(Some(if host.is_loopback() {
            What::Link { link: FoundLink::Relay { relay, port }, user }
        } else {
            What::Doubt(Doubt::JumpElsewhere { relay, host, line: self.inner.line })
        }))
    }
}

/// Whether the command does nothing but log in.
fn is_login(command: &SshCommand) -> bool {
    command.remote_forwards.is_empty()
        && command.jump.is_none()
        && command.proxy_command.is_none()
        && command.stdio_forward.is_none()
}

/// The loopback host that a command goes to.
fn loopback(command: &SshCommand) -> Option<HostName> {
    command.login_and_place().1.parse().ok().filter(HostName::is_loopback)
}

/// Where `ssh -L 2022:localhost:7423 me@relay` leads a login to port 2022 of this computer.
fn forwarded(outer: &SshCommand, inner: &SshCommand) -> Option<String> {
    outer.local_forwards.iter().find_map(|forward| {
        let (rest, there) = forward.rsplit_once(':')?;
        let (rest, host) = rest.rsplit_once(':')?;
        let here = rest.rsplit_once(':').map_or(rest, |(_, here)| here);
        let loopback = host.parse().is_ok_and(|host: HostName| host.is_loopback());
        (loopback && inner.port.as_deref() == Some(here)).then(|| there.to_owned())
    })
}
