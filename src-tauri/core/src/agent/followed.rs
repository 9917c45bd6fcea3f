//! One session under watch, with all that is known of it.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use moorline_model::announcement::Accepted;
use moorline_model::cause::Cause;
use moorline_model::channel_settings::ChannelSettings;
use moorline_model::colab_runtime::EndpointId;
use moorline_model::editor::Editor;
use moorline_model::session::{Link, NotebookUrl, RemotePath, Session};
use moorline_model::trust::Trust;
use moorline_ssh_files::{Fingerprint, HostKey, Place};

use super::course::Course;
use super::effect::{Adoption, Effect, FileJob};
use super::phase::Phase;
use super::snapshot::{Action, Comparison};
use crate::store::told_json::Recalled;

/// One session under watch.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Followed {
    pub session: Session,
    pub pinned: Vec<(HostKey, Trust)>,
    pub course: Course,
    /// What the person was told last and has not been taken back.
    pub told: Told,
    pub machine: Machine,
    pub lead: Lead,
    pub login_key: LoginKey,
    pub announced: Announced,
    pub files: FileWork,
    pub warned: Warned,
    pub last_used: LastUsed,
    pub notebook: Option<NotebookUrl>,
    /// What the person knows of it, as it is kept over a restart.
    pub recalled: Recalled,
}

/// What a person believes about a session because of us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Told {
    #[default]
    Nothing,
    Dropped(Cause),
    NewKey(Fingerprint),
    LoginRefused,
    VaultShut,
    /// Its files could not be written; the person may wait for a return besides.
    FilesRefused {
        sentence: String,
        back_is_owed: bool,
        /// Whether it came back on another machine, as far as that is known.
        new_machine: Option<bool>,
    },
}

/// The machine behind a session.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Machine {
    /// The one that the person knows of.
    pub known: Option<String>,
    /// Whether the person has been online on some machine before: a first one is no news.
    pub told: bool,
    /// When a Colab runtime was first seen here: Google tells no start, so it is older than that.
    pub first_seen: Option<Timestamp>,
}

/// Where a session leads, beyond what is on disk.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Lead {
    /// The session as it is on disk, while it leads elsewhere already: it is written once the key there is known.
    pub moved_from: Option<Session>,
    /// The account's only place was looked at and gave no answer; before this moment that one is not looked at again.
    pub lone_again: Option<(Place, Timestamp)>,
    /// Another runtime of the account that it could follow; a person is asked.
    pub offered: Option<EndpointId>,
    /// No dial has shown yet that it is down: it says so itself, or its way is another by now.
    pub unproven: bool,
}

/// The installing of this desktop's login key on a session's runtime.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LoginKey {
    pub work: LoginKeyWork,
    /// Keys of runtimes on which it was tried, or is under way: once for each.
    pub tried: Vec<HostKey>,
    /// It was tried and failed, though a password is kept.
    pub password_only: bool,
}

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum LoginKeyWork {
    #[default]
    None,
    UnderWay,
    /// The kept password is wanted, and the vault is locked.
    VaultShut,
}

/// What runtimes announced of themselves.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Announced {
    pub channels: ChannelSettings,
    /// The last announcement that was accepted.
    pub accepted: Option<Accepted>,
    /// The last announcements of other runtimes, and of this one at another place.
    pub heard: Vec<Accepted>,
    /// Another runtime that announced itself while the one that is followed may still be there.
    pub rival: Option<Rival>,
}

/// A runtime that announced itself while another one was followed, or the very one at another place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rival {
    /// Where it would lead.
    pub adoption: Adoption,
    /// Before this moment it is not followed: its files could not be written.
    pub not_before: Option<Timestamp>,
    /// Whether a person was asked.
    pub question: RivalQuestion,
}

/// The question whether another runtime is to be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RivalQuestion {
    /// A person is asked at this moment.
    Due(Timestamp),
    /// A person was asked.
    Asked,
}

/// The work on a session's ssh files.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct FileWork {
    /// What is being written, oldest first.
    pub under_way: VecDeque<Writing>,
    /// When to try again, while they cannot be written.
    pub retry_at: Option<Timestamp>,
    /// They are to be mended as soon as Moorline's own can be read again.
    pub unmended: bool,
}

/// One piece of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writing {
    /// A newly settled key.
    Key,
    /// What is settled already.
    Mending,
}

/// What a person was warned of.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Warned {
    /// Minutes before the end of life, for this boot.
    pub end: Option<i64>,
    pub disk: bool,
    pub idle: bool,
}

/// What was used last.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LastUsed {
    pub editor: Option<Editor>,
    pub folder: Option<RemotePath>,
}

impl Followed {
    pub(super) fn new(session: Session, pinned: Vec<(HostKey, Trust)>) -> Self {
        Self {
            session,
            pinned,
            course: Course::default(),
            told: Told::default(),
            machine: Machine::default(),
            lead: Lead::default(),
            login_key: LoginKey::default(),
            announced: Announced::default(),
            files: FileWork::default(),
            warned: Warned::default(),
            last_used: LastUsed::default(),
            notebook: None,
            recalled: Recalled::default(),
        }
    }

    /// Takes up what an earlier agent told.
    pub(super) fn recall(&mut self, recalled: Recalled) {
        self.machine.known.clone_from(&recalled.machine);
        self.machine.told = recalled.machine.is_some();
        if let Some(cause) = &recalled.dropped {
            self.told = Told::Dropped(cause.clone());
        }
        self.recalled = recalled;
    }

    /// What is to be kept for the next agent, if that is not what is kept already.
    pub(super) fn news_to_recall(&mut self) -> Option<Recalled> {
        let dropped = match &self.told {
            Told::Dropped(cause) => Some(cause),
            _ => None,
        };
        if self.recalled.dropped.as_ref() == dropped && self.recalled.machine == self.machine.known {
            return None;
        }
        self.recalled = Recalled { machine: self.machine.known.clone(), dropped: dropped.cloned() };
        Some(self.recalled.clone())
    }

    /// Whether its cell has never run, as far as anybody told: it leads nowhere yet.
    pub(super) fn has_no_runtime_yet(&self) -> bool {
        self.session.link.leads_nowhere()
    }

    /// Whether nothing has ever shown that its cell ran. The port on a relay is known before, and is dialled.
    pub(super) fn waits_for_its_cell(&self) -> bool {
        let by_a_cell =
            !self.pinned.is_empty() && self.pinned.iter().all(|(_, trust)| *trust == Trust::Derived);
        let was_there = self.course.was_online()
            || self.announced.accepted.is_some()
            || self.recalled != Recalled::default();
        self.has_no_runtime_yet() || (matches!(self.session.link, Link::Relay(_)) && by_a_cell && !was_there)
    }

    /// Whether it has no runtime, as far as is known.
    pub(super) fn is_adrift(&self) -> bool {
        self.has_no_runtime_yet() || self.course.phase().is_gone()
    }

    /// Whether no runtime was there yet, or a dial has shown that the one is gone which was followed; its own goodbye
    /// alone does not count, since whoever holds the session key can say it too, and neither does what a dial of another
    /// way found.
    pub(super) fn is_proven_gone(&self) -> bool {
        self.has_no_runtime_yet() || (self.course.phase().is_gone() && !self.lead.unproven)
    }

    pub(super) fn keys(&self) -> Vec<HostKey> {
        self.pinned.iter().map(|(key, _)| key.clone()).collect()
    }

    /// Another key hints at another machine, unless none was known before.
    pub(super) fn knew_another_key(&self) -> bool {
        !self.pinned.is_empty()
    }

    pub(super) fn ends(&self, lifetime: SignedDuration) -> Option<Timestamp> {
        let vitals = self.course.phase().vitals()?;
        vitals.booted.or(self.machine.first_seen)?.checked_add(lifetime).ok()
    }

    /// The keys, for a person to compare.
    pub(super) fn comparison(&self) -> Comparison {
        let pinned = self.pinned.iter().map(|(key, trust)| (key.fingerprint(), *trust)).collect();
        Comparison { pinned, seen: self.course.phase().key_to_compare().map(HostKey::fingerprint) }
    }

    /// Has its files written with this key; one that leads elsewhere than on disk is moved by that.
    pub(super) fn write_with(&self, key: HostKey, trust: Trust) -> Effect {
        let (session, key) = (self.session.clone(), (key, trust));
        Effect::File(match self.lead.moved_from.clone() {
            Some(was) => FileJob::Move { was, session, key },
            None => FileJob::Settle { session, key: Some(key) },
        })
    }

    /// The one action that its health calls for.
    pub(super) fn action(&self) -> Option<Action> {
        match self.course.phase() {
            Phase::Waiting { .. } if self.waits_for_its_cell() && self.notebook.is_some() => {
                Some(Action::OpenNotebook)
            }
            Phase::NewHostKey { .. } => Some(Action::Compare),
            Phase::Down {
                cause:
                    Cause::TunnelDown
                    | Cause::SshdDown
                    | Cause::NoServer
                    | Cause::HangsUp
                    | Cause::RuntimeGone
                    | Cause::Ended,
                ..
            } if self.notebook.is_some() => Some(Action::OpenNotebook),
            Phase::Down { cause: Cause::LocalOffline, .. } => None,
            Phase::Down { .. } | Phase::AuthFailed { .. } => Some(Action::Repair),
            _ => None,
        }
    }
}
