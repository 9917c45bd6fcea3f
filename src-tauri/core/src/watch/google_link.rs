//! Watching a runtime of Google's own SSH over HTTP: its one SSH slot is left to the person's editor.
//!
//! A list of the account's runtimes tells whether it is there, its own server how it does. Both are what Google's own
//! clients read to show a list; nothing here tells Google that somebody is at work.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use moorline_model::cause::{Obstacle, Other};
use moorline_model::colab_runtime::EndpointId;
use moorline_model::session;
use tokio::time::timeout;

use super::google_key::{self, Unseen};
use super::google_up::GoogleUp;
use super::link::Link;
use super::network::WaysOut;
use super::tools::WatchTools;
use crate::net::google::GoogleError;
use crate::net::google::account::LISTED_AFRESH;
use crate::ssh::obstacle;
use crate::watch::order::WatchOrder;

/// A whole answer from Google may take longer than a knock at a door.
const LEAST: Duration = Duration::from_secs(15);

/// A runtime of the account, seen through Google.
pub struct GoogleLink {
    tools: Arc<WatchTools>,
    /// The runtime whose SSH server has proven one of the pinned keys.
    proven: Option<EndpointId>,
    /// Other runtimes that were there together with the session's own.
    beside: BTreeSet<EndpointId>,
    needs_a_person: bool,
}

impl GoogleLink {
    /// Nothing is known yet.
    pub fn new(tools: Arc<WatchTools>) -> Self {
        Self { tools, proven: None, beside: BTreeSet::new(), needs_a_person: false }
    }

    async fn find(&mut self, order: &WatchOrder, runtime: &EndpointId) -> Result<GoogleUp, Obstacle> {
        let listed = self.tools.google.runtimes(LISTED_AFRESH).await.map_err(|error| self.told(&error))?;
        let others = listed.iter().map(|other| &other.endpoint).filter(|other| *other != runtime);
        let Some(found) = listed.iter().find(|one| one.endpoint == *runtime) else {
            let beside = &self.beside;
            let others = others
                .map(|other| Other { runtime: other.clone(), beside: beside.contains(other) })
                .collect();
            return Err(Obstacle::Ended { others });
        };
        self.beside.extend(others.cloned());
        let up = GoogleUp::new(&self.tools, order.session.clone(), runtime.clone());
        up.keep(found).await;
        self.prove(order, runtime).await?;
        Ok(up)
    }

    /// The SSH server's key is looked at once for each runtime: it does not change while the runtime lives, and every
    /// look takes its one slot for a moment. Where somebody holds the slot, a key that is pinned has to do: ssh
    /// itself holds the runtime to it.
    async fn prove(&mut self, order: &WatchOrder, runtime: &EndpointId) -> Result<(), Obstacle> {
        if self.proven.as_ref() == Some(runtime) && !order.pinned.is_empty() {
            return Ok(());
        }
        match google_key::seen(&self.tools.tools, order).await {
            Ok(key) if order.pinned.contains(&key) => {
                self.proven = Some(runtime.clone());
                Ok(())
            }
            Ok(key) => Err(Obstacle::Key { key, channel: true }),
            Err(Unseen::SlotTaken(_)) if !order.pinned.is_empty() => Ok(()),
            Err(Unseen::SlotTaken(sentence)) => Err(Obstacle::Other(sentence)),
            Err(Unseen::Other(obstacle)) => Err(obstacle),
        }
    }

    fn told(&mut self, error: &GoogleError) -> Obstacle {
        self.needs_a_person = error.needs_a_person();
        obstacle::of_google(error)
    }
}

impl Link for GoogleLink {
    type Up = GoogleUp;

    async fn open(&mut self, order: &WatchOrder, limit: Duration) -> Result<GoogleUp, Obstacle> {
        self.needs_a_person = false;
        let session::Link::Colab(link) = &order.session.link else {
            return Err(Obstacle::Other(format!("{} is not reached through Google", order.session.name)));
        };
        let limit = limit.max(LEAST);
        let found = timeout(limit, self.find(order, &link.runtime)).await;
        let seconds = limit.as_secs();
        let slow = || {
            Obstacle::Provider(format!("Google did not answer within {seconds} s; check your own network"))
        };
        found.unwrap_or_else(|_| Err(slow())).map_err(|seen| {
            if obstacle::may_be_own_network(&seen) && WaysOut::now().none() {
                Obstacle::OwnNetwork
            } else {
                seen
            }
        })
    }

    fn needs_a_person(&self) -> bool {
        self.needs_a_person
    }

    fn takes_two(&self) -> bool {
        false
    }
}
