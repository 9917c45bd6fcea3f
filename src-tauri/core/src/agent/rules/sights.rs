//! What follows from what a watcher sees of a session.

use jiff::Timestamp;
use moorline_model::cause::{Cause, Obstacle};
use moorline_model::session::Link;
use moorline_model::trust::channel_may_replace;
use moorline_ssh_files::Alias;

use super::{dropped, keys, login, lone, runtime};
use crate::agent::effect::{Effect, FileJob};
use crate::agent::followed::{Followed, LoginKeyWork};
use crate::agent::state::State;
use crate::watch::order::Sight;

pub(super) fn saw(state: &mut State, name: &Alias, sight: Sight, now: Timestamp) -> Vec<Effect> {
    let grace = state.settling_in_until;
    if let Sight::Failed(Obstacle::Ended { others }) = sight {
        return runtime::ended(state, name, &others, now);
    }
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    // A watcher may still speak after it was told to stop.
    if followed.course.is_paused() || followed.has_no_runtime_yet() {
        return Vec::new();
    }
    if matches!(sight, Sight::Online | Sight::Failed(_)) {
        followed.lead.unproven = false;
    }
    match sight {
        Sight::Dialling => {
            // Nobody says that it is being reached before there can be something to reach.
            if !followed.waits_for_its_cell() {
                followed.course.dial();
            }
            Vec::new()
        }
        Sight::Online => online(followed, now),
        Sight::Lost(_) => {
            followed.course.lose(now);
            Vec::new()
        }
        Sight::Failed(obstacle) => failed(followed, obstacle, grace, now),
        Sight::Vitals(vitals) => {
            if followed.course.is_online() {
                recognise(followed, vitals.machine.as_deref());
                followed.course.read(vitals);
            }
            Vec::new()
        }
    }
}

fn online(followed: &mut Followed, now: Timestamp) -> Vec<Effect> {
    if followed.login_key.work == LoginKeyWork::VaultShut {
        followed.login_key.work = LoginKeyWork::None;
    }
    followed.login_key.password_only = false;
    followed.lead.offered = None;
    if followed.course.connect(now) {
        return vec![Effect::File(FileJob::Settle { session: followed.session.clone(), key: None })];
    }
    Vec::new()
}

/// Tells whether it is another machine. A reading that was cut short and does not say tells nothing.
fn recognise(followed: &mut Followed, machine: Option<&str>) {
    let Some(machine) = machine else { return };
    let known = followed.machine.known.replace(machine.to_owned());
    let another = known.as_deref().is_some_and(|known| known != machine);
    if let Some(returning) = followed.course.returning_mut() {
        // The same machine is the same, whatever became of its keys.
        let seems_new = if known.is_some() { another } else { returning.key_changed };
        returning.new_machine.get_or_insert(seems_new);
    }
    if another {
        followed.warned.end = None;
        followed.warned.disk = false;
    }
}

fn failed(
    followed: &mut Followed,
    obstacle: Obstacle,
    grace: Option<Timestamp>,
    now: Timestamp,
) -> Vec<Effect> {
    match obstacle {
        Obstacle::Key { key, channel: true }
            if channel_may_replace(followed.pinned.iter().map(|(_, trust)| *trust)) =>
        {
            keys::vouched(followed, key, now)
        }
        Obstacle::Key { key, .. } => keys::unvouched(followed, &key, now),
        Obstacle::Login => login::refused(followed, now),
        other => {
            let cause = cause(&followed.session.link, other);
            // Before its cell has run nothing was there that could be gone.
            let may_wait = followed.waits_for_its_cell() && cause != Cause::LocalOffline;
            let told = if may_wait && followed.course.find_nothing(&cause) {
                Vec::new()
            } else {
                dropped::down(followed, cause, grace, now)
            };
            [told, lone::given_up(followed, now)].concat()
        }
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
