//! What follows from what a runtime announces of itself.

use jiff::{SignedDuration, Timestamp};
use moorline_model::announcement::{self, Accepted, Announcement, Endpoint, Kind, Refusal, RuntimeId};
use moorline_model::cause::Cause;
use moorline_model::channel_settings::{ChannelKind, ChannelSettings};
use moorline_model::session::{Link, Session};
use moorline_ssh_files::{Alias, HostKey, Place};

use super::dial::watch;
use super::{dropped, files};
use crate::agent::effect::{Adoption, Effect, FileJob};
use crate::agent::followed::{Followed, Rival, RivalQuestion};
use crate::agent::moments::later;
use crate::agent::notices;
use crate::agent::phase::Phase;
use crate::agent::returning::Return;
use crate::agent::state::State;
use crate::announce::channels::listening::News;

/// How long another way waits before a person is asked about it: the one that is followed may be on its way out, and
/// nobody has noticed yet.
const ASK_AFTER: SignedDuration = SignedDuration::from_secs(15);

/// So many runtimes besides the followed one are remembered.
const HEARD: usize = 8;

/// Something came over a channel.
pub(super) fn heard(state: &mut State, name: &Alias, news: News, now: Timestamp) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    // What was on its way when the person paused it.
    if followed.course.is_paused() {
        return Vec::new();
    }
    let channel = news.channel;
    let judged = news.said.and_then(|(said, place)| {
        let accepted = judge(followed, &said, now)?;
        Ok((said, place, accepted))
    });
    match judged {
        // One announcement comes over several channels.
        Err(Refusal::Known) => Vec::new(),
        Err(refusal) => vec![Effect::Heard(name.clone(), channel, Err(refusal))],
        Ok((said, place, accepted)) => {
            let mut effects = vec![Effect::Heard(name.clone(), channel, Ok(()))];
            let number = accepted.clone();
            effects.extend(if said.kind == Kind::Down {
                down(followed, accepted, now)
            } else {
                here(followed, &said, place, accepted, news.derived, channel, now)
            });
            if followed.announced.accepted.as_ref() != Some(&number) {
                effects.push(note(followed, number));
            }
            effects
        }
    }
}

/// The files of an adoption were written, or could not be.
pub(super) fn adopted(
    state: &mut State,
    name: &Alias,
    outcome: Result<(), String>,
    now: Timestamp,
) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    let Some(adoption) = followed.course.adopted() else { return vec![Effect::File(FileJob::Reload)] };
    if let Err(sentence) = outcome {
        // What was said is not said again: it is followed once the files can be written, or asked about if the way
        // before answers again by then.
        let again = later(now, files::FILES_RETRY);
        followed.announced.rival =
            Some(Rival { adoption, not_before: Some(again), question: RivalQuestion::Due(again) });
        let mut effects = Vec::new();
        if let Phase::Down { cause, .. } = followed.course.phase().clone() {
            effects.extend(dropped::down(followed, cause, None, now));
        }
        effects.extend(files::refused(followed, sentence, now));
        return effects;
    }
    if let Some(returning) = followed.course.returning_mut() {
        returning.files_written(now);
    }
    followed.session.link = adoption.link;
    followed.session.user = adoption.user;
    followed.lead.moved_from = None;
    followed.lead.unproven = true;
    followed.pinned = adoption.keys;
    followed.course.question_over();
    // A redial for a watcher that stands on the same way does nothing.
    vec![watch(followed, 0), Effect::Redial(name.clone()), Effect::File(FileJob::Reload)]
}

/// What is due: a rival whose predecessor is gone is followed; one whose predecessor is still there is asked about. What
/// it said last counts for as long as any announcement does.
pub(super) fn due(state: &mut State, now: Timestamp) -> Vec<Effect> {
    let mut effects = Vec::new();
    for (name, followed) in &mut state.sessions {
        if followed.announced.rival.take_if(|rival| rival.adoption.accepted.is_over(now)).is_some() {
            effects.push(Effect::Unnotify(notices::rival_slot(name)));
        }
        let is_gone = followed.is_proven_gone();
        let online = followed.course.is_online();
        // While this computer is offline nobody can look.
        let offline = is_offline(followed);
        let Some(rival) = &mut followed.announced.rival else { continue };
        if rival.not_before.is_some_and(|moment| now < moment) {
            continue;
        }
        if is_gone {
            let rival = rival.clone();
            effects.extend(follow_rival(followed, rival, now));
        } else if !offline && matches!(rival.question, RivalQuestion::Due(moment) if moment <= now) {
            rival.question = RivalQuestion::Asked;
            let runtime = &rival.adoption.accepted.runtime;
            let moved = followed.announced.accepted.as_ref().is_some_and(|last| last.runtime == *runtime);
            effects.push(Effect::Notify(notices::rival(name, runtime, moved, online)));
        }
    }
    effects
}

/// A person wants the rival: exactly the one that they were asked about.
pub(super) fn take_over(state: &mut State, name: &Alias, runtime: &RuntimeId, now: Timestamp) -> Vec<Effect> {
    let Some(followed) = state.sessions.get_mut(name) else { return Vec::new() };
    match followed.announced.rival.clone().filter(|rival| rival.adoption.accepted.runtime == *runtime) {
        Some(rival) => follow_rival(followed, rival, now),
        None => Vec::new(),
    }
}

/// Why a rival cannot be followed.
pub(super) fn objection(followed: &Followed, runtime: &RuntimeId) -> Option<String> {
    let name = &followed.session.name;
    match &followed.announced.rival {
        Some(rival) if rival.adoption.accepted.runtime == *runtime => None,
        Some(_) => Some(format!(
            "{name}: yet another runtime announces itself elsewhere by now; nothing was changed"
        )),
        None => Some(format!("{name} announces itself nowhere else; nothing was changed")),
    }
}

/// Listens, if there is anything to listen to.
pub(super) fn listen(followed: &Followed) -> Option<Effect> {
    let wanted = !followed.announced.channels.channels.is_empty() && !followed.course.is_paused();
    wanted.then(|| Effect::Listen(followed.session.clone(), followed.announced.channels.clone()))
}

/// Listens anew if the way in which announcements come is another.
pub(super) fn listen_anew(
    followed: &mut Followed,
    session: &Session,
    channels: &ChannelSettings,
) -> Option<Effect> {
    // The relay's file lies on the relay; nothing else of a link tells where to listen.
    let relay = |link: &Link| match link {
        Link::Relay(link) => Some(link.relay.clone()),
        _ => None,
    };
    let silent = channels.channels.is_empty();
    if followed.announced.channels == *channels
        && (silent || relay(&followed.session.link) == relay(&session.link))
    {
        return None;
    }
    followed.announced.channels = channels.clone();
    if silent {
        return Some(Effect::Unlisten(session.name.clone()));
    }
    let paused = followed.course.is_paused();
    (!paused).then(|| Effect::Listen(session.clone(), channels.clone()))
}

/// Another program may have accepted something meanwhile; what is older than what is known here changes nothing.
pub(super) fn recall(followed: &mut Followed, on_disk: Option<&Accepted>) {
    let Some(on_disk) = on_disk else { return };
    let newer = followed.announced.accepted.as_ref().is_none_or(|known| {
        known.kid != on_disk.kid || (known.born, known.seq) < (on_disk.born, on_disk.seq)
    });
    // Whom the one that is followed now has replaced is still on disk until that is written.
    let overtaken = followed
        .announced
        .heard
        .iter()
        .any(|heard| heard.runtime == on_disk.runtime && heard.seq >= on_disk.seq);
    if newer && !overtaken {
        followed.announced.accepted = Some(on_disk.clone());
    }
}

/// Whether it is news of a runtime that may be followed.
fn judge(followed: &Followed, said: &Announcement, now: Timestamp) -> Result<Accepted, Refusal> {
    let last = followed.announced.accepted.as_ref();
    let followed_one = last.is_some_and(|last| last.is_of(said));
    match followed.announced.heard.iter().find(|heard| heard.is_of(said)) {
        // One that was heard before is held to its own numbers.
        Some(known) => {
            let accepted = announcement::accept(Some(known), said, now)?;
            if !followed_one && followed.is_proven_gone() {
                // Another one was followed, which is dead by now, and this one goes on: it is not too old for that.
                return Ok(accepted);
            }
        }
        // A new one is younger than all of them.
        None if !followed_one => {
            followed
                .announced
                .heard
                .iter()
                .try_for_each(|heard| announcement::accept(Some(heard), said, now).map(drop))?;
        }
        None => {}
    }
    announcement::accept(last, said, now)
}

/// Remembers the number of an announcement of a runtime that is not followed, or not there.
fn note(followed: &mut Followed, number: Accepted) -> Effect {
    let heard = &mut followed.announced.heard;
    heard.retain(|other| other.kid == number.kid && other.runtime != number.runtime);
    heard.push(number);
    heard.sort_by_key(|heard| heard.born);
    // What is dropped is too old for good, since it is older than the others.
    heard.drain(..heard.len().saturating_sub(HEARD));
    Effect::File(FileJob::RememberHeard(followed.session.name.clone(), heard.clone()))
}

/// The runtime says goodbye. Whether that is so shows at once: a new dial finds it gone, or still there.
fn down(followed: &mut Followed, accepted: Accepted, now: Timestamp) -> Vec<Effect> {
    let name = followed.session.name.clone();
    let of_rival =
        followed.announced.rival.take_if(|rival| rival.adoption.accepted.runtime == accepted.runtime);
    if of_rival.is_some() {
        return vec![Effect::Unnotify(notices::rival_slot(&name))];
    }
    let followed_one =
        followed.announced.accepted.as_ref().is_some_and(|last| last.runtime == accepted.runtime);
    if !followed_one {
        return Vec::new();
    }
    followed.announced.accepted = Some(accepted.clone());
    let mut effects = vec![Effect::File(FileJob::RememberAccepted(name.clone(), accepted))];
    if !matches!(followed.course.phase(), Phase::Down { .. }) {
        followed.lead.unproven = true;
        effects.extend(dropped::down(followed, Cause::Ended, None, now));
        effects.extend([Effect::Unwatch(name), watch(followed, 0)]);
    } else if !is_offline(followed) {
        followed.lead.unproven |= !followed.course.phase().is_gone();
        followed.course.end();
        effects.push(Effect::Redial(name));
    }
    effects
}

/// The runtime is there.
fn here(
    followed: &mut Followed,
    said: &Announcement,
    place: Option<Place>,
    accepted: Accepted,
    derived: HostKey,
    channel: ChannelKind,
    now: Timestamp,
) -> Vec<Effect> {
    let session = &followed.session;
    let name = session.name.clone();
    let another = followed.announced.accepted.as_ref().is_some_and(|last| last.runtime != said.runtime);
    let keys = announcement::keys(said, derived);
    let Some(link) = way(&session.link, &said.endpoints, place, channel) else {
        // A sign of life without a way, such as the metadata of an endpoint that another channel repeats.
        return if another { Vec::new() } else { keep(followed, accepted) };
    };
    let (user, known) = (said.user.clone(), followed.keys());
    let in_place = link == session.link
        && user == session.user
        && keys.iter().all(|(key, _)| known.contains(key))
        && !followed.course.is_adopting();
    if in_place {
        let online = followed.course.is_online();
        let mut effects = keep(followed, accepted);
        if followed.announced.rival.take_if(|rival| rival.adoption.accepted.runtime == said.runtime).is_some()
        {
            effects.push(Effect::Unnotify(notices::rival_slot(&name)));
        }
        if !online {
            effects.push(Effect::Redial(name));
        }
        return effects;
    }
    let adoption = Adoption { name: name.clone(), link, user, keys, accepted };
    if followed.is_proven_gone() {
        return adopt(followed, adoption, another, now);
    }
    let asked =
        followed.announced.rival.as_ref().filter(|rival| rival.adoption.accepted.runtime == said.runtime);
    let question = asked.map_or(RivalQuestion::Due(later(now, ASK_AFTER)), |rival| rival.question);
    followed.announced.rival = Some(Rival { adoption, not_before: None, question });
    // Whoever holds the session key can say so: it is followed unasked only if the way that was followed is dead, and
    // whether it is shows at once.
    let online = followed.course.is_online();
    vec![if online { Effect::Probe(name) } else { Effect::Redial(name) }]
}

fn follow_rival(followed: &mut Followed, rival: Rival, now: Timestamp) -> Vec<Effect> {
    let mut effects = vec![Effect::Unnotify(notices::rival_slot(&followed.session.name))];
    let another = followed
        .announced
        .accepted
        .as_ref()
        .is_none_or(|last| last.runtime != rival.adoption.accepted.runtime);
    effects.extend(adopt(followed, rival.adoption, another, now));
    effects
}

/// The files first; the watcher goes there when they are written.
fn adopt(followed: &mut Followed, adoption: Adoption, another: bool, now: Timestamp) -> Vec<Effect> {
    let knew_one = followed.announced.accepted.is_some();
    let mut effects = Vec::new();
    if let Some(former) = followed.announced.accepted.take()
        && former.runtime != adoption.accepted.runtime
    {
        effects.push(note(followed, former));
    }
    followed.announced.accepted = Some(adoption.accepted.clone());
    followed.announced.rival = None;
    followed.course.adopt(adoption.clone(), Return::new(knew_one.then_some(another), now));
    effects.push(Effect::File(FileJob::Adopt(adoption)));
    effects
}

fn keep(followed: &mut Followed, accepted: Accepted) -> Vec<Effect> {
    followed.announced.accepted = Some(accepted.clone());
    vec![Effect::File(FileJob::RememberAccepted(followed.session.name.clone(), accepted))]
}

/// The way to take: what the channel itself knows, else what is announced.
fn way(now: &Link, endpoints: &[Endpoint], place: Option<Place>, channel: ChannelKind) -> Option<Link> {
    if let Some(place) = place {
        return Some(if channel == ChannelKind::Ngrok { Link::Ngrok(place) } else { Link::Direct(place) });
    }
    announcement::way(Some(now), endpoints)
}

fn is_offline(followed: &Followed) -> bool {
    matches!(followed.course.phase(), Phase::Down { cause: Cause::LocalOffline, .. })
}

#[cfg(test)]
mod tests;
