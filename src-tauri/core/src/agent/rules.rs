//! The rules: what follows from what happened. Pure: the time comes in, effects go out.

pub(super) mod announced;
mod approve;
mod asked;
mod dropped;
mod files;
mod keyring;
mod loaded;
mod login;
mod lone;
mod runtime;

use jiff::{SignedDuration, Timestamp};
use moorline_model::cause::{Cause, Obstacle};
use moorline_model::health::Health;
use moorline_model::session::Link;
use moorline_model::trust::{Trust, channel_may_replace};
use moorline_ssh_files::{Alias, HostKey};

use super::effect::Effect;
use super::message::{Msg, Request};
use super::notices;
use super::state::{Followed, Return, State, Told};
use crate::watch::order::{Sight, WatchOrder};

/// How long after waking up a failure says nothing about a runtime.
const SETTLE_IN: SignedDuration = SignedDuration::from_secs(30);

/// How long a return waits for the vitals to tell whether it is the same machine.
const RECOGNISE: SignedDuration = SignedDuration::from_secs(5);

/// Takes a message in and says what is to be done.
pub fn update(state: &mut State, msg: Msg, now: Timestamp) -> Vec<Effect> {
    let answers = matches!(msg, Msg::Asked(_) | Msg::NotOpened(..) | Msg::Unreadable(_) | Msg::NotKept(..));
    let told = notices::told(state);
    let mut effects = match msg {
        Msg::Saw(name, sight) => saw(state, &name, sight, now),
        Msg::Loaded(all) => loaded::loaded(state, all),
        Msg::FilesChanged => vec![Effect::Reload],
        Msg::Configured(settings) => {
            state.settings = settings;
            Vec::new()
        }
        Msg::Unreadable(sentence) => files::unreadable(state, sentence),
        Msg::Found(editors) => {
            state.editors = editors;
            Vec::new()
        }
        Msg::Announced(name, news) => announced::heard(state, &name, *news, now),
        Msg::Alone(name, lone) => lone::found(state, &name, lone, now),
        Msg::Adopted(name, outcome) => announced::adopted(state, &name, outcome, now),
        Msg::KeyInstalled(name, outcome) => login::installed(state, &name, outcome, now),
        Msg::VaultOpened(name) => keyring::opened(state, &name),
        Msg::NotKept(name, sentence) => vec![Effect::Notify(notices::not_kept(&name, &sentence))],
        Msg::NotOpened(name, sentence) => vec![Effect::Notify(notices::not_opened(&name, &sentence))],
        Msg::Settled(name, outcome) => files::settled(state, &name, outcome, now),
        Msg::Unmended(name, sentence) => files::unmended(state, &name, sentence),
        Msg::Asked(request) => asked::asked(state, request, now),
        Msg::Woke => {
            state.settling_in_until = Some(later(now, SETTLE_IN));
            Vec::new()
        }
        // The watchers know of it, and take their turns.
        Msg::NetworkChanged | Msg::Tick => Vec::new(),
    };
    effects.extend(timed(state, now));
    files::note_writes(state, &effects);
    notices::withdraw_together(state, &mut effects);
    // Whoever asked for something hears what became of it, however quiet the rest is to be.
    if !answers {
        notices::hold_back(state, &told, &mut effects, now);
    }
    notices::keep_track(state, &mut effects);
    for (name, followed) in &mut state.sessions {
        effects
            .extend(followed.news_to_recall().map(|recalled| Effect::RememberTold(name.clone(), recalled)));
    }
    effects
}

/// Why a request cannot be met, as one sentence for whoever asks and waits for the answer. [`update`] guards itself:
/// it does the same whether this was asked or not.
pub fn objection(state: &State, request: &Request) -> Option<String> {
    let (Request::Open { name, .. }
    | Request::Repair(name)
    | Request::TakeOver(name, _)
    | Request::Follow { name, .. }
    | Request::Approve(name, _)
    | Request::Pause(name)
    | Request::Resume(name)) = request
    else {
        return None;
    };
    let Some(followed) = state.sessions.get(name) else {
        return Some(format!("there is no session {name}"));
    };
    if let Request::TakeOver(_, runtime) = request {
        return announced::objection(followed, runtime);
    }
    let Request::Approve(_, fingerprint) = request else { return None };
    match &followed.seen_key {
        Some(key) if key.fingerprint() == *fingerprint => None,
        Some(key) => Some(format!(
            "{name} shows {} now, not the fingerprint that you compared; nothing was changed, compare again",
            key.fingerprint()
        )),
        None => Some(format!("{name} shows no fingerprint that waits for an approval; nothing was changed")),
    }
}

fn saw(state: &mut State, name: &Alias, sight: Sight, now: Timestamp) -> Vec<Effect> {
    let grace = state.settling_in_until;
    if let Sight::Failed(Obstacle::Ended { others }) = sight {
        return runtime::ended(state, name, &others, now);
    }
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    // A watcher may still speak after it was told to stop.
    if followed.health == Health::Paused || followed.has_no_runtime_yet() {
        return Vec::new();
    }
    if matches!(sight, Sight::Online | Sight::Failed(_)) {
        followed.unproven = false;
    }
    match sight {
        Sight::Dialling => {
            // Nobody says that it is being reached before there can be something to reach.
            if followed.health == Health::Waiting && !followed.waits_for_its_cell() {
                followed.health = Health::Connecting;
            }
            Vec::new()
        }
        Sight::Online => online(followed, now),
        Sight::Lost(_) => {
            followed.vitals = None;
            if followed.adopting.is_none() {
                followed.returning = None;
            }
            followed.health = Health::Suspect { since: now };
            Vec::new()
        }
        Sight::Failed(obstacle) => failed(followed, obstacle, grace, now),
        Sight::Vitals(vitals) => {
            if let Health::Online { .. } = followed.health {
                recognise(followed, vitals.machine.as_deref());
                followed.vitals = Some(vitals);
            }
            Vec::new()
        }
    }
}

fn online(followed: &mut Followed, now: Timestamp) -> Vec<Effect> {
    followed.approval = None;
    followed.vault_shut = false;
    followed.found_nothing = None;
    followed.health = Health::Online { since: now };
    followed.was_online = true;
    followed.drop_due = None;
    followed.offered = None;
    followed.password_only = false;
    let being_written = followed.seen_key.take().is_some();
    if let Some(returning) = &mut followed.returning {
        returning.online = true;
        if returning.files_written || being_written {
            return Vec::new();
        }
        return vec![Effect::Settle { session: followed.session.clone(), key: None }];
    }
    followed.returning = Some(Return { online: true, ..Return::new(None, later(now, RECOGNISE)) });
    vec![Effect::Settle { session: followed.session.clone(), key: None }]
}

/// Tells whether it is another machine. A reading that was cut short and does not say tells nothing.
fn recognise(followed: &mut Followed, machine: Option<&str>) {
    let Some(machine) = machine else { return };
    let another = followed.machine.as_deref().is_some_and(|known| known != machine);
    let known = followed.machine.is_some();
    if let Some(returning) = &mut followed.returning {
        // The same machine is the same, whatever became of its keys.
        returning.new_machine.get_or_insert(if known { another } else { returning.key_changed });
    }
    if another {
        followed.warned_of_end = None;
        followed.warned_of_disk = false;
    }
    followed.machine = Some(machine.to_owned());
}

fn failed(
    followed: &mut Followed,
    obstacle: Obstacle,
    grace: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Effect> {
    followed.vitals = None;
    match obstacle {
        Obstacle::Key { key, channel: true }
            if channel_may_replace(followed.pinned.iter().map(|(_, trust)| *trust)) =>
        {
            vouched(followed, key, now)
        }
        Obstacle::Key { key, .. } => unvouched(followed, &key, now),
        Obstacle::Login => login::refused(followed, now),
        other => {
            let cause = cause(&followed.session.link, other);
            if followed.waits_for_its_cell() && cause != Cause::LocalOffline {
                // Nothing was there that could be gone.
                followed.health = Health::Waiting;
                followed.found_nothing = Some(cause);
            } else {
                dropped::down(followed, cause, grace, now);
            }
            [approve::unanswered(followed), lone::given_up(followed, now)].concat()
        }
    }
}

/// The way there proves the key: the files are written first, then the watcher goes on with it.
fn vouched(followed: &mut Followed, key: HostKey, now: Timestamp) -> Vec<Effect> {
    if followed.returning.as_ref().is_some_and(|returning| !returning.online && !returning.files_written)
        && followed.seen_key.as_ref() == Some(&key)
    {
        return Vec::new();
    }
    followed.health = Health::Suspect { since: since(&followed.health, now) };
    followed.returning = Some(Return {
        // One that was moved leads to another runtime for certain.
        new_machine: followed.moved_from.is_some().then_some(true),
        ..Return::with_key(followed.knew_another_key(), later(now, RECOGNISE))
    });
    followed.seen_key = Some(key.clone());
    let (session, key) = (followed.session.clone(), (key, Trust::Channel));
    vec![match followed.moved_from.clone() {
        Some(was) => Effect::Move { was, session, key },
        None => Effect::Settle { session, key: Some(key) },
    }]
}

fn unvouched(followed: &mut Followed, key: &HostKey, now: Timestamp) -> Vec<Effect> {
    let fingerprint = key.fingerprint();
    followed.drop_due = None;
    followed.returning = None;
    followed.health = Health::NewHostKey { fingerprint, since: since(&followed.health, now) };
    followed.seen_key = Some(key.clone());
    if let Some(effects) = approve::answered(followed, key, now) {
        return effects;
    }
    if followed.told == Told::NewKey(fingerprint) {
        return Vec::new();
    }
    followed.told = Told::NewKey(fingerprint);
    vec![Effect::Notify(notices::new_key(&followed.session.name))]
}

/// An outage began when it began, not when more was learned about it.
fn since(health: &Health, now: Timestamp) -> Timestamp {
    match health {
        Health::Suspect { since }
        | Health::Down { since, .. }
        | Health::NewHostKey { since, .. }
        | Health::AuthFailed { since } => *since,
        Health::Waiting | Health::Paused | Health::Connecting | Health::Online { .. } => now,
    }
}

/// What an obstacle means on a link.
fn cause(link: &Link, obstacle: Obstacle) -> Cause {
    let relayed = matches!(link, Link::Relay(_));
    // Whether a tunnel or a machine of its own stands there is not known.
    let direct = matches!(link, Link::Direct(_));
    match obstacle {
        Obstacle::OwnNetwork => Cause::LocalOffline,
        Obstacle::NotSsh if relayed => {
            Cause::Unknown { sentence: "something else than SSH answers on your server's port".to_owned() }
        }
        Obstacle::NameUnknown | Obstacle::Refused | Obstacle::NotSsh if direct => Cause::NoServer,
        Obstacle::ClosedAtOnce if direct => Cause::HangsUp,
        Obstacle::NameUnknown
        | Obstacle::Refused
        | Obstacle::NothingBehindRelay
        | Obstacle::TunnelGone
        | Obstacle::NotSsh => Cause::TunnelDown,
        Obstacle::ClosedAtOnce => Cause::SshdDown,
        Obstacle::Unreachable | Obstacle::Silent => Cause::RuntimeGone,
        Obstacle::Relay(sentence)
        | Obstacle::Edge(sentence)
        | Obstacle::Program(sentence)
        | Obstacle::Provider(sentence) => Cause::Way { sentence },
        Obstacle::Ended { .. } => Cause::Ended,
        Obstacle::Other(sentence) => Cause::Unknown { sentence },
        Obstacle::Key { .. } | Obstacle::Login => {
            Cause::Unknown { sentence: "it answers, but not as expected".to_owned() }
        }
    }
}

/// Has it watched where it leads. Before its first runtime there is nothing to dial: an announcement, or somebody who
/// leads it elsewhere, is waited for.
fn watch(followed: &mut Followed, turn: u16) -> Effect {
    if followed.has_no_runtime_yet() {
        followed.health = Health::Waiting;
        followed.drop_due = None;
        return Effect::Unwatch(followed.session.name.clone());
    }
    Effect::Watch(WatchOrder { session: followed.session.clone(), pinned: followed.keys(), turn })
}

/// What is due by now.
fn timed(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let past = |moment: Option<Timestamp>| moment.is_some_and(|moment| moment <= now);
    if past(state.snoozed_until) {
        state.snoozed_until = None;
    }
    if past(state.settling_in_until) {
        state.settling_in_until = None;
    }
    let mut effects = announced::due(state, now);
    effects.extend(files::due(state, now));
    effects.extend(notices::drops(state, now));
    effects.extend(notices::returns(state, now));
    effects.extend(notices::warnings(state, now));
    effects
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
