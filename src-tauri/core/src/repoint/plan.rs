//! Re-pointing, the pure part: what a session and its pins mean for `~/.ssh/config` and `known_hosts`.

use std::path::Path;

use moorline_model::session::{Link, Session};
use moorline_ssh_files::{
    Alias, HostEntry, IdentityFile, InvalidName, KnownHostsEdit, KnownName, Place, ProxyCommand,
};

use crate::ssh::SystemSsh;
use crate::store::dirs::Dirs;
use crate::store::pins_json::{SessionPins, WrittenName, runs_our_proxy};

/// The config entry that leads to a session's runtime.
///
/// # Errors
/// When a path of this machine (the home, the proxy program) holds characters that ssh's config cannot carry.
pub fn host_entry(
    session: &Session,
    pin: &SessionPins,
    dirs: &Dirs,
    ssh: &SystemSsh,
) -> Result<HostEntry, InvalidName> {
    if dirs.redirected {
        // It stands in the options of every ssh run.
        path_text(&dirs.ssh)?;
    }
    let proxy_command = match &session.link {
        Link::Relay(link) => Some(ProxyCommand::from_argv(ssh.relay_proxy_argv(&link.relay, link.port))?),
        _ if !runs_our_proxy(session, pin) => None,
        _ => {
            let program = path_text(&dirs.proxy_program())?;
            Some(ProxyCommand::from_argv([program.as_str(), session.name.as_str()])?)
        }
    };
    let dialled = session.link.dialled().filter(|_| proxy_command.is_none());
    Ok(HostEntry {
        alias: session.name.clone(),
        host_name: dialled.map_or_else(|| session.name.to_host_name(), |place| place.host.clone()),
        port: dialled.map(|place| place.port),
        user: session.user.clone(),
        identity_file: match &session.identity_file {
            Some(own) => own.clone(),
            None => in_ssh_dir(dirs, &dirs.login_key(), "~/.ssh/moorline_ed25519")?,
        },
        known_hosts_file: in_ssh_dir(dirs, &dirs.ssh.join("known_hosts"), "~/.ssh/known_hosts")?,
        proxy_command,
    })
}

/// The path of a file in `.ssh` as it stands in an entry. OpenSSH expands `~` from the password database, so a
/// redirected home needs the whole path.
fn in_ssh_dir(dirs: &Dirs, whole: &Path, by_tilde: &str) -> Result<IdentityFile, InvalidName> {
    if dirs.redirected { whole.try_into() } else { by_tilde.parse() }
}

fn path_text(path: &Path) -> Result<String, InvalidName> {
    Ok(IdentityFile::try_from(path)?.as_str().to_owned())
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
    let place = session.link.dialled().filter(|_| !pin.derived())?;
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

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use jiff::Timestamp;
    use moorline_ssh_files::HostKey;

    use super::*;
    use crate::ssh::Prompts;
    use moorline_model::session::RelayLink;
    use moorline_model::trust::Trust;

    fn key(n: u8) -> HostKey {
        let mut blob = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
        blob.extend([n; 32]);
        HostKey::from_blob(&blob).unwrap()
    }

    fn place(host: &str, port: &str) -> Place {
        Place { host: host.parse().unwrap(), port: port.parse().unwrap() }
    }

    fn session(link: Link) -> Session {
        Session {
            name: "colab".parse().unwrap(),
            link,
            user: "root".parse().unwrap(),
            folder: None,
            identity_file: None,
        }
    }

    fn ssh() -> SystemSsh {
        SystemSsh {
            program: PathBuf::from("/usr/bin/ssh"),
            config: None,
            known_hosts: None,
            prompts: Prompts::Never,
        }
    }

    fn alias() -> KnownName {
        KnownName::Alias("colab".parse().unwrap())
    }

    #[test]
    fn a_dialled_link_names_its_endpoint_and_a_proxied_one_its_alias() {
        let dirs = Dirs::under(Path::new("/home/me"));
        let direct = host_entry(
            &session(Link::Ngrok(place("0.tcp.ngrok.io", "1234"))),
            &SessionPins::default(),
            &dirs,
            &ssh(),
        )
        .unwrap();
        assert_eq!(
            (direct.host_name.as_str(), direct.port),
            ("0.tcp.ngrok.io", Some("1234".parse().unwrap()))
        );
        assert_eq!(direct.proxy_command, None);

        let relay = RelayLink {
            relay: "me@relay".parse().unwrap(),
            port: "7423".parse().unwrap(),
            mine_alone: false,
        };
        let relayed =
            host_entry(&session(Link::Relay(relay)), &SessionPins::default(), &dirs, &ssh()).unwrap();
        assert_eq!((relayed.host_name.as_str(), relayed.port), ("colab", None));
        let command = relayed.proxy_command.unwrap();
        assert!(command.as_str().ends_with("-W 127.0.0.1:7423 me@relay"), "{command:?}");

        let tunnel = host_entry(
            &session(Link::Cloudflare("a.example".parse().unwrap())),
            &SessionPins::default(),
            &dirs,
            &ssh(),
        )
        .unwrap();
        let command = tunnel.proxy_command.unwrap();
        assert_eq!(command.as_str(), "/home/me/.local/share/moorline/bin/moorline-proxy colab");
    }

    #[test]
    fn the_login_key_is_named_by_tilde_unless_the_home_is_not_ssh_s() {
        let mut dirs = Dirs::under(Path::new("/tmp/home"));
        let link = Link::Direct(place("h", "1"));
        let entry = host_entry(&session(link.clone()), &SessionPins::default(), &dirs, &ssh()).unwrap();
        assert_eq!(entry.identity_file.as_str(), "/tmp/home/.ssh/moorline_ed25519");
        assert_eq!(entry.known_hosts_file.as_str(), "/tmp/home/.ssh/known_hosts");
        dirs.redirected = false;
        let entry = host_entry(&session(link.clone()), &SessionPins::default(), &dirs, &ssh()).unwrap();
        assert_eq!(entry.identity_file.as_str(), "~/.ssh/moorline_ed25519");
        assert_eq!(entry.known_hosts_file.as_str(), "~/.ssh/known_hosts");
        let own = Session { identity_file: Some("~/.ssh/id_work".parse().unwrap()), ..session(link) };
        assert_eq!(
            host_entry(&own, &SessionPins::default(), &dirs, &ssh()).unwrap().identity_file.as_str(),
            "~/.ssh/id_work"
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_home_that_is_no_text_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        let dirs = Dirs::under(Path::new(std::ffi::OsStr::from_bytes(b"/tmp/h\xff")));
        let own = Session {
            identity_file: Some("~/.ssh/id_work".parse().unwrap()),
            ..session(Link::Direct(place("h", "1")))
        };
        for session in [session(Link::Direct(place("h", "1"))), own] {
            let said = host_entry(&session, &SessionPins::default(), &dirs, &ssh()).unwrap_err().to_string();
            assert!(said.contains("UTF-8"), "{said}");
        }
    }

    #[test]
    fn an_endpoint_enters_known_hosts_only_when_a_key_was_settled_there() {
        let (old, new) = (place("a", "1"), place("b", "2"));
        let mut pin = SessionPins::default();
        let pasted = session(Link::Direct(new.clone()));
        assert_eq!(
            known_hosts_edit(&pasted, &pin),
            KnownHostsEdit { pin_names: vec![alias()], ..KnownHostsEdit::default() }
        );

        pin.pin_only([(key(1), Trust::Approved)], Timestamp::UNIX_EPOCH);
        pin.written.push(WrittenName { place: old.clone(), key: key(1) });
        let moved = known_hosts_edit(&pasted, &pin);
        assert_eq!(moved.pin_names, [alias()], "nothing is known of the new endpoint");
        assert_eq!(moved.drop, [alias()], "what the person holds for it stays");
        assert_eq!(moved.drop_pairs, [(KnownName::Place(old.clone()), key(1))], "the old one was ours");

        pin.pin_only([(key(2), Trust::Approved)], Timestamp::UNIX_EPOCH);
        pin.written.push(WrittenName { place: new.clone(), key: key(2) });
        let settled = known_hosts_edit(&pasted, &pin);
        assert_eq!(settled.pin_names, [alias(), KnownName::Place(new)]);
        assert_eq!(settled.pin_keys, [key(2)]);
        assert_eq!(settled.drop_pairs, [(KnownName::Place(old), key(1))]);
    }

    #[test]
    fn a_derived_key_stands_under_the_alias_alone_wherever_its_runtime_is() {
        let dirs = Dirs::under(Path::new("/home/me"));
        let mut pin = SessionPins::default();
        pin.pin_only([(key(1), Trust::Derived)], Timestamp::UNIX_EPOCH);
        pin.written.push(WrittenName { place: place("a", "1"), key: key(1) });
        let here = session(Link::Ngrok(place("a", "1")));
        let there = session(Link::Direct(place("b", "2")));
        let edit = known_hosts_edit(&there, &pin);
        assert_eq!((&edit.pin_names[..], &edit.pin_keys[..]), (&[alias()][..], &[key(1)][..]));
        assert_eq!(known_hosts_edit(&here, &pin), edit, "the endpoint makes no difference");
        let entry = host_entry(&there, &pin, &dirs, &ssh()).unwrap();
        assert_eq!((entry.host_name.as_str(), entry.port), ("colab", None));
        assert!(entry.proxy_command.as_ref().unwrap().as_str().ends_with("moorline-proxy colab"));
        assert_eq!(host_entry(&here, &pin, &dirs, &ssh()).unwrap(), entry);
    }

    #[test]
    fn a_proxied_session_never_claims_loopback_in_known_hosts() {
        let relay =
            RelayLink { relay: "relay".parse().unwrap(), port: "7423".parse().unwrap(), mine_alone: true };
        let mut pin = SessionPins::default();
        pin.pin_only([(key(1), Trust::Channel)], Timestamp::UNIX_EPOCH);
        assert_eq!(known_hosts_edit(&session(Link::Relay(relay)), &pin).pin_names, [alias()]);
    }

    #[test]
    fn forgetting_takes_out_the_alias_and_what_was_written() {
        let mut pin = SessionPins::default();
        pin.written.push(WrittenName { place: place("a", "1"), key: key(1) });
        let edit = forget_edit(&"colab".parse().unwrap(), &pin);
        assert_eq!(edit.drop, [alias()]);
        assert_eq!(edit.drop_pairs, [(KnownName::Place(place("a", "1")), key(1))]);
        assert!(edit.pin_keys.is_empty());
    }
}
