//! Everything that a conversation asks, finds out, refuses and is told: the whole list in one place.
//!
//! A [`Question`] is for the person, a [`Need`] for whoever runs the conversation, a [`Reason`] is why it cannot go on
//! as it is. [`Answer`]s and [`Fact`]s are what comes back. None of them holds a secret but [`Answer`], which is never
//! sent to a face.

use std::path::PathBuf;

use moorline_model::colab_runtime::EndpointId;
use moorline_model::session::{RelayTarget, RemotePath, Session};
use moorline_ssh_files::{Alias, Fingerprint, HostKey, IdentityFile, Port};
use serde::{Deserialize, Serialize};

use super::typed_secret::TypedSecret;
use crate::repoint::name_taken::Claim;
use crate::ssh::reach::Seen;

/// What only a person can say. Each has a safe default: to leave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Question {
    /// Where does it lead? Nothing that was pasted so far says so.
    Where {
        /// Whether a password stood there: then only the way is missing.
        has_password: bool,
        /// Why what was pasted does not do, a sentence each; none before anything was pasted.
        why: Vec<String>,
    },
    /// Which of these endpoints, all of which stand in the text?
    WhichEndpoint {
        /// As shown, with their lines.
        found: Vec<String>,
    },
    /// Is this a port of this computer, or of which relay?
    WhosePort {
        /// The port of 127.0.0.1 that the text names.
        #[cfg_attr(feature = "typescript", ts(type = "number"))]
        port: Port,
        /// Relays that other sessions go through.
        #[cfg_attr(feature = "typescript", ts(type = "Array<string>"))]
        relays: Vec<RelayTarget>,
    },
    /// This name is taken: which other one, or this one all the same?
    NameTaken {
        /// The name.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        name: Alias,
        /// By what.
        by: Taken,
        /// One that is free.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        free: Alias,
    },
    /// This is what was understood: go ahead?
    GoAhead(Box<Summary>),
    /// The runtime still answers where it is: leave it?
    StillAnswers {
        /// Where it is.
        at: String,
        /// Where the session would lead.
        to: String,
        /// Why it cannot be told, where that is so.
        unsure: Option<String>,
    },
    /// Is this key the runtime's?
    Key(Box<KeyQuestion>),
    /// How does this computer get in?
    Login(Box<LoginQuestion>),
    /// The relay wants a password.
    RelayLogin {
        /// Which.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        relay: RelayTarget,
        /// Whether it refused one already.
        refused: bool,
    },
    /// It cannot be reached just now: try again, or add it all the same?
    Unreachable {
        /// Why, one sentence.
        cause: String,
    },
}

/// What has a name already.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Taken {
    /// An entry of the person's own.
    Entry {
        /// The file.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// Whether it is an entry for a Colab runtime that switches checking off, which can be taken over.
        loose: bool,
    },
    /// A pattern of the person's.
    Pattern {
        /// The file.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        file: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A key in `known_hosts`.
    KnownHost,
    /// A session is there, and the text or the person names another machine for it on purpose.
    Session,
}

/// What was understood, before anything is dialled or written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Summary {
    /// The session's name.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Alias,
    /// Whether the person named it, or nobody did: a name out of a text is asked about.
    pub name_from_text: bool,
    /// The link's word.
    pub link: String,
    /// Where it leads.
    pub endpoint: String,
    /// Whom to log in as.
    pub user: String,
    /// The folder that editors open.
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub folder: Option<RemotePath>,
    /// Where the session leads now, if it is there and would move.
    pub moves_from: Option<String>,
    /// The relay, where the link goes through one: it may be the person's alone.
    #[cfg_attr(feature = "typescript", ts(type = "string | null"))]
    pub relay: Option<RelayTarget>,
    /// Whether a password stood in the text.
    pub has_password: bool,
    /// Whether the text names the host key.
    pub has_fingerprint: bool,
    /// What is in doubt, a sentence each.
    pub doubts: Vec<String>,
    /// What would be written, as a unified diff.
    pub diff: String,
}

/// A key that nobody vouched for, with all that helps to compare it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct KeyQuestion {
    /// The session.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Alias,
    /// Where the key was seen.
    pub endpoint: String,
    /// The key's type.
    pub kind: String,
    /// Its fingerprint: an approval names exactly this one.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub seen: Fingerprint,
    /// What is remembered, and how it was learned.
    pub before: Vec<KnownKey>,
    /// One line to run in the notebook now, or to add to one's cell for good; its output can be pasted.
    pub line: String,
    /// Whether that line lets this computer in, too.
    pub line_lets_in: bool,
    /// Why a relay that was declared the person's own proved nothing, where that is so.
    pub relay_proved_nothing: Option<String>,
    /// What is wrong with the text that was given to compare, if one was.
    pub last_text: Option<NoComparison>,
}

/// A key that is remembered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct KnownKey {
    /// Its fingerprint.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub fingerprint: Fingerprint,
    /// How it was learned, as the end of a sentence.
    pub learned: String,
}

/// Why a text from the notebook proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum NoComparison {
    /// There is no fingerprint in it.
    NoFingerprint,
    /// It holds what a client saw, which is the very key in question.
    SeenByClient,
}

/// A runtime that does not let this computer in yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct LoginQuestion {
    /// The session.
    #[cfg_attr(feature = "typescript", ts(type = "string"))]
    pub name: Alias,
    /// Whom to log in as.
    pub user: String,
    /// One line to run in the notebook now, or to add to one's cell for good; it lets this computer in.
    pub line: String,
    /// Why the last try failed, one sentence.
    pub problem: Option<String>,
}

/// What the person answers. Holds secrets, so it goes to whoever runs the conversation and never back.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "answer", content = "with", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Answer {
    /// The endpoint with this number, from 0.
    Endpoint(usize),
    /// The port is one of this computer.
    ThisComputer,
    /// The port is one of this relay.
    Relay(#[cfg_attr(feature = "typescript", ts(type = "string"))] RelayTarget),
    /// Another name.
    Name(#[cfg_attr(feature = "typescript", ts(type = "string"))] Alias),
    /// This name all the same.
    TakeName(#[cfg_attr(feature = "typescript", ts(type = "string"))] Alias),
    /// Take over the entry of one's own that has the name: it is commented out.
    TakeOver(#[cfg_attr(feature = "typescript", ts(type = "string"))] Alias),
    /// Go ahead with what was understood.
    GoAhead {
        /// The relay is the person's alone.
        mine_alone: bool,
    },
    /// Leave the runtime that still answers.
    Leave,
    /// What the notebook printed, to compare the key with.
    Notebook(String),
    /// A person compared this key themselves.
    Approve(#[cfg_attr(feature = "typescript", ts(type = "string"))] Fingerprint),
    /// Take this key without comparing.
    WithoutComparing(#[cfg_attr(feature = "typescript", ts(type = "string"))] Fingerprint),
    /// The runtime's password.
    Password(TypedSecret),
    /// A key of one's own, by its file.
    OwnKey(#[cfg_attr(feature = "typescript", ts(type = "string"))] IdentityFile),
    /// The line was run in the notebook: try again.
    LineWasRun,
    /// Add it without access for now.
    LoginLater,
    /// The relay's password.
    RelayPassword(TypedSecret),
    /// Try once more.
    TryAgain,
    /// Add it although it cannot be reached.
    AddAnyway,
    /// Follow this runtime of one's Google account.
    GoogleRuntime(#[cfg_attr(feature = "typescript", ts(type = "string"))] EndpointId),
}

/// What the conversation must know to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Need {
    /// Whether the text holds an announcement under a session key of this computer.
    Announcement,
    /// Which runtime google-colab-cli means by this name.
    GoogleRuntime(Option<Alias>),
    /// What has this name already.
    Name(Alias),
    /// What writing this session would change.
    Preview(Box<Session>),
    /// Whether the session's runtime still answers where it is.
    StillThere(Box<Session>),
    /// What answers there now, and with which key.
    Runtime(Box<Session>),
    /// The public line of this computer's login key, which is made if there is none.
    LoginKey,
    /// Whether the runtime that answers also has one of these keys.
    OtherKey(Vec<Fingerprint>),
    /// Whether ssh would take the session with this key: nothing is sent to a machine whose key it refuses.
    Pinning(Box<Session>, HostKey),
    /// Whether this computer gets in, with the password if one was given.
    Login(HostKey),
}

/// What was found out, in answer to a [`Need`].
#[derive(Debug, Clone)]
pub enum Fact {
    /// There is no announcement.
    NoAnnouncement,
    /// There is one: where it leads and what it vouches for.
    Announced(Box<super::announced::Announced>),
    /// There is one, and it is not to be believed, or it leads nowhere; one sentence.
    NotAnnounced(String),
    /// The runtime that google-colab-cli means, if it knows.
    GoogleRuntime(Option<EndpointId>),
    /// What has the name.
    Name(Alias, Option<Claim>, bool),
    /// The diff.
    Preview(String),
    /// ssh would take it.
    Pinnable,
    /// It cannot be written, so nothing is begun; one sentence.
    NotWritable(String),
    /// The public line of this computer's login key.
    LoginKey(String),
    /// Whether the old runtime answers.
    StillThere(StillThere),
    /// What answers.
    Seen(Seen),
    /// Nothing usable answers.
    NotSeen(NotSeen),
    /// The runtime's key among those that were asked for.
    OtherKey(Option<HostKey>),
    /// How the login stands.
    Login(Access),
}

/// Whether a session's runtime still answers where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StillThere {
    /// It does, with a remembered key.
    Yes,
    /// It does not.
    No,
    /// It cannot be told; a clause that says why.
    Unsure(String),
}

/// Why nothing usable answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotSeen {
    /// The relay wants a password.
    RelayWantsLogin,
    /// Anything else; one sentence.
    Other(String),
}

/// How the login stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// This computer's key is let in.
    Works,
    /// It was put there with the password just now.
    Installed,
    /// A key of the person's own is used, which only their ssh can try.
    OwnKey,
    /// It is not let in, and there is no password.
    Missing,
    /// It is not let in, and the password did not help; one sentence.
    Refused(String),
    /// The password was refused.
    WrongPassword(String),
    /// It could not be tried; one sentence.
    NotTried(String),
}

/// Why a conversation cannot go on as it is. Nothing was written or sent, but
/// that this computer's login key may have been made. [`std::fmt::Display`] is one sentence; the
/// person can always paste something else, and what else they can do is [`Reason::remedies`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "reason", content = "with", rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Reason {
    /// The text gives something that cannot be used, which is never replaced by a default.
    #[error("{0}")]
    Unusable(String),
    /// The announcement in the text is not to be believed, or leads nowhere.
    #[error("{0}")]
    Announcement(String),
    /// Google's own SSH, to a runtime that nothing here knows.
    #[error(
        "this is Google's own SSH, to a session that google-colab-cli does not list here; choose one of your runtimes"
    )]
    UnknownGoogleRuntime,
    /// The relay's name is the alias of a session.
    #[error(
        "the relay {0} has the name of a session, and ssh would go round in circles; give the relay's own address, or choose another name for the session"
    )]
    RelayIsSession(#[cfg_attr(feature = "typescript", ts(type = "string"))] RelayTarget),
    /// A relay was named for a link that has none.
    #[error("the text leads to {0}, which is not a port on a relay; leave the relay out")]
    RelayNotNeeded(String),
    /// A relay was declared one's own, and there is none.
    #[error("the text names no relay that could be yours alone; name the relay too")]
    NoRelay,
    /// The files cannot be written.
    #[error("{0}")]
    NotWritable(String),
    /// The key that answers is not the one that was named.
    #[error(
        "{name} at {endpoint} shows {seen}, but you named {named}; it is another machine, or an older text"
    )]
    NotTheNamedKey {
        /// The session.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        name: Alias,
        /// Where.
        endpoint: String,
        /// What answers.
        #[cfg_attr(feature = "typescript", ts(type = "string"))]
        seen: Fingerprint,
        /// What was named.
        named: String,
    },
    /// The key that a person approved is not the one that answers now.
    #[error("another key answers now ({0}) than the one that was approved; compare again")]
    KeyChanged(#[cfg_attr(feature = "typescript", ts(type = "string"))] Fingerprint),
    /// The session changed while the conversation went on.
    #[error("{0}")]
    Overtaken(String),
    /// Nobody answered for too long.
    #[error("nothing was answered for an hour, so what was pasted was thrown away; paste it again")]
    Expired,
}

/// What a person can do about a [`Reason`] where it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub enum Remedy {
    /// Paste something else.
    PasteAgain,
    /// Try the same once more.
    TryAgain,
    /// Choose another name.
    ChooseName,
    /// Choose one of one's Google runtimes.
    ChooseGoogleRuntime,
}

impl Reason {
    /// What can be done about it on the spot, the best first; never nothing.
    pub fn remedies(&self) -> Vec<Remedy> {
        use Remedy::{ChooseGoogleRuntime, ChooseName, PasteAgain, TryAgain};
        match self {
            Self::Unusable(_)
            | Self::Announcement(_)
            | Self::NoRelay
            | Self::RelayNotNeeded(_)
            | Self::Expired => {
                vec![PasteAgain]
            }
            Self::UnknownGoogleRuntime => vec![ChooseGoogleRuntime, PasteAgain],
            Self::RelayIsSession(_) => vec![ChooseName, PasteAgain],
            Self::NotWritable(_) | Self::KeyChanged(_) | Self::Overtaken(_) | Self::NotTheNamedKey { .. } => {
                vec![TryAgain, PasteAgain]
            }
        }
    }
}
