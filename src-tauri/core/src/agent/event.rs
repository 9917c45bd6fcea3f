//! What is worth a line: the agent's life as events, for `moorline watch`, scripts and tests. Nothing of it is secret.

use jiff::Timestamp;
use moorline_model::channel_settings::ChannelKind;
use moorline_model::health::Health;
use moorline_model::vitals::Vitals;
use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};

use super::effect::Effect;
use super::message::{KeyInstall, Msg};
use super::notice::Notice;
use super::snapshot::{SessionView, Snapshot};

/// Something that happened, with its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// The agent runs from now on.
    Watching {
        /// Its process id.
        process: u32,
        /// Moorline's version.
        version: String,
    },
    /// A session is followed from now on.
    Following {
        /// The session.
        session: Alias,
        /// How it is, with the cause.
        health: Health,
        /// The same in words.
        words: String,
    },
    /// A session is not followed any more.
    Forgotten {
        /// The session.
        session: Alias,
    },
    /// A session's health is another.
    Health {
        /// The session.
        session: Alias,
        /// How it is, with the cause.
        health: Health,
        /// The same in words.
        words: String,
    },
    /// The ssh files of a session were checked, and mended where they had to be; or could not be.
    Files {
        /// The session.
        session: Alias,
        /// Whether they are in order.
        ok: bool,
        /// Why they are not.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// The login key was to be installed on a session's runtime.
    LoginKey {
        /// The session.
        session: Alias,
        /// Whether the runtime takes it now.
        ok: bool,
        /// Why it does not.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// Something that claims to be an announcement came.
    Announcement {
        /// The session.
        session: Alias,
        /// How it came.
        channel: ChannelKind,
        /// Whether it was believed.
        ok: bool,
        /// Why it was not.
        #[serde(skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// A reading.
    Vitals {
        /// The session.
        session: Alias,
        /// The reading.
        vitals: Vitals,
    },
    /// A person is told this.
    Notice(Notice),
    /// What a person was told in this slot is over.
    NoticeOver {
        /// The slot.
        slot: String,
    },
}

/// What a message, and the effects that followed from it, were worth: files first, then health, then words to
/// people, so that whoever reads along never hears of a return before the files.
pub(super) fn happened(msg: &Msg) -> Option<What> {
    match msg {
        Msg::Settled(name, outcome) | Msg::Adopted(name, outcome) => Some(What::Files {
            session: name.clone(),
            ok: outcome.is_ok(),
            problem: outcome.as_ref().err().cloned(),
        }),
        Msg::KeyInstalled(name, outcome) => Some(What::LoginKey {
            session: name.clone(),
            ok: *outcome == KeyInstall::Done,
            problem: match outcome {
                KeyInstall::Done => None,
                KeyInstall::NoPassword => Some("no password is kept".to_owned()),
                KeyInstall::VaultShut => Some("the keyring is locked".to_owned()),
                KeyInstall::NotTried(why) | KeyInstall::Failed(why) => Some(why.clone()),
            },
        }),
        _ => None,
    }
}

/// What is different from one snapshot to the next.
pub(super) fn between(old: &Snapshot, new: &Snapshot) -> Vec<What> {
    let find = |all: &[SessionView], name: &Alias| all.iter().find(|view| view.name == *name).cloned();
    let gone = old.sessions.iter().filter(|view| find(&new.sessions, &view.name).is_none());
    let mut all: Vec<What> = gone.map(|view| What::Forgotten { session: view.name.clone() }).collect();
    for view in &new.sessions {
        let session = || view.name.clone();
        let Some(before) = find(&old.sessions, &view.name) else {
            let (health, words) = (view.health.clone(), view.state.clone());
            all.push(What::Following { session: session(), health, words });
            continue;
        };
        if before.health != view.health {
            let (health, words) = (view.health.clone(), view.state.clone());
            all.push(What::Health { session: session(), health, words });
        }
        if let Some(vitals) = view.vitals.clone().filter(|_| before.vitals != view.vitals) {
            all.push(What::Vitals { session: session(), vitals });
        }
    }
    all
}

/// What an effect tells people.
pub(super) fn told(effect: &Effect) -> Option<What> {
    match effect {
        Effect::Notify(notice) => Some(What::Notice(notice.clone())),
        Effect::Heard(session, channel, outcome) => Some(What::Announcement {
            session: session.clone(),
            channel: *channel,
            ok: outcome.is_ok(),
            problem: outcome.as_ref().err().map(ToString::to_string),
        }),
        Effect::Unnotify(slot) => Some(What::NoticeOver { slot: slot.clone() }),
        _ => None,
    }
}
