//! The account's own list of endpoints at ngrok: an announcement stands in an endpoint's metadata, and the list says
//! where that endpoint is.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::{Channel, Ear, Heard, Post};
use crate::ngrok::matching::{self, Match};
use crate::ngrok::{self, Account, NgrokError};
use crate::watch::random as jitter;

/// How often the list is asked for: four of the account's 120 requests a minute.
const LOOK: Duration = Duration::from_secs(13);

/// How long after an ordinary failure; doubled each time, up to the last.
const AGAIN: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(240));

/// How long where only a person can help.
const FOR_A_PERSON: Duration = Duration::from_secs(300);

/// The account, looked at for one session.
pub(super) struct Ngrok {
    post: Post,
    account: Option<Account>,
    /// What was handed on last.
    heard: Vec<Heard>,
    failures: u32,
}

impl Ngrok {
    pub(super) fn new(post: &Post) -> Self {
        Self { post: post.clone(), account: None, heard: Vec::new(), failures: 0 }
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
                    let news: Vec<_> =
                        found.iter().filter(|heard| !self.heard.contains(heard)).cloned().collect();
                    for heard in news {
                        if !ear.hear(heard).await {
                            return;
                        }
                    }
                    self.heard = found;
                    LOOK
                }
                Err(error) => self.after(&error),
            };
            tokio::select! {
                () = tokio::time::sleep(wait + wait.mul_f64(0.15 * jitter())) => {}
                () = ear.closed() => return,
            }
        }
    }

    async fn look(&mut self) -> Result<Vec<Heard>, NgrokError> {
        if self.account.is_none() {
            let tools = Arc::clone(&self.post.tools);
            // The keyring blocks.
            let found = tokio::task::spawn_blocking(move || ngrok::account(&tools)).await;
            self.account = Some(found.unwrap_or(Err(NgrokError::NoKey))?);
        }
        let Some(account) = &self.account else { return Err(NgrokError::NoKey) };
        let endpoints = account.endpoints().await?;
        Ok(match matching::of_session(&endpoints, Some(&self.post.kid)) {
            Match::Announced(all) => {
                let heard = |(line, place): (&str, &moorline_ssh_files::Place)| Heard {
                    line: line.to_owned(),
                    place: Some(place.clone()),
                };
                all.into_iter().map(heard).collect()
            }
            Match::Only(_) | Match::Nothing | Match::Several(_) => Vec::new(),
        })
    }

    fn after(&mut self, error: &NgrokError) -> Duration {
        if matches!(error, NgrokError::Unauthorised | NgrokError::Refused { .. }) {
            // The person may store another key.
            self.account = None;
        }
        let wait = match error {
            NgrokError::TooOften { after } => (*after).max(AGAIN.0),
            error if error.needs_a_person() => FOR_A_PERSON,
            _ => AGAIN.0.saturating_mul(1 << self.failures.min(4)).min(AGAIN.1),
        };
        self.failures = self.failures.saturating_add(1);
        tracing::info!(session = %self.post.session.name, %error, ?wait, "ngrok's endpoints are not known");
        wait
    }
}

impl Channel for Ngrok {
    fn listen(self: Box<Self>, ear: Ear) -> BoxFuture<'static, ()> {
        Box::pin(self.run(ear))
    }
}
