//! All that the agent knows. Only [`update`](super::rules::update) changes it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use moorline_model::editor::Editor;
use moorline_model::health::{Health, Light};
use moorline_model::settings::Settings;
use moorline_ssh_files::Alias;

use super::followed::{Followed, LoginKeyWork, RivalQuestion};
use super::phase::Phase;
use super::snapshot::{Comparison, SessionView, Snapshot};
use super::wording;

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

impl State {
    /// What faces show now.
    pub fn snapshot(&self) -> Snapshot {
        let watched = self.sessions.values().filter(|followed| !followed.course.is_paused());
        let light = watched.map(|followed| followed.course.phase().health().light()).max();
        Snapshot {
            light: light.unwrap_or(Light::Idle),
            sessions: self.sessions.values().map(|followed| self.view(followed)).collect(),
            snoozed_until: self.snoozed_until,
            starts_at_login: self.starts_at_login,
        }
    }

    /// The keys of a session, for a person to compare; `None` if there is no such session.
    pub(super) fn comparison(&self, name: &Alias) -> Option<Comparison> {
        self.sessions.get(name).map(Followed::comparison)
    }

    /// Whether something is timed, so that ticks are needed.
    pub fn wants_ticks(&self) -> bool {
        let due = |question| matches!(question, RivalQuestion::Due(_));
        self.snoozed_until.is_some()
            || self.settling_in_until.is_some()
            || self.sessions.values().any(|followed| {
                followed.course.phase().tell_at().is_some()
                    || followed.course.is_returning()
                    || followed.course.phase().vitals().is_some()
                    || followed.files.retry_at.is_some()
                    || followed.announced.rival.as_ref().is_some_and(|rival| due(rival.question))
            })
    }

    /// When the next drop is to be told: ticks alone would be up to a second late.
    pub fn next_drop(&self) -> Option<Timestamp> {
        self.sessions.values().filter_map(|followed| followed.course.phase().tell_at()).min()
    }

    fn view(&self, followed: &Followed) -> SessionView {
        let session = &followed.session;
        let phase = followed.course.phase();
        let health = phase.health();
        SessionView {
            name: session.name.clone(),
            link: session.link.kind().to_owned(),
            endpoint: session.link.to_string(),
            state: words(followed, &health),
            health,
            vitals: phase.vitals().cloned(),
            ends: followed.ends(self.settings.lifetime),
            last_editor: followed.last_used.editor,
            editors: self.editors.clone(),
            password_only: followed.login_key.password_only,
            has_notebook: followed.notebook.is_some(),
            offered: followed.lead.offered.as_ref().map(ToString::to_string),
            rival: followed.announced.rival.as_ref().map(|rival| rival.adoption.accepted.runtime.clone()),
            action: followed.action(),
        }
    }
}

fn words(followed: &Followed, health: &Health) -> String {
    match followed.course.phase() {
        _ if followed.login_key.work == LoginKeyWork::VaultShut => wording::VAULT_SHUT.to_owned(),
        Phase::Waiting { found } if followed.waits_for_its_cell() => wording::no_runtime_yet(found.as_ref()),
        _ => wording::state(health),
    }
}
