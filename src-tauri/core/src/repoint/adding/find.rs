//! Finding out what a conversation needs to know. Reads, dials and asks; writes nothing of the person's.

use std::sync::Arc;
use std::time::Duration;

use moorline_model::clock;
use moorline_model::session::{Link, Session};
use moorline_model::trust::{Evidence, Trust};
use moorline_ssh_files::{Alias, HostKey};
use secrecy::{ExposeSecret, SecretString};

use super::announced;
use super::conversation::Conversation;
use super::matters::{Access, Fact, Need, NotSeen, StillThere};
use crate::net::google::cli_sessions;
use crate::repoint::change::{Change, LOCK_WAIT};
use crate::repoint::name_taken::{Claim, claim};
use crate::repoint::{unchecked_entries, write};
use crate::ssh::context::Tools;
use crate::ssh::kept_secrets::{self, Kept};
use crate::ssh::login::{LoginError, install_login_key, key_login_works};
use crate::ssh::login_key::LoginKey;
use crate::ssh::reach::{Expected, Seen, named_key, reach, relay_ssh, route};
use crate::ssh::{Prompts, SystemSsh, obstacle};
use crate::store::pins_json::{Pins, SessionPins};
use crate::store::state_lock::StateLock;

/// A runtime that does not answer within this is added all the same, if the person says so.
const REACH: Duration = Duration::from_secs(8);

/// For everything else over the network.
const LIMIT: Duration = Duration::from_secs(15);

/// How long a person may take to type what ssh asks for, and all that follows.
const TYPING: Duration = Duration::from_secs(60);

/// Who finds out.
#[derive(Clone)]
pub struct Finder {
    /// The places, vault and ssh.
    pub tools: Arc<Tools>,
    /// Whether ssh may ask a person on its own terminal, where a relay wants a login.
    pub ssh_may_ask: bool,
}

impl Finder {
    /// Finds out.
    pub async fn find(&self, need: &Need, talk: &Conversation) -> Fact {
        match need {
            Need::Announcement => self.announcement(talk).await,
            Need::GoogleRuntime(name) => self.google_runtime(name.clone()).await,
            Need::Name(name) => self.name(name.clone()).await,
            Need::Preview(session) => self.preview(session, talk).await,
            Need::LoginKey => match self.login_key().await {
                Ok(key) => Fact::LoginKey(key.public_line()),
                Err(why) => Fact::NotWritable(why),
            },
            Need::Pinning(session, key) => self.pinning(session, key, talk).await,
            Need::StillThere(session) => Fact::StillThere(self.still_there(session).await),
            Need::Runtime(session) => match self.runtime(session, talk).await {
                Ok(seen) => Fact::Seen(seen),
                Err(why) => Fact::NotSeen(why),
            },
            Need::OtherKey(prints) => {
                let named = Evidence { fingerprints: prints.clone(), ..Evidence::default() };
                Fact::OtherKey(self.other_key(&named, talk).await)
            }
            Need::Login(key) => Fact::Login(self.login(key, talk).await),
        }
    }

    async fn announcement(&self, talk: &Conversation) -> Fact {
        let text = talk.texts().iter().map(ExposeSecret::expose_secret).collect::<Vec<_>>().join("\n");
        let text = zeroize::Zeroizing::new(text);
        let wanted = talk.wish().name.clone();
        let found = self.blocking(move |tools| announced::find(tools, &text, wanted.as_ref())).await;
        match found {
            Some(Ok(Some(announced))) => Fact::Announced(Box::new(announced)),
            Some(Err(why)) => Fact::NotAnnounced(why),
            Some(Ok(None)) | None => Fact::NoAnnouncement,
        }
    }

    async fn google_runtime(&self, name: Option<Alias>) -> Fact {
        // google-colab-cli's names are a comfort: without them a person chooses.
        let all =
            self.blocking(|tools| cli_sessions(&tools.dirs).unwrap_or_default()).await.unwrap_or_default();
        let known = all.into_iter().find(|known| Some(&known.name) == name.as_ref());
        Fact::GoogleRuntime(known.map(|known| known.runtime))
    }

    async fn name(&self, name: Alias) -> Fact {
        let asked = name.clone();
        let found = self.blocking(move |tools| {
            let claim = claim(&tools.dirs.ssh, &tools.dirs.home, &asked);
            let loose = match &claim {
                // Only the person's own file is edited, never one that it includes.
                Some(Claim::Entry { .. }) => {
                    let found = unchecked_entries::find(&tools.dirs.ssh, &tools.dirs.home);
                    found.iter().any(|found| found.editable && found.entry.alias == asked)
                }
                _ => false,
            };
            (claim, loose)
        });
        let (claim, loose) = found.await.unwrap_or((None, false));
        Fact::Name(name, claim, loose)
    }

    /// What the files would become, as far as it is known before anything is dialled.
    async fn preview(&self, session: &Session, talk: &Conversation) -> Fact {
        let change = Change { was: talk.was(&session.name), ..Change::of(session.clone(), clock::now()) };
        let report = match write::preview(&self.tools, &change).await {
            Ok(report) => report,
            Err(error) => return Fact::NotWritable(error.to_string()),
        };
        let name = &session.name;
        let mut diff = super::carry_out::diff(&report);
        if talk.takes_over(name) {
            match unchecked_entries::preview(&self.tools, name) {
                Ok(commented) => diff = format!("{}{diff}", super::carry_out::file_diff(&commented)),
                Err(error) => return Fact::NotWritable(error.to_string()),
            }
        }
        Fact::Preview(diff)
    }

    /// Whether ssh would take the session with this key: it may be revoked, or of a type that the person's config leaves out.
    async fn pinning(&self, session: &Session, key: &HostKey, talk: &Conversation) -> Fact {
        let keys = vec![(key.clone(), Trust::Approved)];
        let change =
            Change { was: talk.was(&session.name), keys, ..Change::of(session.clone(), clock::now()) };
        match write::preview(&self.tools, &change).await {
            Ok(_) => Fact::Pinnable,
            Err(error) => Fact::NotWritable(error.to_string()),
        }
    }

    async fn still_there(&self, session: &Session) -> StillThere {
        let pins = match Pins::load(&self.tools.dirs.pins_file()) {
            Ok(pins) => pins,
            Err(error) => return StillThere::Unsure(error.to_string()),
        };
        let none = SessionPins::default();
        let known = pins.get(&session.name).unwrap_or(&none);
        let pinned = known.keys.iter().map(|pinned| pinned.key.clone()).collect();
        let expected = Expected { pinned, ..Expected::default() };
        match reach(&self.tools, &self.ssh(session).await, session, &expected, REACH).await {
            Ok(seen) if known.holds(&seen.key) => StillThere::Yes,
            Ok(_) => StillThere::No,
            Err(error) if obstacle::tells_of_runtime(&error) => StillThere::No,
            Err(error) => StillThere::Unsure(error.to_string()),
        }
    }

    async fn runtime(&self, session: &Session, talk: &Conversation) -> Result<Seen, NotSeen> {
        let expected = &talk.expected(session);
        let ssh = self.ssh(session).await;
        match reach(&self.tools, &ssh, session, expected, REACH).await {
            Ok(seen) => Ok(seen),
            Err(error) if error.wants_login() && matches!(session.link, Link::Relay(_)) => {
                if !self.ssh_may_ask {
                    return Err(NotSeen::RelayWantsLogin);
                }
                let ssh = SystemSsh { prompts: Prompts::Terminal, ..ssh };
                let seen = reach(&self.tools, &ssh, session, expected, TYPING).await;
                seen.map_err(|error| NotSeen::Other(error.to_string()))
            }
            Err(error) => Err(NotSeen::Other(error.to_string())),
        }
    }

    async fn other_key(&self, named: &Evidence, talk: &Conversation) -> Option<HostKey> {
        let (session, seen) = talk.reached()?;
        let ssh = self.ssh(session).await;
        let route = route(&self.tools, &ssh, session).ok()?;
        named_key(&route, named, seen.key.algorithm(), patient(&ssh)).await
    }

    async fn login(&self, host_key: &HostKey, talk: &Conversation) -> Access {
        let Some((session, _)) = talk.reached() else { return Access::Missing };
        if session.identity_file.is_some() {
            return Access::OwnKey;
        }
        let ssh = self.ssh(session).await;
        let tried = async {
            let key = self.login_key().await?;
            let route = route(&self.tools, &ssh, session).map_err(|error| error.to_string())?;
            Ok::<_, String>((key, route))
        };
        let (key, route) = match tried.await {
            Ok(both) => both,
            Err(why) => return Access::NotTried(why),
        };
        let (pinned, limit) = ([host_key.clone()], patient(&ssh));
        match key_login_works(&route, &pinned, &session.user, &key, limit).await {
            Ok(true) => return Access::Works,
            Ok(false) => {}
            Err(error) => return Access::NotTried(error.to_string()),
        }
        let kept = match talk.password() {
            Some(_) => None,
            None => match self.kept_password(session, host_key).await {
                Ok(kept) => kept,
                Err(why) => return Access::Refused(why),
            },
        };
        let Some(password) = talk.password().or(kept.as_ref()) else { return Access::Missing };
        match install_login_key(&route, &pinned, &session.user, password, &key, limit).await {
            Ok(_) => Access::Installed,
            Err(error @ LoginError::WrongPassword) => Access::WrongPassword(error.to_string()),
            Err(error) => Access::Refused(error.to_string()),
        }
    }

    /// This computer's key; made under the state lock, which notes the directories that are made for it.
    async fn login_key(&self) -> Result<LoginKey, String> {
        let made = self.blocking(|tools| {
            let path = tools.dirs.login_key();
            if path.exists() {
                return LoginKey::ensure(&path).map_err(|error| error.to_string());
            }
            let _lock = StateLock::acquire(&tools.dirs, LOCK_WAIT).map_err(|error| error.to_string())?;
            LoginKey::ensure(&path).map_err(|error| error.to_string())
        });
        made.await.unwrap_or_else(|| Err("this computer's key could not be made; try again".to_owned()))
    }

    /// The password that is kept for exactly this session and machine; or that it is for another one, in one sentence.
    async fn kept_password(
        &self,
        session: &Session,
        host_key: &HostKey,
    ) -> Result<Option<SecretString>, String> {
        let (session, pinned) = (session.clone(), [host_key.clone()]);
        match self.blocking(move |tools| kept_secrets::password_for(tools, &session, &pinned)).await {
            Some(Ok(Kept::Here(password))) => Ok(Some(password)),
            Some(Ok(Kept::GivenFor(other))) => {
                Err(format!("the kept password was given for {other}, and is not sent elsewhere"))
            }
            Some(Ok(Kept::None)) | None => Ok(None),
            Some(Err(error)) => {
                tracing::debug!(%error, "no password could be looked up");
                Ok(None)
            }
        }
    }

    /// The person's ssh, with the relay's password at hand if it is kept.
    async fn ssh(&self, session: &Session) -> SystemSsh {
        let session = session.clone();
        let ssh = self.blocking(move |tools| relay_ssh(tools, &session)).await;
        ssh.unwrap_or_else(|| self.tools.ssh.clone())
    }

    /// Files and the keyring block.
    async fn blocking<T: Send + 'static>(&self, run: impl FnOnce(&Tools) -> T + Send + 'static) -> Option<T> {
        let tools = Arc::clone(&self.tools);
        match tokio::task::spawn_blocking(move || run(&tools)).await {
            Ok(found) => Some(found),
            Err(error) => {
                tracing::error!(%error, "finding something out broke off");
                None
            }
        }
    }
}

fn patient(ssh: &SystemSsh) -> Duration {
    if ssh.prompts == Prompts::Terminal { TYPING } else { LIMIT }
}
