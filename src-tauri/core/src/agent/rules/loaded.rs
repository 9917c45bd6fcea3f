//! What follows from the files as they are on disk by now.

use moorline_model::trust::Trust;
use moorline_ssh_files::{Alias, HostKey};

use super::announced;
use super::dial::watch;
use crate::agent::effect::{Effect, FileJob};
use crate::agent::followed::{Announced, Followed};
use crate::agent::message::Loaded;
use crate::agent::notices;
use crate::agent::state::State;
use crate::store::told_json::Recalled;

pub(super) fn loaded(state: &mut State, all: Vec<Loaded>) -> Vec<Effect> {
    let mut effects = Vec::new();
    if state.unreadable.take().is_some() {
        effects.push(Effect::Unnotify(notices::UNREADABLE.to_owned()));
    }
    let gone: Vec<Alias> = state
        .sessions
        .keys()
        .filter(|name| !all.iter().any(|loaded| loaded.session.name == **name))
        .cloned()
        .collect();
    for name in gone {
        if state.sessions.remove(&name).is_some_and(|gone| gone.recalled != Recalled::default()) {
            effects.push(Effect::File(FileJob::RememberTold(name.clone(), Recalled::default())));
        }
        effects.extend([Effect::Unwatch(name.clone()), Effect::Unlisten(name.clone())]);
        effects.extend(notices::all_slots(&name).map(Effect::Unnotify));
    }
    for followed in state.sessions.values_mut().filter(|followed| followed.files.unmended) {
        followed.files.unmended = false;
        effects.push(Effect::File(FileJob::Settle { session: followed.session.clone(), key: None }));
    }
    let mut turn = 0;
    for Loaded { session, pinned, remembered, recalled, channels, accepted, first_seen, heard } in all {
        if let Some(followed) = state.sessions.get_mut(&session.name) {
            followed.notebook.clone_from(&remembered.notebook);
            followed.machine.first_seen = first_seen;
            effects.extend(announced::listen_anew(followed, &session, &channels));
            announced::recall(followed, accepted.as_ref());
        }
        match state.sessions.get_mut(&session.name) {
            Some(followed) if followed.session == session && followed.pinned == pinned => {
                followed.lead.moved_from = None;
            }
            // It leads elsewhere already, and is written once the key there is known.
            Some(followed)
                if followed.lead.moved_from.as_ref() == Some(&session) && followed.pinned == pinned => {}
            Some(followed) => {
                let moved = followed.session.link != session.link || followed.keys() != keys(&pinned);
                followed.session = session;
                if drops_derived(&followed.pinned, &pinned) {
                    // Another session key: what was heard under the one before counts for nothing.
                    followed.course.adopted();
                    if followed.announced.rival.take().is_some() {
                        effects.push(Effect::Unnotify(notices::rival_slot(&followed.session.name)));
                    }
                }
                followed.pinned = pinned;
                followed.lead.moved_from = None;
                followed.lead.offered = None;
                if !followed.course.is_paused() && moved {
                    followed.course.question_over();
                    // What a dial of the way before has found says nothing about this one.
                    followed.lead.unproven = true;
                    effects.push(watch(followed, 0));
                }
            }
            None => {
                let mut followed = Followed::new(session, pinned);
                followed.announced = Announced { channels, accepted, heard, rival: None };
                followed.machine.first_seen = first_seen;
                followed.notebook = remembered.notebook;
                followed.last_used.editor = remembered.last_editor;
                followed.last_used.folder = remembered.last_folder;
                followed.recall(recalled);
                if remembered.paused {
                    followed.course.pause();
                } else {
                    effects.push(watch(&mut followed, turn));
                    effects.extend(announced::listen(&followed));
                    turn = turn.saturating_add(1);
                }
                state.sessions.insert(followed.session.name.clone(), followed);
            }
        }
    }
    effects
}

/// Whether a host key that follows from a session key gives way to another.
fn drops_derived(before: &[(HostKey, Trust)], now: &[(HostKey, Trust)]) -> bool {
    before.iter().any(|(key, trust)| *trust == Trust::Derived && !now.iter().any(|(kept, _)| kept == key))
}

fn keys(pinned: &[(HostKey, Trust)]) -> Vec<HostKey> {
    pinned.iter().map(|(key, _)| key.clone()).collect()
}
