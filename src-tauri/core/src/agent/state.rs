//! All that the agent knows. Only [`update`](super::rules::update) changes it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::{SignedDuration, Timestamp};
use moorline_model::announcement::Accepted;
use moorline_model::cause::Cause;
use moorline_model::channel_settings::ChannelSettings;
use moorline_model::colab_runtime::EndpointId;
use moorline_model::editor::Editor;
use moorline_model::health::{Health, Light};
use moorline_model::session::{Link, NotebookUrl, RemotePath, Session};
use moorline_model::settings::Settings;
use moorline_model::trust::Trust;
use moorline_model::vitals::Vitals;
use moorline_ssh_files::{Alias, Fingerprint, HostKey, Place};

use super::effect::Adoption;
use super::rules::announced::Rival;
use super::run::Comparison;
use super::snapshot::{Action, SessionView, Snapshot};
use super::wording;
use crate::store::told_json::Recalled;

/// The agent's whole state.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// The sessions by name.
    pub(super) sessions: BTreeMap<Alias, Followed>,
    /// The person's choices.
    pub settings: Settings,
    /// No notifications before this moment.
    pub(super) snoozed_until: Option<Timestamp>,
    /// This computer woke up a moment ago: until then a failure says nothing about a runtime.
    pub(super) settling_in_until: Option<Timestamp>,
    /// Editors that are installed.
    pub editors: Vec<Editor>,
    /// Whether Moorline starts at login.
    pub starts_at_login: bool,
    /// Why the files could not be read the last time; told once.
    pub(super) unreadable: Option<String>,
    /// Sessions whose drop was told in one message for several, and that are not told otherwise since.
    pub(super) together: Vec<Alias>,
    /// The slots of the notifications that stand, as far as this program put them there.
    pub(super) standing: BTreeSet<String>,
    /// The person was told that few compute units are left.
    pub(super) warned_of_units: bool,
}

/// One session under watch.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own; they exclude nothing")]
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Followed {
    pub session: Session,
    pub pinned: Vec<(HostKey, Trust)>,
    pub health: Health,
    /// Whether it has been online since the agent started: only what was there can drop.
    pub was_online: bool,
    pub vitals: Option<Vitals>,
    /// When a Colab runtime was first seen here: Google tells no start, so it is older than that.
    pub first_seen: Option<Timestamp>,
    /// The machine that the person knows of.
    pub machine: Option<String>,
    /// A key that answers and waits for a person.
    pub seen_key: Option<HostKey>,
    /// What a person approved; the runtime is asked once more whether that is what it shows.
    pub approval: Option<Fingerprint>,
    /// What the person was told last and has not been taken back.
    pub told: Told,
    /// A drop that is told when this moment comes, unless the session is back by then.
    pub drop_due: Option<Timestamp>,
    /// A return that is told when the files are written and the machine is known.
    pub returning: Option<Return>,
    pub last_editor: Option<Editor>,
    pub last_folder: Option<RemotePath>,
    pub notebook: Option<NotebookUrl>,
    pub password_only: bool,
    /// Keys of runtimes on which installing the login key was tried, or is under way: once for each.
    pub install_tried: Vec<HostKey>,
    pub installing: bool,
    /// The kept password is wanted, and the vault is locked.
    pub vault_shut: bool,
    /// What the last dial found in place of a runtime, while its cell has not run.
    pub found_nothing: Option<Cause>,
    /// Whether the person has been online on some machine before: a first one is no news.
    pub machine_told: bool,
    /// Minutes before the end of life that were warned of, for this boot.
    pub warned_of_end: Option<i64>,
    pub warned_of_disk: bool,
    pub channels: ChannelSettings,
    /// The last announcement that was accepted.
    pub accepted: Option<Accepted>,
    /// The last announcements of other runtimes, and of this one at another place.
    pub heard: Vec<Accepted>,
    /// Where the files are being led to.
    pub adopting: Option<Adoption>,
    /// Another runtime that announced itself while the one that is followed may still be there.
    pub rival: Option<Rival>,
    /// Its files are to be mended as soon as Moorline's own can be read again.
    pub unmended: bool,
    /// The session as it is on disk, while it leads elsewhere already: it is written once the key there is known.
    pub moved_from: Option<Session>,
    /// The account's only place was looked at and gave no answer; before this moment that one is not looked at again.
    pub lone_again: Option<(Place, Timestamp)>,
    /// Another runtime of the account that it could follow; a person is asked.
    pub offered: Option<EndpointId>,
    pub warned_of_idle: bool,
    /// File work under way, oldest first: whether it settles a new key.
    pub writes: VecDeque<bool>,
    /// When to try again to write its files, while they cannot be.
    pub files_retry: Option<Timestamp>,
    /// What the person knows of it, as it is kept over a restart.
    pub recalled: Recalled,
    /// No dial has shown yet that it is down: it says so itself, or its way is another by now.
    pub unproven: bool,
}

/// What a person believes about a session because of us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Told {
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

/// A session that is on its way back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Return {
    /// Whether its files are known to be in order.
    pub files_written: bool,
    /// Whether the connection stands.
    pub online: bool,
    /// `None` until it is known whether it is another machine.
    pub new_machine: Option<bool>,
    /// It shows another key than before: another machine, if nothing better is known.
    pub key_changed: bool,
    /// When to stop waiting for the vitals to tell.
    pub until: Timestamp,
    /// Since when all is known; it may wait a moment for those that dropped with it.
    pub ready: Option<Timestamp>,
}

impl Return {
    /// Nothing of it has happened yet.
    pub(super) fn new(new_machine: Option<bool>, until: Timestamp) -> Self {
        Self { files_written: false, online: false, new_machine, key_changed: false, until, ready: None }
    }

    /// With a key that is about to be pinned.
    pub(super) fn with_key(key_changed: bool, until: Timestamp) -> Self {
        Self { key_changed, ..Self::new(None, until) }
    }
}

impl Followed {
    pub(super) fn new(session: Session, pinned: Vec<(HostKey, Trust)>) -> Self {
        Self {
            session,
            pinned,
            health: Health::Waiting,
            was_online: false,
            vitals: None,
            first_seen: None,
            machine: None,
            seen_key: None,
            approval: None,
            told: Told::Nothing,
            drop_due: None,
            returning: None,
            last_editor: None,
            last_folder: None,
            notebook: None,
            password_only: false,
            install_tried: Vec::new(),
            installing: false,
            vault_shut: false,
            found_nothing: None,
            machine_told: false,
            warned_of_end: None,
            warned_of_disk: false,
            channels: ChannelSettings::default(),
            accepted: None,
            heard: Vec::new(),
            adopting: None,
            rival: None,
            unmended: false,
            moved_from: None,
            lone_again: None,
            offered: None,
            warned_of_idle: false,
            writes: VecDeque::new(),
            files_retry: None,
            recalled: Recalled::default(),
            unproven: false,
        }
    }

    /// Takes up what an earlier agent told.
    pub(super) fn recall(&mut self, recalled: Recalled) {
        self.machine.clone_from(&recalled.machine);
        self.machine_told = recalled.machine.is_some();
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
        if self.recalled.dropped.as_ref() == dropped && self.recalled.machine == self.machine {
            return None;
        }
        self.recalled = Recalled { machine: self.machine.clone(), dropped: dropped.cloned() };
        Some(self.recalled.clone())
    }

    /// Whether nothing has ever shown that its cell ran. The port on a relay is known before, and is dialled.
    pub(super) fn waits_for_its_cell(&self) -> bool {
        let by_a_cell =
            !self.pinned.is_empty() && self.pinned.iter().all(|(_, trust)| *trust == Trust::Derived);
        let was_there = self.was_online || self.accepted.is_some() || self.recalled != Recalled::default();
        self.has_no_runtime_yet() || (matches!(self.session.link, Link::Relay(_)) && by_a_cell && !was_there)
    }

    /// Whether its cell has never run, as far as anybody told: it leads nowhere yet.
    pub(super) fn has_no_runtime_yet(&self) -> bool {
        self.session.link.leads_nowhere()
    }

    pub(super) fn keys(&self) -> Vec<HostKey> {
        self.pinned.iter().map(|(key, _)| key.clone()).collect()
    }

    /// Another key hints at another machine, unless none was known before.
    pub(super) fn knew_another_key(&self) -> bool {
        !self.pinned.is_empty()
    }

    pub(super) fn ends(&self, lifetime: SignedDuration) -> Option<Timestamp> {
        self.vitals.as_ref()?.booted.or(self.first_seen)?.checked_add(lifetime).ok()
    }

    fn action(&self) -> Option<Action> {
        match &self.health {
            Health::Waiting if self.waits_for_its_cell() && self.notebook.is_some() => {
                Some(Action::OpenNotebook)
            }
            Health::NewHostKey { .. } => Some(Action::Compare),
            Health::Down {
                cause:
                    Cause::TunnelDown
                    | Cause::SshdDown
                    | Cause::NoServer
                    | Cause::HangsUp
                    | Cause::RuntimeGone
                    | Cause::Ended,
                ..
            } if self.notebook.is_some() => Some(Action::OpenNotebook),
            Health::Down { cause: Cause::LocalOffline, .. } => None,
            Health::Down { .. } | Health::AuthFailed { .. } => Some(Action::Repair),
            _ => None,
        }
    }
}

impl State {
    /// What faces show now.
    pub fn snapshot(&self) -> Snapshot {
        let watched = self.sessions.values().filter(|followed| followed.health != Health::Paused);
        let light = watched.map(|followed| followed.health.light()).max().unwrap_or(Light::Idle);
        Snapshot {
            light,
            sessions: self.sessions.values().map(|followed| self.view(followed)).collect(),
            snoozed_until: self.snoozed_until,
            starts_at_login: self.starts_at_login,
        }
    }

    /// The keys of a session, for a person to compare; `None` if there is no such session.
    pub(super) fn comparison(&self, name: &Alias) -> Option<Comparison> {
        let followed = self.sessions.get(name)?;
        let pinned = followed.pinned.iter().map(|(key, trust)| (key.fingerprint(), *trust)).collect();
        let waits = matches!(followed.health, Health::NewHostKey { .. });
        let seen = followed.seen_key.as_ref().filter(|_| waits).map(HostKey::fingerprint);
        Some(Comparison { pinned, seen })
    }

    /// Whether something is timed, so that ticks are needed.
    pub fn wants_ticks(&self) -> bool {
        self.snoozed_until.is_some()
            || self.settling_in_until.is_some()
            || self.sessions.values().any(|followed| {
                followed.drop_due.is_some()
                    || followed.returning.is_some()
                    || followed.vitals.is_some()
                    || followed.files_retry.is_some()
                    || followed.rival.as_ref().is_some_and(|rival| !rival.asked)
            })
    }

    /// When the next drop is to be told: ticks alone would be up to a second late.
    pub fn next_drop(&self) -> Option<Timestamp> {
        self.sessions.values().filter_map(|followed| followed.drop_due).min()
    }

    fn view(&self, followed: &Followed) -> SessionView {
        let session = &followed.session;
        let online = matches!(followed.health, Health::Online { .. });
        SessionView {
            name: session.name.clone(),
            link: session.link.kind().to_owned(),
            endpoint: session.link.to_string(),
            health: followed.health.clone(),
            state: if followed.vault_shut {
                wording::VAULT_SHUT.to_owned()
            } else if followed.health == Health::Waiting && followed.waits_for_its_cell() {
                wording::no_runtime_yet(followed.found_nothing.as_ref())
            } else {
                wording::state(&followed.health)
            },
            vitals: followed.vitals.clone().filter(|_| online),
            ends: followed.ends(self.settings.lifetime).filter(|_| online),
            last_editor: followed.last_editor,
            editors: self.editors.clone(),
            password_only: followed.password_only,
            has_notebook: followed.notebook.is_some(),
            offered: followed.offered.as_ref().map(ToString::to_string),
            rival: followed.rival.as_ref().map(|rival| rival.adoption.accepted.runtime.clone()),
            action: followed.action(),
        }
    }
}
