//! Modes and owners of the ssh files.
//!
//! OpenSSH's `readconf.c` ends every connection with "Bad owner or permissions" when `config` is someone else's or
//! may be written by group or others (Debian used to forgive a private group; OpenSSH 10 there does not), and ignores a
//! private key that others may read.

use super::check::{Check, Next};
use super::surroundings::{FileFacts, Surroundings};

const OTHERS_WRITE: u32 = 0o022;
const OTHERS_ANY: u32 = 0o077;

pub(super) fn all(found: &Surroundings) -> Vec<Check> {
    let files = &found.files;
    let mut checks = vec![
        directory(found),
        file(found, "config-mode", "Mode of the ssh config", files.config.as_ref(), OTHERS_WRITE, true),
        file(
            found,
            "known-hosts-mode",
            "Mode of known_hosts",
            files.known_hosts.as_ref(),
            OTHERS_WRITE,
            false,
        ),
    ];
    if files.login_key.is_some() || !found.sessions.is_empty() {
        checks.push(login_key(found));
    }
    checks
}

fn directory(found: &Surroundings) -> Check {
    const ID: &str = "ssh-dir";
    const TITLE: &str = "Mode of the ssh directory";
    let Some(facts) = &found.files.dir else {
        return Check::ok(ID, TITLE, "There is none yet; the first session makes it.");
    };
    if let Some(check) = foreign_owner(found, ID, TITLE, facts) {
        return check;
    }
    let path = found.shown(&facts.path);
    match facts.mode {
        Some(mode) if mode & OTHERS_WRITE != 0 => {
            let detail = format!("{path} may be written by others (mode {mode:03o}).");
            Check::problem(ID, TITLE, detail, format!("chmod 700 {path}"))
        }
        Some(mode) if mode & OTHERS_ANY != 0 => {
            let detail = format!("{path} may be read by others (mode {mode:03o}).");
            Check::advice(ID, TITLE, detail, format!("chmod 700 {path}"))
        }
        _ => Check::ok(ID, TITLE, format!("{path} is yours alone.")),
    }
}

fn file(
    found: &Surroundings,
    id: &'static str,
    title: &str,
    facts: Option<&FileFacts>,
    forbidden: u32,
    fatal: bool,
) -> Check {
    let Some(facts) = facts else { return Check::ok(id, title, "There is none yet.") };
    if let Some(check) = foreign_owner(found, id, title, facts) {
        return check;
    }
    let path = found.shown(&facts.path);
    match facts.mode {
        Some(mode) if mode & forbidden != 0 => {
            let effect = if fatal { "; OpenSSH then refuses every connection" } else { "" };
            let detail = format!("{path} may be written by others (mode {mode:03o}){effect}.");
            Check::problem(id, title, detail, format!("chmod 600 {path}"))
        }
        Some(mode) => Check::ok(id, title, format!("{path} has mode {mode:03o}.")),
        None => Check::ok(id, title, format!("{path} is there.")),
    }
}

fn login_key(found: &Surroundings) -> Check {
    const ID: &str = "login-key";
    const TITLE: &str = "Moorline's login key";
    let Some(facts) = &found.files.login_key else {
        let detail = "~/.ssh/moorline_ed25519 is missing, so runtimes will ask for a password.";
        return Check::problem(ID, TITLE, detail, Next::REPAIR);
    };
    if let Some(check) = foreign_owner(found, ID, TITLE, facts) {
        return check;
    }
    let path = found.shown(&facts.path);
    match facts.mode {
        Some(mode) if mode & OTHERS_ANY != 0 => {
            let detail = format!("{path} may be read by others (mode {mode:03o}), so ssh ignores it.");
            Check::problem(ID, TITLE, detail, format!("chmod 600 {path}"))
        }
        _ => Check::ok(ID, TITLE, format!("{path} is yours alone.")),
    }
}

/// Root's files are as good as one's own: that is how system-wide dotfiles (Nix) arrive.
fn foreign_owner(found: &Surroundings, id: &'static str, title: &str, facts: &FileFacts) -> Option<Check> {
    let (owner, uid) = (facts.owner?, found.uid?);
    if owner == uid || owner == 0 {
        return None;
    }
    let path = found.shown(&facts.path);
    let detail = format!("{path} belongs to the user with id {owner}, not to you.");
    Some(Check::problem(id, title, detail, format!("sudo chown \"$USER\" {path}")))
}
