//! Re-pointing, the pure part: what a session and its pins mean for `~/.ssh/config` and `known_hosts`.

use std::path::Path;

use moorline_ssh_files::{
    Alias, HostEntry, IdentityFile, InvalidName, KnownHostsEdit, KnownName, Place, ProxyCommand,
};

use crate::dirs::Dirs;
use crate::pins::{SessionPins, WrittenName};
use crate::session::{Link, Session};
use crate::ssh::SystemSsh;

/// The config entry that leads to a session's runtime.
///
/// # Errors
/// When a path of this machine (the home, the proxy program) holds characters that ssh's config cannot carry.
pub fn host_entry(session: &Session, dirs: &Dirs, ssh: &SystemSsh) -> Result<HostEntry, InvalidName> {
    let proxy_command = match &session.link {
        Link::Direct(_) | Link::Ngrok(_) => None,
        Link::Relay(link) => Some(ProxyCommand::from_argv(ssh.relay_proxy_argv(&link.relay, link.port))?),
        Link::Cloudflare(_) => {
            let program = path_text(&dirs.proxy_program())?;
            Some(ProxyCommand::from_argv([program.as_str(), "proxy", session.name.as_str()])?)
        }
    };
    let dialled = session.link.dialled();
    Ok(HostEntry {
        alias: session.name.clone(),
        host_name: dialled.map_or_else(|| session.name.to_host_name(), |place| place.host.clone()),
        port: dialled.map(|place| place.port),
        user: session.user.clone(),
        identity_file: match &session.identity_file {
            Some(own) => own.clone(),
            None => identity_file(dirs)?,
        },
        proxy_command,
    })
}

/// The login key's path as it stands in an entry. OpenSSH expands `~` from the password database, so a redirected
/// home needs the whole path.
fn identity_file(dirs: &Dirs) -> Result<IdentityFile, InvalidName> {
    if dirs.redirected { path_text(&dirs.login_key())?.parse() } else { "~/.ssh/moorline_ed25519".parse() }
}

fn path_text(path: &Path) -> Result<String, InvalidName> {
    // A path that is not UTF-8 keeps its replacement characters, which no validator takes: it is refused there.
    let text = path.to_string_lossy().into_owned();
    text.parse::<IdentityFile>()?;
    Ok(text)
}

/// What `known_hosts` is to hold for a session: its pinned keys under its alias and, for links that ssh dials
/// itself, under the endpoint at which a key was settled; and nothing of what was written for it before.
pub fn known_hosts_edit(session: &Session, pin: &SessionPins) -> KnownHostsEdit {
    let alias = KnownName::Alias(session.name.clone());
    let settled = settled_place(session, pin);
    let mut names = vec![alias];
    names.extend(settled.cloned().map(KnownName::Place));
    let keys: Vec<_> = pin.keys.iter().map(|pinned| pinned.key.clone()).collect();
    KnownHostsEdit {
        drop: if keys.is_empty() { Vec::new() } else { names.clone() },
        drop_pairs: stale_pairs(pin, settled),
        pin_names: names,
        pin_keys: keys,
    }
}

/// Takes a session out of `known_hosts` altogether.
pub fn forget_edit(alias: &Alias, pin: &SessionPins) -> KnownHostsEdit {
    KnownHostsEdit {
        drop: vec![KnownName::Alias(alias.clone())],
        drop_pairs: stale_pairs(pin, None),
        ..KnownHostsEdit::default()
    }
}

/// The endpoint, if a key was settled there: an endpoint that was merely pasted names no key yet, and whatever
/// the person's `known_hosts` says of it stays.
fn settled_place<'a>(session: &'a Session, pin: &SessionPins) -> Option<&'a Place> {
    let place = session.link.dialled()?;
    pin.written.iter().any(|written| written.place == *place && pin.holds(&written.key)).then_some(place)
}

fn stale_pairs(pin: &SessionPins, settled: Option<&Place>) -> Vec<(KnownName, moorline_ssh_files::HostKey)> {
    let current = |written: &&WrittenName| Some(&written.place) == settled && pin.holds(&written.key);
    pin.written
        .iter()
        .filter(|written| !current(written))
        .map(|written| (KnownName::Place(written.place.clone()), written.key.clone()))
        .collect()
}
