//! From what was read and said so far to the session that it would become. Pure.

use moorline_model::colab_runtime::EndpointId;
use moorline_model::session::{ColabLink, Link, RelayLink, RelayTarget, Session};
use moorline_paste::{Doubt, FoundLink, Reading, What};
use moorline_ssh_files::{Alias, HostName, Place, Port, UserName};

use super::known::Known;
use super::matters::{Need, Question, Reason};
use super::step::Step;
use super::wish::Wish;

/// The name of a session that nobody named.
const DEFAULT_NAME: &str = "colab";

/// What the person answered about where it leads.
#[derive(Debug, Clone, Default)]
pub struct Where {
    /// Which of several endpoints.
    pub endpoint: Option<usize>,
    /// Whose the port of 127.0.0.1 is.
    pub port_of: Option<PortOf>,
    /// Which runtime google-colab-cli means, once it was asked.
    pub google: Option<GoogleAnswer>,
}

/// What google-colab-cli's own list says of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GoogleAnswer {
    /// This runtime.
    Known(EndpointId),
    /// It does not know it.
    Unknown,
}

/// Whose a port of 127.0.0.1 is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PortOf {
    /// This computer's.
    Here,
    /// A relay's.
    Relay(RelayTarget),
}

/// The session as it would be.
///
/// # Errors
/// The step that comes first.
pub fn session(reading: &Reading, wish: &Wish, known: &Known, answers: &Where) -> Result<Session, Step> {
    refuse_unusable(reading)?;
    let name = name(reading, wish, known);
    let was = known.sessions.get(&name);
    let link = link(reading, wish, was, known, answers)?;
    if let Link::Relay(RelayLink { relay, .. }) = &link
        && (relay.host.as_str() == name.as_str()
            || known.sessions.keys().any(|other| other.as_str() == relay.host.as_str()))
    {
        return Err(Step::Refuse(Reason::RelayIsSession(relay.clone())));
    }
    let user = wish
        .user
        .clone()
        .or_else(|| reading.user.clone())
        .or_else(|| was.map(|session| session.user.clone()))
        .unwrap_or_else(UserName::root);
    // A text may name the folder of a new session; what the person uses stays.
    let folder = wish
        .folder
        .clone()
        .or_else(|| was.and_then(|session| session.folder.clone()))
        .or_else(|| reading.folder.clone());
    let identity_file =
        wish.identity_file.clone().or_else(|| was.and_then(|session| session.identity_file.clone()));
    Ok(Session { name, link, user, folder, identity_file })
}

/// What a text gives and cannot be used is never replaced by a default.
fn refuse_unusable(reading: &Reading) -> Result<(), Step> {
    let unusable = reading.doubts.iter().find(|doubt| match doubt {
        // A password that is left out is asked for later; everything else would be a guess.
        Doubt::SeveralUsers(_) => true,
        Doubt::Refused { .. } => reading.link.is_some(),
        _ => false,
    });
    unusable.map_or(Ok(()), |doubt| Err(Step::Refuse(Reason::Unusable(doubt.to_string()))))
}

fn name(reading: &Reading, wish: &Wish, known: &Known) -> Alias {
    let named = wish.name.as_ref().or(reading.suggested_name.as_ref()).cloned();
    let only = || known.only().map(|session| session.name.clone());
    named.or_else(only).unwrap_or_else(default_name)
}

#[expect(clippy::expect_used, reason = "a name of our own, which a test reads")]
fn default_name() -> Alias {
    DEFAULT_NAME.parse().expect("the default name is one")
}

/// Whether nobody but the text gave this name.
pub fn named_by_text(reading: &Reading, wish: &Wish, name: &Alias) -> bool {
    wish.name.is_none() && reading.suggested_name.as_ref() == Some(name) && name.as_str() != DEFAULT_NAME
}

fn link(
    reading: &Reading,
    wish: &Wish,
    was: Option<&Session>,
    known: &Known,
    answers: &Where,
) -> Result<Link, Step> {
    let before = match was {
        Some(Session { link: Link::Relay(link), .. }) => Some(link),
        _ => None,
    };
    let on_relay = |relay: &RelayTarget, port: Port| {
        let same = before.is_some_and(|before| before.relay == *relay && before.mine_alone);
        Link::Relay(RelayLink { relay: relay.clone(), port, mine_alone: wish.mine_alone || same })
    };
    let found = found(reading, answers)?;
    if wish.mine_alone && wish.relay.is_none() && !matches!(found, Some(FoundLink::Relay { .. })) {
        return Err(Step::Refuse(Reason::NoRelay));
    }
    match (found, &wish.relay) {
        (Some(FoundLink::Relay { relay, port }), wished) => {
            Ok(on_relay(wished.as_ref().unwrap_or(&relay), port))
        }
        (Some(FoundLink::Direct(place)), Some(relay))
            if place.host.is_loopback() || place.host == relay.host =>
        {
            Ok(on_relay(relay, place.port))
        }
        (Some(found), Some(_)) => Err(Step::Refuse(Reason::RelayNotNeeded(found.to_string()))),
        (Some(FoundLink::GoogleColab { session, runtime: None }), None) => match &answers.google {
            Some(GoogleAnswer::Known(runtime)) => Ok(Link::Colab(ColabLink { runtime: runtime.clone() })),
            Some(GoogleAnswer::Unknown) => Err(Step::Refuse(Reason::UnknownGoogleRuntime)),
            None => Err(Step::Find(Need::GoogleRuntime(session))),
        },
        (Some(found), None) => found.to_link().ok_or(Step::Refuse(Reason::UnknownGoogleRuntime)),
        (None, wished) => {
            let Some(port) = loopback_port(reading) else { return Err(Step::Ask(where_it_leads(reading))) };
            let relay = wished.as_ref().or(before.map(|link| &link.relay));
            match (relay, &answers.port_of) {
                (Some(relay), _) | (None, Some(PortOf::Relay(relay))) => Ok(on_relay(relay, port)),
                (None, Some(PortOf::Here)) => Ok(Link::Direct(Place { host: loopback(), port })),
                (None, None) => Err(Step::Ask(Question::WhosePort { port, relays: known.relays() })),
            }
        }
    }
}

/// The way that the text means, or the one of several that the person chose.
fn found(reading: &Reading, answers: &Where) -> Result<Option<FoundLink>, Step> {
    if reading.link.is_some() {
        return Ok(reading.link.clone());
    }
    let several = reading.doubts.iter().find_map(|doubt| match doubt {
        Doubt::SeveralLinks(found) => Some(found),
        _ => None,
    });
    let Some(several) = several else { return Ok(None) };
    let chosen = answers.endpoint.and_then(|number| several.get(number));
    let Some(chosen) = chosen else {
        let found = several.iter().map(ToString::to_string).collect();
        return Err(Step::Ask(Question::WhichEndpoint { found }));
    };
    Ok(reading.findings.iter().find_map(|finding| match &finding.what {
        What::Link { link, .. } if link.to_string() == chosen.shown => Some(link.clone()),
        _ => None,
    }))
}

fn loopback_port(reading: &Reading) -> Option<Port> {
    reading.findings.iter().rev().find_map(|finding| match finding.what {
        What::LoopbackPort { port, .. } => Some(port),
        _ => None,
    })
}

#[expect(clippy::expect_used, reason = "an address of our own, which a test reads")]
fn loopback() -> HostName {
    "127.0.0.1".parse().expect("an address is a host")
}

/// Nothing says where it leads: what the text is instead, or what is in doubt about it.
fn where_it_leads(reading: &Reading) -> Question {
    let has_password = reading.password.is_some();
    let notices = reading.notices.iter().map(ToString::to_string);
    let doubts = reading
        .doubts
        .iter()
        .filter(|doubt| !(has_password && matches!(doubt, Doubt::NothingFound | Doubt::OnlyPassword)));
    let why = notices.chain(doubts.map(ToString::to_string)).collect();
    Question::Where { has_password, why }
}
