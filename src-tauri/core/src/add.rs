//! From a pasted text to a proposal: what a session would become. Pure; nothing is reached or written.

use std::path::PathBuf;

use moorline_ssh_files::{Alias, HostName, IdentityFile, InvalidName, Place, Port, UserName};
use secrecy::SecretString;

use crate::claims::Claim;
use crate::paste::{FoundLink, Reading, What};
use crate::session::{Link, RelayLink, RelayTarget, RemotePath, Session};
use crate::sessions_file::SessionsFile;
use crate::trust::Evidence;

/// The name of a session that nobody named.
const DEFAULT_NAME: &str = "colab";

/// What the person said besides the text.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The session's name.
    pub name: Option<Alias>,
    /// The relay that holds the runtime's port.
    pub relay: Option<RelayTarget>,
    /// "This relay is mine alone."
    pub mine_alone: bool,
    /// The user on the runtime.
    pub user: Option<UserName>,
    /// The folder to open.
    pub folder: Option<RemotePath>,
    /// The person's own key to log in with.
    pub identity_file: Option<IdentityFile>,
}

/// A session as the text and the wish would make it.
#[derive(Debug)]
pub struct Proposal {
    /// The session as it would be.
    pub session: Session,
    /// The session of that name as it is, if there is one.
    pub was: Option<Session>,
    /// What the text says of the host key.
    pub evidence: Evidence,
    /// A password that stood in the text.
    pub password: Option<SecretString>,
    /// Questions that `--yes` answers; each is one sentence.
    pub questions: Vec<String>,
}

/// Why a text makes no session. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ProposeError {
    /// The text has nothing to connect to.
    #[error("{0}")]
    NothingToConnectTo(String),
    /// The text tells of Google's own SSH, and not of which runtime.
    #[error(
        "this is Google's own SSH (`colab ssh`) to a session that google-colab-cli does not list here; choose one of your runtimes: moorline add NAME --colab"
    )]
    GoogleColab,
    /// The person has an entry of that name themselves.
    #[error("line {line} of {} already has `Host {name}`; choose another name (`moorline add NAME`), or remove that entry first", file.display())]
    NameTaken {
        /// The alias.
        name: Alias,
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The text suggests a name that another machine of the person's has.
    #[error(
        "the text calls the runtime {0}, which is a machine of yours already; choose a name: moorline add NAME"
    )]
    NameOfAnother(Alias),
    /// The relay's name is the alias of a session, so that ssh would go round in circles.
    #[error(
        "the relay {relay} has the name of a session, and ssh would go round in circles; give the relay's own address, or choose another name for the session"
    )]
    RelayIsSession {
        /// The relay.
        relay: RelayTarget,
    },
    /// A relay was named for a link that has none.
    #[error("the text names {0}, which is not a port on a relay; leave --relay out")]
    RelayNotNeeded(String),
    /// The relay's port is not in the text.
    #[error("--relay-is-mine-alone goes with a relay: name it with --relay [USER@]HOST[:PORT]")]
    NoRelay,
    /// The name that would be used cannot be.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// Puts the text and the wish together. `claimed` tells whether a name is a machine of the person's already
/// (see [`claims::claim`](crate::claims::claim)).
///
/// Only host, port, user and folder are ever taken from a text; never a command.
///
/// # Errors
/// When that makes no session; the sentence says what is missing.
pub fn propose(
    reading: &Reading,
    wish: &Wish,
    sessions: &SessionsFile,
    claimed: impl Fn(&Alias) -> Option<Claim>,
) -> Result<Proposal, ProposeError> {
    let name = name(reading, wish, sessions)?;
    let was = sessions.get(&name).cloned();
    let mut questions = Vec::new();
    if was.is_none() {
        questions.extend(new_name(&name, wish, claimed(&name))?);
    }
    let link = link(reading, wish, was.as_ref(), &mut questions)?;
    if let Link::Relay(RelayLink { relay, .. }) = &link
        && (relay.host.as_str() == name.as_str()
            || sessions.sessions().keys().any(|other| other.as_str() == relay.host.as_str()))
    {
        return Err(ProposeError::RelayIsSession { relay: relay.clone() });
    }
    let user = wish
        .user
        .clone()
        .or_else(|| reading.user.clone())
        .or_else(|| was.as_ref().map(|session| session.user.clone()))
        .unwrap_or_else(UserName::root);
    // A text may name the folder of a new session; what the person uses stays.
    let folder = wish
        .folder
        .clone()
        .or_else(|| was.as_ref().and_then(|session| session.folder.clone()))
        .or_else(|| reading.folder.clone());
    let identity_file =
        wish.identity_file.clone().or_else(|| was.as_ref().and_then(|session| session.identity_file.clone()));
    let session = Session { name, link, user, folder, identity_file };
    if let Some(was) = &was
        && (was.link != session.link || was.user != session.user)
    {
        let (from, to) = (login(was), login(&session));
        questions.push(format!("{} now leads to {from}; re-point it to {to}?", session.name));
    }
    let evidence = Evidence {
        keys: reading.host_keys.clone(),
        fingerprints: reading.fingerprints.clone(),
        channel: false,
    };
    Ok(Proposal { session, was, evidence, password: reading.password.clone(), questions })
}

/// A name that no session has yet. One that the person did not say themselves is asked about, and one that is another
/// machine's is never taken from a text.
fn new_name(name: &Alias, wish: &Wish, claim: Option<Claim>) -> Result<Option<String>, ProposeError> {
    let said = wish.name.is_some();
    match claim {
        Some(Claim::Entry { file, line }) => Err(ProposeError::NameTaken { name: name.clone(), file, line }),
        Some(_) if !said => Err(ProposeError::NameOfAnother(name.clone())),
        Some(Claim::Pattern { file, line }) => Ok(Some(format!(
            "Line {line} of {} means {name} by a pattern; take the name for this runtime?",
            file.display()
        ))),
        Some(Claim::KnownHost) => {
            Ok(Some(format!("known_hosts already holds a key under {name}; replace it by this runtime's?")))
        }
        None if said || name.as_str() == DEFAULT_NAME => Ok(None),
        None => Ok(Some(format!("The text calls the runtime {name}; follow it under that name?"))),
    }
}

fn login(session: &Session) -> String {
    format!("{}@{} ({})", session.user, session.link, session.link.kind())
}

fn name(reading: &Reading, wish: &Wish, sessions: &SessionsFile) -> Result<Alias, InvalidName> {
    if let Some(name) = wish.name.as_ref().or(reading.suggested_name.as_ref()) {
        return Ok(name.clone());
    }
    let mut all = sessions.sessions().keys();
    match (all.next(), all.next()) {
        (Some(only), None) => Ok(only.clone()),
        _ => DEFAULT_NAME.parse(),
    }
}

fn link(
    reading: &Reading,
    wish: &Wish,
    was: Option<&Session>,
    questions: &mut Vec<String>,
) -> Result<Link, ProposeError> {
    if wish.mine_alone && wish.relay.is_none() && !matches!(reading.link, Some(FoundLink::Relay { .. })) {
        return Err(ProposeError::NoRelay);
    }
    let before = match was {
        Some(Session { link: Link::Relay(link), .. }) => Some(link),
        _ => None,
    };
    let on_relay = |relay: &RelayTarget, port: Port| {
        let same = before.is_some_and(|before| before.relay == *relay && before.mine_alone);
        Link::Relay(RelayLink { relay: relay.clone(), port, mine_alone: wish.mine_alone || same })
    };
    match (&reading.link, &wish.relay) {
        (Some(FoundLink::Relay { relay, port }), wished) => {
            Ok(on_relay(wished.as_ref().unwrap_or(relay), *port))
        }
        (Some(FoundLink::Direct(place)), Some(relay))
            if place.host.is_loopback() || place.host == relay.host =>
        {
            Ok(on_relay(relay, place.port))
        }
        (Some(found), Some(_)) => Err(ProposeError::RelayNotNeeded(found.to_string())),
        (Some(found), None) => found.to_link().ok_or(ProposeError::GoogleColab),
        (None, wished) => {
            let Some(port) = loopback_port(reading) else {
                return Err(ProposeError::NothingToConnectTo(why_nothing(reading)));
            };
            if let Some(relay) = wished.as_ref().or(before.map(|link| &link.relay)) {
                return Ok(on_relay(relay, port));
            }
            questions.push(format!(
                "The text names port {port} of 127.0.0.1 and no relay; is that a port on this computer?"
            ));
            let host: HostName = "127.0.0.1".parse()?;
            Ok(Link::Direct(Place { host, port }))
        }
    }
}

fn loopback_port(reading: &Reading) -> Option<Port> {
    reading.findings.iter().rev().find_map(|finding| match finding.what {
        What::LoopbackPort { port, .. } => Some(port),
        _ => None,
    })
}

/// The most telling sentence of a reading without a link: what it is, or what is in doubt about it.
fn why_nothing(reading: &Reading) -> String {
    let notice = reading.notices.first().map(ToString::to_string);
    let doubt = reading.doubts.first().map(ToString::to_string);
    notice.or(doubt).unwrap_or_else(|| {
        "nothing in the text says where to connect; paste what the cell printed, or a host and port"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paste;

    fn sessions(toml: &str) -> SessionsFile {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, toml).unwrap();
        SessionsFile::load(&path).unwrap()
    }

    fn propose_from(text: &str, wish: &Wish, toml: &str) -> Result<Proposal, ProposeError> {
        propose(&paste::read(text), wish, &sessions(toml), |_| None)
    }

    const TRAINER: &str = "\
[session.trainer]
link = \"relay\"
relay = \"me@home\"
port = 7423
relay_is_mine_alone = true
user = \"alice\"
folder = \"/content/x\"
";

    #[test]
    fn a_first_paste_makes_a_session_without_a_question() {
        let made =
            propose_from("Root password: abcdef\ntcp://2.tcp.ngrok.io:13254", &Wish::default(), "").unwrap();
        assert_eq!(made.session.name.as_str(), "colab");
        assert_eq!(made.session.link.kind(), "ngrok");
        assert_eq!(made.session.user.as_str(), "root");
        assert!(made.password.is_some() && made.questions.is_empty() && made.was.is_none());
    }

    #[test]
    fn a_paste_that_re_targets_is_asked_about_and_keeps_what_it_does_not_say() {
        let made = propose_from("ssh -p 4242 bore.pub", &Wish::default(), TRAINER).unwrap();
        assert_eq!(made.session.name.as_str(), "trainer", "the only session is meant");
        assert_eq!(made.session.user.as_str(), "alice");
        assert_eq!(made.session.folder.unwrap().as_str(), "/content/x");
        let [question] = &made.questions[..] else { panic!("one question: {:?}", made.questions) };
        assert!(
            question.contains("port 7423 of me@home") && question.contains("bore.pub:4242"),
            "{question}"
        );
    }

    #[test]
    fn the_same_place_again_asks_nothing() {
        let text = "ssh -fNT -R 7423:127.0.0.1:22 me@home";
        let made = propose_from(text, &Wish::default(), TRAINER).unwrap();
        assert!(made.questions.is_empty(), "{:?}", made.questions);
        let Link::Relay(link) = made.session.link else { panic!("a relay") };
        assert!(link.mine_alone, "what was declared of this relay stays declared");
    }

    #[test]
    fn a_declaration_is_not_carried_over_to_another_relay() {
        let made = propose_from("ssh -fNT -R 7423:127.0.0.1:22 me@evil", &Wish::default(), TRAINER).unwrap();
        let Link::Relay(link) = made.session.link else { panic!("a relay") };
        assert!(!link.mine_alone && made.questions.len() == 1);
    }

    #[test]
    fn a_loopback_port_needs_a_relay_or_a_yes() {
        let text = "ssh -p7423 ada@127.0.0.1";
        let made = propose_from(text, &Wish::default(), "").unwrap();
        assert!(matches!(made.session.link, Link::Direct(_)) && made.questions.len() == 1);
        assert_eq!(made.session.user.as_str(), "ada", "the command says whom to log in as");
        let wish = Wish { relay: Some("me@relay:2222".parse().unwrap()), ..Wish::default() };
        let made = propose_from(text, &wish, "").unwrap();
        assert_eq!(made.session.link.to_string(), "port 7423 of me@relay:2222");
        assert!(made.questions.is_empty());
        let made = propose_from("ssh -p7424 root@127.0.0.1", &Wish::default(), TRAINER).unwrap();
        assert_eq!(made.session.link.to_string(), "port 7424 of me@home", "the relay is known");
    }

    #[test]
    fn what_makes_no_session_says_why() {
        let wish = Wish::default();
        for (text, says) in [
            ("hello", "where to connect"),
            (
                "ProxyCommand colab ssh --proxy-mode -s trainer\nHost colab\n  ProxyCommand colab ssh --proxy-mode -s trainer",
                "Google",
            ),
        ] {
            let said = propose_from(text, &wish, "").unwrap_err().to_string();
            assert!(said.contains(says), "{said}");
        }
        let wish = Wish { mine_alone: true, ..Wish::default() };
        assert!(matches!(propose_from("bore.pub:4242", &wish, ""), Err(ProposeError::NoRelay)));
        let wish = Wish { relay: Some("relay".parse().unwrap()), ..Wish::default() };
        assert!(matches!(propose_from("bore.pub:4242", &wish, ""), Err(ProposeError::RelayNotNeeded(_))));
    }

    #[test]
    fn a_machine_of_the_person_s_own_is_never_shadowed_unasked() {
        let said = Wish { name: Some("home".parse().unwrap()), ..Wish::default() };
        let from_text = "Host home\n HostName bore.pub\n Port 4242\n User root\n";
        let file = PathBuf::from("config");
        let entry = Claim::Entry { file: file.clone(), line: 2 };
        let with = |text: &str, wish: &Wish, claim: &Claim| {
            propose(&paste::read(text), wish, &sessions(""), |_| Some(claim.clone()))
        };
        for wish in [&said, &Wish::default()] {
            let taken = with(from_text, wish, &entry);
            assert!(matches!(taken, Err(ProposeError::NameTaken { line: 2, .. })), "{taken:?}");
        }
        for claim in [Claim::KnownHost, Claim::Pattern { file, line: 1 }] {
            let taken = with(from_text, &Wish::default(), &claim);
            assert!(matches!(taken, Err(ProposeError::NameOfAnother(_))), "{taken:?}");
            let asked = with("bore.pub:4242", &said, &claim).unwrap();
            assert_eq!(asked.questions.len(), 1, "{:?}", asked.questions);
        }
        let free = propose_from(from_text, &Wish::default(), "").unwrap();
        assert!(free.questions[0].contains("calls the runtime home"), "{:?}", free.questions);
    }

    #[test]
    fn a_relay_that_is_a_session_would_go_round_in_circles() {
        let colab = Wish { name: Some("colab".parse().unwrap()), ..Wish::default() };
        for relay in ["colab", "trainer"] {
            let text = format!("ssh -fNT -R 7423:127.0.0.1:22 me@{relay}");
            let looped = propose_from(&text, &colab, TRAINER);
            assert!(matches!(looped, Err(ProposeError::RelayIsSession { .. })), "{looped:?}");
        }
    }

    #[test]
    fn a_text_does_not_move_the_person_to_another_folder() {
        let text = "vscode://vscode-remote/ssh-remote+root@bore.pub:4242/content/theirs";
        let made = propose_from(text, &Wish::default(), TRAINER).unwrap();
        assert_eq!(made.session.folder.unwrap().as_str(), "/content/x");
    }
}
