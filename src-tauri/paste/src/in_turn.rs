//! Texts that a person pasted one after the other: what the cell printed, and then the cell; or a password, and then
//! where it leads.

use moorline_model::session::RelayTarget;
use moorline_ssh_files::{Port, UserName};

use super::merge::{conclude, keys, password};
use super::read_text::read;
use super::reading::Reading;
use super::{Doubt, Finding, FoundLink, What};

/// Reads texts in turn, the oldest first. What a later text says wins over an earlier one, without a doubt about it; what
/// it does not say is taken from the earlier ones. Where a later text names a way that cannot be used, there is no link:
/// an earlier one is no answer to that.
pub fn read_all(texts: &[&str]) -> Reading {
    let each = texts.iter().enumerate().map(|(index, text)| {
        let mut reading = read(text);
        reading.findings.iter_mut().for_each(|finding| finding.text = index);
        reading
    });
    each.reduce(|earlier, later| then(&earlier, later)).unwrap_or_else(|| read(""))
}

/// What both say together.
fn then(earlier: &Reading, later: Reading) -> Reading {
    let (link, user) = way(earlier, &later);
    let unchanged =
        later.link.is_none() && !names_a_way(&later) || earlier.link.is_none() || earlier.link == link;
    let mut reading = Reading { link, user, ..Reading::default() };
    reading.doubts = later.doubts.iter().filter(|doubt| is_open(doubt, &reading)).cloned().collect();
    let (secret, doubt) = password(&later.findings, reading.user.as_ref());
    reading.doubts.extend(doubt);
    reading.password = secret.or_else(|| earlier_password(earlier, reading.user.as_ref()));
    reading.relay_password =
        later.relay_password.or_else(|| earlier.relay_password.clone().filter(|_| unchanged));
    keys(&later.findings, &mut reading);
    if reading.fingerprints.is_empty() && reading.host_keys.is_empty() && unchanged {
        let mut of_earlier = Reading { link: reading.link.clone(), ..Reading::default() };
        keys(&earlier.findings, &mut of_earlier);
        // Those of a runtime that was left since stay out.
        of_earlier.fingerprints.retain(|print| earlier.fingerprints.contains(print));
        of_earlier.host_keys.retain(|key| earlier.host_keys.contains(key));
        (reading.fingerprints, reading.host_keys) = (of_earlier.fingerprints, of_earlier.host_keys);
    }
    reading.folder = later.folder.or_else(|| earlier.folder.clone());
    reading.suggested_name = later.suggested_name.or_else(|| earlier.suggested_name.clone());
    reading.notices = later.notices;
    reading.findings = earlier.findings.iter().cloned().chain(later.findings).collect();
    conclude(&mut reading);
    reading
}

/// The way, and whom to log in as.
fn way(earlier: &Reading, later: &Reading) -> (Option<FoundLink>, Option<UserName>) {
    if let Some((link, user)) = hop(earlier, later) {
        return (Some(link), user);
    }
    let link = later.link.clone().or_else(|| earlier.link.clone().filter(|_| !names_a_way(later)));
    (link, user(earlier, later))
}

/// A port of `127.0.0.1` in one text, and the relay that holds it in the other, whose user is not the runtime's.
fn hop(earlier: &Reading, later: &Reading) -> Option<(FoundLink, Option<UserName>)> {
    if let Some((here, user)) = loopback(later) {
        return match earlier.link.as_ref()? {
            link @ FoundLink::Relay { port, .. } if *port == here => {
                Some((link.clone(), user.or_else(|| earlier.user.clone())))
            }
            _ => Some((FoundLink::Relay { relay: typed_relay(earlier)?, port: here }, user)),
        };
    }
    let (port, user) = loopback(earlier)?;
    Some((FoundLink::Relay { relay: typed_relay(later)?, port }, user))
}

/// The port of `127.0.0.1` that a reading without a link leaves open.
fn loopback(reading: &Reading) -> Option<(Port, Option<UserName>)> {
    reading.findings.iter().rev().filter(|_| reading.link.is_none()).find_map(|finding| match &finding.what {
        What::LoopbackPort { port, user } => Some((*port, user.clone())),
        _ => None,
    })
}

/// The machine that a text leads to by a typed `ssh`, where it may be the one in between.
fn typed_relay(reading: &Reading) -> Option<RelayTarget> {
    let FoundLink::Direct(place) = reading.link.as_ref()? else { return None };
    let typed = reading.findings.iter().any(|finding| {
        let leads = matches!(&finding.what, What::Link { link, .. } if Some(link) == reading.link.as_ref());
        leads && finding.recogniser == "ssh-command"
    });
    let port = (place.port != Port::SSH).then_some(place.port);
    typed.then(|| RelayTarget { user: reading.user.clone(), host: place.host.clone(), port })
}

/// Whether the text speaks of a way, though it leads to none.
fn names_a_way(reading: &Reading) -> bool {
    let keys = ["key-line", "fingerprint", "password"];
    let refused =
        |f: &Finding| matches!(f.what, What::Doubt(Doubt::Refused { .. })) && !keys.contains(&f.recogniser);
    loopback(reading).is_some()
        || reading.findings.iter().any(|f| matches!(f.what, What::Link { .. }) || refused(f))
        || reading.doubts.iter().any(|doubt| {
            matches!(doubt, Doubt::TooLong { .. } | Doubt::JumpElsewhere { .. } | Doubt::PortNotTold { .. })
        })
}

/// The user of the later text if it names one to log in as; whose password it holds is less than that.
fn user(earlier: &Reading, later: &Reading) -> Option<UserName> {
    let named = later.findings.iter().any(|finding| {
        matches!(
            finding.what,
            What::User(_) | What::Link { user: Some(_), .. } | What::LoopbackPort { user: Some(_), .. }
        )
    });
    if named { later.user.clone() } else { earlier.user.clone().or_else(|| later.user.clone()) }
}

/// The password of the latest of the earlier texts that holds this user's.
fn earlier_password(earlier: &Reading, user: Option<&UserName>) -> Option<secrecy::SecretString> {
    let last = earlier.findings.iter().map(|finding| finding.text).max()?;
    (0..=last).rev().find_map(|text| {
        let of_text: Vec<Finding> = earlier.findings.iter().filter(|f| f.text == text).cloned().collect();
        password(&of_text, user).0
    })
}

/// Whether a doubt of the later text is still one. Those about passwords and keys are made anew.
fn is_open(doubt: &Doubt, reading: &Reading) -> bool {
    match doubt {
        Doubt::PasswordOfOther { .. } | Doubt::SeveralPasswords { .. } | Doubt::KeyOfOther { .. } => false,
        Doubt::SeveralUsers(_) => reading.user.is_none(),
        Doubt::WhichRelay { .. } => reading.link.is_none(),
        _ => true,
    }
}
