//! The programs that a session runs, ssh and our own copy for proxied links, and the sign-in that one of another
//! program's may be.

use super::check::{Check, Next};
use super::surroundings::Surroundings;
use crate::editors::Os;

/// `Include`, without which a person's config may not even load; also the first release with `ProxyJump`.
const OLDEST: (u32, u32) = (7, 3);

pub(super) fn ssh(found: &Surroundings) -> Check {
    const ID: &str = "ssh";
    const TITLE: &str = "OpenSSH client";
    let install = match found.os {
        Os::Linux => "sudo apt install openssh-client, or your system's package of that name",
        Os::MacOs => "run: xcode-select --install, or brew install openssh",
        Os::Windows => "Settings, System, Optional features, Add a feature: OpenSSH Client",
    };
    let Some(text) = &found.ssh_version else {
        return Check::problem(ID, TITLE, "No program `ssh` was found on PATH.", install);
    };
    let text = text.trim();
    match version(text) {
        None => {
            let detail = format!("`ssh -V` says {text:?}, which is not OpenSSH.");
            Check::advice(ID, TITLE, detail, format!("If sessions do not connect: {install}"))
        }
        Some(version) if version < OLDEST => {
            let detail = format!("{text} is too old; Moorline needs 7.3 or newer.");
            Check::problem(ID, TITLE, detail, install)
        }
        Some(_) => Check::ok(ID, TITLE, format!("{text}.")),
    }
}

/// Nothing when no session needs it.
pub(super) fn proxy(found: &Surroundings) -> Option<Check> {
    const ID: &str = "proxy-program";
    const TITLE: &str = "Program for proxied sessions";
    let program = found.proxy_program.as_ref()?;
    let path = found.shown(&program.path);
    Some(if program.present {
        Check::ok(ID, TITLE, format!("{path} is there."))
    } else {
        let detail = format!("{path} is gone, so sessions behind a proxy cannot connect.");
        Check::problem(ID, TITLE, detail, Next::REPAIR)
    })
}

/// Nothing when no session has a Colab runtime.
pub(super) fn google(found: &Surroundings) -> Option<Check> {
    const ID: &str = "google";
    const TITLE: &str = "Google sign-in";
    Some(match found.google.as_ref()? {
        Ok(place) => Check::ok(ID, TITLE, format!("Found in {place}.")),
        Err(why) => {
            let (what, next) = match why.split_once("; ") {
                Some((what, words)) => (what, Next::from(words)),
                None => (&**why, Next::REPAIR),
            };
            Check::problem(ID, TITLE, format!("{what}."), next)
        }
    })
}

/// Major and minor of `OpenSSH_9.2p1 …` or `OpenSSH_for_Windows_9.5p1, …`.
fn version(text: &str) -> Option<(u32, u32)> {
    let tail = text.strip_prefix("OpenSSH_")?;
    let tail = tail.strip_prefix("for_Windows_").unwrap_or(tail);
    let (major, rest) = tail.split_once('.')?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((major.parse().ok()?, rest.get(..digits)?.parse().ok()?))
}
