//! How a conversation is shown: what was understood, how far it is, what it looks at.

use super::conversation::Conversation;
use super::conversation::places::matters_elsewhere;
use super::matters::{Access, Need, Question, Reason};
use super::view::{Check, CheckKind, CheckState, Looking, Outcome, Stage, Understood};

impl Stage {
    /// A refusal, with what a person can do about it.
    pub(super) fn refuses(why: Reason) -> Self {
        Self::Refuses { sentence: why.to_string(), remedies: why.remedies(), why }
    }
}

/// How far it is.
pub(super) fn checks(talk: &Conversation, outcome: Option<&Outcome>, stage: &Stage) -> Vec<Check> {
    if !talk.under_way() && outcome.is_none() {
        return Vec::new();
    }
    let at = match stage {
        Stage::Looks { at } => Some(*at),
        _ => None,
    };
    let check = |what, state, detail| Check { what, state, detail };
    let reached = talk.reached();
    let key = outcome.and_then(|outcome| outcome.host_key.as_ref());
    let runs = |is: bool| if is { CheckState::Runs } else { CheckState::Waits };
    let first = match (reached, outcome) {
        (Some((session, _)), _) => {
            check(CheckKind::Reached, CheckState::Good, Some(session.link.to_string()))
        }
        (None, Some(outcome)) if !outcome.reachable => check(CheckKind::Reached, CheckState::Bad, None),
        (None, _) => check(CheckKind::Reached, runs(at == Some(Looking::Runtime)), None),
    };
    let second = match (key, talk.access(), reached, stage) {
        (Some((print, _)), ..) => check(CheckKind::Fingerprint, CheckState::Good, Some(print.clone())),
        (None, Some(_), Some((_, seen)), _) => {
            check(CheckKind::Fingerprint, CheckState::Good, Some(seen.key.fingerprint().to_string()))
        }
        (.., Stage::Asks { question: Question::Key(_) }) => {
            check(CheckKind::Fingerprint, CheckState::Runs, None)
        }
        _ => check(CheckKind::Fingerprint, runs(at == Some(Looking::Access)), None),
    };
    let third = match talk.access() {
        Some(Access::Works | Access::Installed | Access::OwnKey) => {
            check(CheckKind::Access, CheckState::Good, None)
        }
        Some(_) if outcome.is_some() => check(CheckKind::Access, CheckState::Bad, None),
        _ => check(CheckKind::Access, runs(at == Some(Looking::Access)), None),
    };
    let fourth = match (outcome, at) {
        (Some(_), _) => check(CheckKind::Written, CheckState::Good, None),
        (None, at) => check(CheckKind::Written, runs(at == Some(Looking::Writing)), None),
    };
    let fifth = match (outcome.and_then(|outcome| outcome.ssh_works), stage) {
        (Some(true), _) => check(CheckKind::Ssh, CheckState::Good, None),
        (Some(false), _) => check(CheckKind::Ssh, CheckState::Bad, None),
        _ => check(CheckKind::Ssh, runs(at == Some(Looking::Ssh)), None),
    };
    vec![first, second, third, fourth, fifth]
}

fn said<T: ToString>(what: &[T]) -> Vec<String> {
    what.iter().map(ToString::to_string).collect()
}

/// Where somebody looks who finds this.
pub(super) fn looking(need: &Need) -> Looking {
    match need {
        Need::Announcement | Need::Name(_) | Need::Preview(_) | Need::Pinning(..) | Need::LoginKey => {
            Looking::Here
        }
        Need::GoogleRuntime(_) => Looking::Google,
        Need::StillThere(_) => Looking::OldRuntime,
        Need::Runtime(_) | Need::OtherKey(_) => Looking::Runtime,
        Need::Login(_) => Looking::Access,
    }
}

/// What was understood of all that was said.
pub(super) fn understood(talk: &Conversation) -> Understood {
    let reading = talk.reading();
    let doubts = reading.doubts.iter().filter(|doubt| !matters_elsewhere(doubt));
    let link = reading.link.as_ref().map(|link| {
        let kind = link.to_link().map_or("colab", |link| link.kind());
        (kind.to_owned(), link.to_string())
    });
    Understood {
        link,
        user: reading.user.as_ref().map(ToString::to_string),
        folder: reading.folder.as_ref().map(ToString::to_string),
        password: talk.password().is_some(),
        fingerprint: !reading.fingerprints.is_empty() || !reading.host_keys.is_empty(),
        notices: if talk.is_announced() { Vec::new() } else { said(&reading.notices) },
        doubts: if talk.is_announced() { Vec::new() } else { doubts.map(ToString::to_string).collect() },
    }
}
