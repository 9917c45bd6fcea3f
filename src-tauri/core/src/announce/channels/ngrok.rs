//! The account's own list of endpoints at ngrok: an announcement stands in an endpoint's metadata, and the list says
//! where that endpoint is. Where nobody announced anything and the account has one TCP endpoint alone, that one may be the
//! session's: its key is looked at, by the key exchange alone, and the rules decide what it is worth.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use moorline_model::random::random as jitter;
use moorline_model::session::{Link, Session};
use moorline_model::session_key::KeyId;
use moorline_ssh_files::Place;
use tokio::time::Instant;

use super::channel::{Channel, Ear, Heard, Lone};
use super::keyring::{ASK_AGAIN, pause};
use crate::net::ngrok::matching::{self, Match};
use crate::net::ngrok::{self, Account, NgrokError};
use crate::ssh::Route;
use crate::ssh::context::Tools;
use crate::ssh::probe::host_key;

/// How often the list is asked for: four of the account's 120 requests a minute.
const LOOK: Duration = Duration::from_secs(13);

/// How long after an ordinary failure; doubled each time, up to the last.
const AGAIN: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(240));

/// How long where only a person can help.
const FOR_A_PERSON: Duration = Duration::from_secs(300);

/// How long a lone endpoint may take to show its key.
const SHOW: Duration = Duration::from_secs(10);

/// The account, looked at for one session.
pub(super) struct Ngrok {
    session: Session,
    /// Under which its announcements are made; without, none is read.
    kid: Option<KeyId>,
    tools: Arc<Tools>,
    account: Option<Account>,
    /// What was handed on last.
    heard: Vec<Heard>,
    failures: u32,
    alone: Option<Alone>,
}

/// What is known of the endpoint that is the only one. Each is dialled until it shows a key, ever more slowly, and then
/// left alone.
struct Alone {
    place: Place,
    shown: Option<Lone>,
    again: Instant,
    wait: Duration,
}

/// What the list says.
struct Looked {
    announced: Vec<Heard>,
    only: Option<Place>,
}

impl Ngrok {
    pub(super) fn new(session: &Session, kid: Option<KeyId>, tools: &Arc<Tools>) -> Self {
        let (session, tools) = (session.clone(), Arc::clone(tools));
        Self { session, kid, tools, account: None, heard: Vec::new(), failures: 0, alone: None }
    }

    async fn run(mut self, ear: Ear) {
        loop {
            let looked = tokio::select! {
                looked = self.look() => looked,
                () = ear.closed() => return,
            };
            let wait = match looked {
                Ok(found) => {
                    self.failures = 0;
                    let Looked { announced, only } = found;
                    let known = |heard: &&Heard| !self.heard.contains(heard);
                    let mut news: Vec<_> = announced.iter().filter(known).cloned().collect();
                    self.heard = announced;
                    tokio::select! {
                        // Said each time: what it is worth depends on how the session is by then.
                        lone = self.lone(only) => news.extend(lone.map(Heard::Lone)),
                        () = ear.closed() => return,
                    }
                    for heard in news {
                        if !ear.hear(heard).await {
                            return;
                        }
                    }
                    LOOK
                }
                Err(error) => {
                    let wait = self.after(&error);
                    if matches!(error, NgrokError::Vault(_)) {
                        tokio::select! {
                            () = pause(&self.tools, wait) => continue,
                            () = ear.closed() => return,
                        }
                    }
                    wait
                }
            };
            tokio::select! {
                () = tokio::time::sleep(wait + wait.mul_f64(0.15 * jitter())) => {}
                () = ear.closed() => return,
            }
        }
    }

    async fn look(&mut self) -> Result<Looked, NgrokError> {
        if self.account.is_none() {
            let tools = Arc::clone(&self.tools);
            // The keyring blocks.
            let found = tokio::task::spawn_blocking(move || ngrok::account(&tools)).await;
            self.account = Some(found.unwrap_or(Err(NgrokError::NoKey))?);
        }
        let Some(account) = &self.account else { return Err(NgrokError::NoKey) };
        let endpoints = account.endpoints().await?;
        let (announced, only) = match matching::of_session(&endpoints, self.kid.as_ref()) {
            Match::Announced(all) => {
                let heard = |(line, place): (&str, &Place)| Heard::Line {
                    line: line.to_owned(),
                    place: Some(place.clone()),
                };
                (all.into_iter().map(heard).collect(), None)
            }
            Match::Only(place) => (Vec::new(), Some(place.clone())),
            Match::Nothing | Match::Several(_) => (Vec::new(), None),
        };
        Ok(Looked { announced, only })
    }

    /// The only endpoint with the key that it shows, if it is for a session over ngrok.
    async fn lone(&mut self, only: Option<Place>) -> Option<Lone> {
        let place = only.filter(|_| matches!(self.session.link, Link::Ngrok(_)))?;
        let now = Instant::now();
        let known = self.alone.take().filter(|alone| alone.place == place);
        let mut alone = known.unwrap_or(Alone { place, shown: None, again: now, wait: LOOK });
        if alone.shown.is_none() && alone.again <= now {
            match host_key(&Route::Tcp(alone.place.clone()), SHOW).await {
                Ok(key) => alone.shown = Some(Lone { place: alone.place.clone(), key }),
                Err(error) => {
                    alone.again = Instant::now() + alone.wait;
                    alone.wait = (alone.wait * 2).min(AGAIN.1);
                    tracing::info!(session = %self.session.name, %error, "the only endpoint shows no key");
                }
            }
        }
        self.alone.insert(alone).shown.clone()
    }

    fn after(&mut self, error: &NgrokError) -> Duration {
        if matches!(error, NgrokError::Unauthorised | NgrokError::Refused { .. }) {
            // The person may store another key.
            self.account = None;
        }
        let wait = wait_after(error, self.failures);
        self.failures = self.failures.saturating_add(1);
        tracing::info!(session = %self.session.name, %error, ?wait, "ngrok's endpoints are not known");
        wait
    }
}

/// How long to wait after so many failures before this one.
fn wait_after(error: &NgrokError, failures: u32) -> Duration {
    let doubled =
        |(first, longest): (Duration, Duration)| first.saturating_mul(1 << failures.min(8)).min(longest);
    match error {
        NgrokError::TooOften { after } => (*after).max(AGAIN.0),
        // It is unlocked at any time, and nobody tells.
        NgrokError::Vault(_) => doubled(ASK_AGAIN),
        error if error.needs_a_person() => FOR_A_PERSON,
        _ => doubled(AGAIN),
    }
}

impl Channel for Ngrok {
    fn listen(self: Box<Self>, ear: Ear) -> BoxFuture<'static, ()> {
        Box::pin(self.run(ear))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::vault::VaultError;

    #[test]
    fn a_keyring_that_gives_nothing_is_asked_again_as_soon_as_for_the_session_key() {
        let waits: Vec<u64> =
            (0..8).map(|failures| wait_after(&VaultError::Locked.into(), failures).as_secs()).collect();
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(wait_after(&NgrokError::Unauthorised, 0), FOR_A_PERSON);
        assert_eq!(wait_after(&NgrokError::TimedOut, 9), AGAIN.1);
    }
}
