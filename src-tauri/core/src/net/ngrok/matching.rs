//! Which endpoints of an account belong to a session, and which agents to nobody any more. Pure.

use moorline_model::announcement;
use moorline_model::session_key::KeyId;
use moorline_ssh_files::Place;

use super::answer::{Agent, Endpoint};

/// What an account's endpoints say of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match<'a> {
    /// These carry announcements under the session's key, and are where they lead.
    Announced(Vec<(&'a str, &'a Place)>),
    /// Nobody announced anything, and this is the only TCP endpoint: perhaps it is the session's. Nothing vouches for it.
    Only(&'a Place),
    /// Nothing that could be the session's.
    Nothing,
    /// Several TCP endpoints, none of which says whose it is.
    Several(usize),
}

/// Finds a session's endpoints. `kid` is the id of its session key, if it has one.
pub fn of_session<'a>(endpoints: &'a [Endpoint], kid: Option<&KeyId>) -> Match<'a> {
    let tcp = || endpoints.iter().filter_map(|endpoint| Some((endpoint, endpoint.tcp.as_ref()?)));
    let announced: Vec<_> = tcp()
        .filter(|(endpoint, _)| kid.is_some_and(|kid| is_under(endpoint, kid)))
        .map(|(endpoint, place)| (endpoint.metadata.as_str(), place))
        .collect();
    if !announced.is_empty() {
        return Match::Announced(announced);
    }
    // What says that it is another session's is not ours.
    let mut silent = tcp().filter(|(endpoint, _)| !announces(endpoint)).map(|(_, place)| place);
    match (silent.next(), silent.count()) {
        (None, _) => Match::Nothing,
        (Some(only), 0) => Match::Only(only),
        (Some(_), more) => Match::Several(more + 1),
    }
}

/// An agent that a session may have left behind, and what it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten<'a> {
    /// The agent.
    pub agent: &'a Agent,
    /// What it holds.
    pub holds: Vec<&'a Endpoint>,
    /// Whether it holds nothing at all, so that nobody can miss it.
    pub for_nothing: bool,
}

/// The agents that no session of `followed` leads to: those that hold nothing, or TCP endpoints alone that neither a
/// session leads to nor anybody announces.
pub fn forgotten<'a>(
    agents: &'a [Agent],
    endpoints: &'a [Endpoint],
    followed: &[Place],
    kid: Option<&KeyId>,
) -> Vec<Forgotten<'a>> {
    let left_behind = |endpoint: &&Endpoint| {
        let elsewhere = endpoint.tcp.as_ref().is_some_and(|place| !followed.contains(place));
        elsewhere && (!announces(endpoint) || kid.is_some_and(|kid| is_under(endpoint, kid)))
    };
    let look = |agent: &'a Agent| {
        let holds: Vec<_> =
            endpoints.iter().filter(|endpoint| endpoint.agent.as_ref() == Some(&agent.id)).collect();
        let stale = holds.iter().all(left_behind);
        stale.then_some(Forgotten { agent, for_nothing: holds.is_empty(), holds })
    };
    agents.iter().filter_map(look).collect()
}

fn announces(endpoint: &Endpoint) -> bool {
    endpoint.metadata.starts_with(announcement::PREFIX)
}

fn is_under(endpoint: &Endpoint, kid: &KeyId) -> bool {
    let rest = endpoint.metadata.strip_prefix(announcement::PREFIX);
    rest.and_then(|rest| rest.strip_prefix(kid.as_str())).is_some_and(|rest| rest.starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KID: &str = "Ab-_0123abcd";

    fn place(port: u16) -> Place {
        Place { host: "0.tcp.eu.ngrok.io".parse().unwrap(), port: port.try_into().unwrap() }
    }

    fn endpoint(port: Option<u16>, metadata: &str, agent: &str) -> Endpoint {
        Endpoint {
            address: String::new(),
            tcp: port.map(place),
            metadata: metadata.to_owned(),
            agent: agent.parse().ok(),
        }
    }

    fn agent(id: &str) -> Agent {
        Agent { id: id.parse().unwrap(), ip: String::new(), program: String::new(), started: None }
    }

    #[test]
    fn what_is_announced_is_found_among_all() {
        let (ours, theirs) = (format!("ml1.{KID}.a.b"), "ml1.Zb-_0123abcd.a.b");
        let all = [
            endpoint(Some(1), "", "ts_1"),
            endpoint(Some(2), theirs, "ts_2"),
            endpoint(Some(3), &ours, "ts_3"),
            endpoint(None, &ours, "ts_4"),
        ];
        let kid: KeyId = KID.parse().unwrap();
        assert_eq!(of_session(&all, Some(&kid)), Match::Announced(vec![(ours.as_str(), &place(3))]));
        assert_eq!(of_session(&all, None), Match::Only(&place(1)), "what others announced is theirs");
        assert_eq!(of_session(&all[1..2], Some(&kid)), Match::Nothing);
        // Only the whole id counts.
        let longer = [endpoint(Some(1), &format!("ml1.{KID}x.a.b"), "ts_1")];
        assert_eq!(of_session(&longer, Some(&kid)), Match::Nothing);
    }

    #[test]
    fn of_several_that_say_nothing_none_is_taken() {
        let all =
            [endpoint(Some(1), "", "ts_1"), endpoint(None, "", "ts_2"), endpoint(Some(2), "my db", "ts_2")];
        assert_eq!(of_session(&all, None), Match::Several(2));
        assert_eq!(of_session(&all[..2], None), Match::Only(&place(1)), "web endpoints do not count");
        assert_eq!(of_session(&[], None), Match::Nothing);
    }

    #[test]
    fn an_agent_that_holds_nothing_or_an_old_endpoint_is_forgotten() {
        let kid: KeyId = KID.parse().unwrap();
        let ours = format!("ml1.{KID}.a.b");
        let agents: Vec<_> = ["ts_1", "ts_2", "ts_3", "ts_4", "ts_5"].into_iter().map(agent).collect();
        let endpoints = [
            endpoint(Some(1), "", "ts_1"),
            endpoint(Some(2), &ours, "ts_2"),
            endpoint(None, "", "ts_3"),
            endpoint(Some(4), "ml1.Zb-_0123abcd.a.b", "ts_4"),
        ];
        let names = |followed: &[Place]| {
            let found = forgotten(&agents, &endpoints, followed, Some(&kid));
            found.iter().map(|f| (f.agent.id.to_string(), f.for_nothing)).collect::<Vec<_>>()
        };
        let (one, two, five) =
            (("ts_1".to_owned(), false), ("ts_2".to_owned(), false), ("ts_5".to_owned(), true));
        assert_eq!(
            names(&[place(2)]),
            [one.clone(), five.clone()],
            "neither web endpoints nor other sessions' ones"
        );
        assert_eq!(names(&[place(1)]), [two.clone(), five.clone()]);
        assert_eq!(names(&[]), [one, two, five]);
    }
}
