//! Merging findings into one reading: the surest wins, equals that differ are asked about, and a cell that ran twice
//! counts with its last output.

use moorline_ssh_files::{Alias, HostKey, Place, Port, UserName};
use secrecy::{ExposeSecret, SecretString};

use super::reading::Reading;
use super::{Candidate, Confidence, Doubt, Finding, FoundLink, NoticeKind, What};

/// More doubts or notices than this tell nobody anything.
const MOST_TOLD: usize = 20;

/// Merges all findings of one text.
pub fn merge(mut findings: Vec<Finding>) -> Reading {
    findings.sort_by_key(|f| f.line);
    let mut reading = Reading::default();
    tell(&findings, &mut reading);
    let ways: Vec<Way<'_>> = findings.iter().filter_map(Way::of).collect();
    let chosen = choose(&ways, &mut reading.doubts);
    let relayed_user = loopback(&findings, chosen, &mut reading.doubts);
    reading.user = chosen
        .and_then(|way| {
            way.user.or_else(|| ways.iter().rev().filter(|w| w.link == way.link).find_map(|w| w.user))
        })
        .or(relayed_user)
        .cloned()
        .or_else(|| named_user(&findings, &mut reading.doubts));
    let (password, doubt) = password(&findings, reading.user.as_ref());
    reading.password = password;
    reading.doubts.extend(doubt);
    reading.suggested_name = name(&findings, chosen);
    reading.folder = findings.iter().rev().find_map(|f| match &f.what {
        What::Folder(path) => Some(path.clone()),
        _ => None,
    });
    reading.link = chosen.map(|way| way.link.clone());
    reading.relay_password = relay_password(&findings, reading.link.as_ref());
    keys(&findings, &mut reading);
    reading.findings = findings;
    conclude(&mut reading);
    redact(&mut reading);
    reading
}

/// Says what a reading lacks, when nothing else in it does.
pub fn conclude(reading: &mut Reading) {
    reading.doubts.retain(|doubt| !matches!(doubt, Doubt::NothingFound | Doubt::OnlyPassword));
    if reading.link.is_some() {
        reading.notices.retain(|notice| notice.kind != NoticeKind::CellItself);
    } else if reading.doubts.is_empty()
        && reading.notices.is_empty()
        && !reading.findings.iter().any(|finding| matches!(finding.what, What::LoopbackPort { .. }))
    {
        let lacks = if reading.password.is_some() { Doubt::OnlyPassword } else { Doubt::NothingFound };
        reading.doubts.push(lacks);
    }
}

#[derive(Clone, Copy)]
struct Way<'a> {
    link: &'a FoundLink,
    user: Option<&'a UserName>,
    finding: &'a Finding,
}

impl<'a> Way<'a> {
    fn of(finding: &'a Finding) -> Option<Self> {
        let What::Link { link, user } = &finding.what else { return None };
        Some(Self { link, user: user.as_ref(), finding })
    }

    fn shown(&self) -> Candidate {
        Candidate { shown: self.link.to_string(), line: self.finding.line }
    }

    fn same_source(&self, other: &Self) -> bool {
        self.finding.recogniser == other.finding.recogniser && self.finding.label == other.finding.label
    }
}

/// Doubts and notices that recognisers raised themselves, each kind once.
fn tell(findings: &[Finding], reading: &mut Reading) {
    for finding in findings {
        match &finding.what {
            What::Doubt(doubt) if !reading.doubts.contains(doubt) && reading.doubts.len() < MOST_TOLD => {
                reading.doubts.push(doubt.clone());
            }
            What::Notice(notice)
                if reading.notices.iter().all(|n| n.kind != notice.kind)
                    && reading.notices.len() < MOST_TOLD =>
            {
                reading.notices.push(notice.clone());
            }
            _ => {}
        }
    }
}

fn choose<'a>(ways: &[Way<'a>], doubts: &mut Vec<Doubt>) -> Option<Way<'a>> {
    let best = ways.iter().map(|w| w.finding.confidence).max()?;
    // Of each source, the last it printed.
    let mut last: Vec<Way<'a>> = Vec::new();
    let mut superseded: Vec<(Way<'a>, Way<'a>)> = Vec::new();
    for way in ways.iter().filter(|w| w.finding.confidence == best) {
        match last.iter_mut().find(|other| other.same_source(way)) {
            Some(other) => {
                if other.link != way.link {
                    superseded.push((*other, *way));
                }
                *other = *way;
            }
            None => last.push(*way),
        }
    }
    let chosen = *last.last()?;
    let mut different: Vec<Candidate> = Vec::new();
    for way in &last {
        if different.iter().all(|c| c.shown != way.link.to_string()) {
            different.push(way.shown());
        }
    }
    if different.len() > 1 {
        different.truncate(MOST_TOLD);
        doubts.push(Doubt::SeveralLinks(different));
        return None;
    }
    if let Some((older, _)) = superseded.last().filter(|(older, _)| older.link != chosen.link) {
        doubts.push(Doubt::NewestTaken { taken: chosen.shown(), older: older.shown() });
    }
    let other = ways.iter().rev().find(|w| {
        let weaker = w.finding.confidence < best && w.finding.confidence > Confidence::Guess;
        // A port of a host is told in the sure line too; only another host or port is news.
        weaker
            && w.link != chosen.link
            && ways.iter().all(|o| o.finding.confidence < best || o.link != w.link)
    });
    if let Some(other) = other {
        doubts.push(Doubt::Overruled { taken: chosen.shown(), other: other.shown() });
    }
    if best == Confidence::Guess {
        doubts.push(match chosen.link {
            FoundLink::Cloudflare(_) => Doubt::BareHost(chosen.shown()),
            _ => Doubt::BareEndpoint(chosen.shown()),
        });
    }
    Some(chosen)
}

/// `ssh -p 7423 root@127.0.0.1` belongs to the relay that holds port 7423, if the text names it.
fn loopback<'a>(
    findings: &'a [Finding],
    chosen: Option<Way<'_>>,
    doubts: &mut Vec<Doubt>,
) -> Option<&'a UserName> {
    let mut user = None;
    for finding in findings {
        let What::LoopbackPort { port: here, user: who } = &finding.what else { continue };
        match chosen.map(|way| way.link) {
            Some(FoundLink::Relay { port, .. }) if port == here => user = who.as_ref(),
            Some(FoundLink::Direct(place)) if place.port == *here => user = who.as_ref(),
            Some(_) => {}
            None => {
                user = who.as_ref();
                let doubt = Doubt::WhichRelay { port: *here, line: finding.line };
                if doubts.iter().all(|d| !matches!(d, Doubt::WhichRelay { port, .. } if port == here)) {
                    doubts.push(doubt);
                }
            }
        }
    }
    user
}

/// The user that a label or block names, else the one and only whose password stands there.
fn named_user(findings: &[Finding], doubts: &mut Vec<Doubt>) -> Option<UserName> {
    let told = |f: &Finding| match &f.what {
        What::User(user) => Some(user.clone()),
        _ => None,
    };
    let of_password = |f: &Finding| match &f.what {
        What::Password { user, .. } => user.clone(),
        _ => None,
    };
    let mut users: Vec<UserName> = findings.iter().filter_map(told).collect();
    if users.is_empty() {
        users = findings.iter().filter_map(of_password).collect();
    }
    users.sort();
    users.dedup();
    if users.len() > 1 {
        doubts.push(Doubt::SeveralUsers(users));
        return None;
    }
    users.pop()
}

/// The password of the user who logs in, root if none is known; of several, the last one.
pub fn password(findings: &[Finding], user: Option<&UserName>) -> (Option<SecretString>, Option<Doubt>) {
    let all: Vec<(usize, Option<&UserName>, &SecretString)> = findings
        .iter()
        .filter_map(|f| match &f.what {
            What::Password { user, secret } => Some((f.line, user.as_ref(), secret)),
            _ => None,
        })
        .collect();
    let root = UserName::root();
    let who = user.unwrap_or(&root);
    let named = all.iter().any(|(_, user, _)| *user == Some(who));
    let fitting: Vec<_> =
        all.iter().filter(|(_, user, _)| *user == Some(who) || (!named && user.is_none())).collect();
    let Some((_, _, last)) = fitting.last() else {
        let other = all.last().and_then(|(line, user, _)| Some((*line, (*user)?.clone())));
        return (None, other.map(|(line, user)| Doubt::PasswordOfOther { user, line }));
    };
    let differ = fitting.iter().any(|(_, _, secret)| secret.expose_secret() != last.expose_secret());
    let lines = || fitting.iter().map(|(line, _, _)| *line).collect();
    (Some((*last).clone()), differ.then(|| Doubt::SeveralPasswords { lines: lines() }))
}

/// The password of the relay, for a link that has one.
fn relay_password(findings: &[Finding], link: Option<&FoundLink>) -> Option<SecretString> {
    let last = findings.iter().rev().find_map(|f| match &f.what {
        What::RelayPassword(secret) => Some(secret),
        _ => None,
    });
    last.filter(|_| matches!(link, Some(FoundLink::Relay { .. }))).cloned()
}

/// The alias of the block that the link came from, else the only one.
fn name(findings: &[Finding], chosen: Option<Way<'_>>) -> Option<Alias> {
    let mut names: Vec<&Alias> = findings
        .iter()
        .filter_map(|f| match &f.what {
            What::Name(alias) => Some(alias),
            _ => None,
        })
        .collect();
    names.dedup();
    if let [only] = names[..] {
        return Some(only.clone());
    }
    let label = chosen.and_then(|way| way.finding.label.as_deref())?;
    names.into_iter().find(|alias| alias.as_str() == label).cloned()
}

/// Keys and fingerprints, without those that name another host than the link's.
pub fn keys(findings: &[Finding], reading: &mut Reading) {
    for finding in findings {
        match &finding.what {
            What::Fingerprint(print) if !reading.fingerprints.contains(print) => {
                reading.fingerprints.push(*print);
            }
            What::HostKey { key, of } => match of.iter().find(|_| !belongs(of, reading.link.as_ref())) {
                Some(other) => {
                    reading.doubts.push(Doubt::KeyOfOther { host: other.host.clone(), line: finding.line });
                }
                None => push_new(&mut reading.host_keys, key),
            },
            _ => {}
        }
    }
}

fn push_new(keys: &mut Vec<HostKey>, key: &HostKey) {
    if !keys.contains(key) {
        keys.push(key.clone());
    }
}

/// Whether a key of these hosts can be the runtime's: they are the link's end, or the runtime itself.
fn belongs(of: &[Place], link: Option<&FoundLink>) -> bool {
    of.is_empty()
        || of.iter().any(|place| match link {
            None => true,
            Some(FoundLink::Ngrok(end) | FoundLink::Direct(end)) => place == end || place.host.is_loopback(),
            Some(FoundLink::Cloudflare(host)) => place.host == *host || place.host.is_loopback(),
            Some(FoundLink::Relay { port, .. }) => {
                place.host.is_loopback() && (place.port == *port || place.port == Port::SSH)
            }
            Some(FoundLink::GoogleColab { .. }) => place.host.is_loopback(),
        })
}

/// Takes secrets out of doubts, the only texts that quote the paste.
fn redact(reading: &mut Reading) {
    let secrets: Vec<SecretString> =
        reading.findings.iter().filter_map(|f| f.what.secret().cloned()).collect();
    let found = reading.findings.iter_mut().filter_map(|f| match &mut f.what {
        What::Doubt(doubt) => Some(doubt),
        _ => None,
    });
    for doubt in reading.doubts.iter_mut().chain(found) {
        for secret in &secrets {
            doubt.redact(secret.expose_secret());
        }
    }
}
