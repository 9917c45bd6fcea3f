//! A runtime that Google lists: looked for now and then, asked how it does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use moorline_model::clock;
use moorline_model::colab_runtime::EndpointId;
use moorline_model::session::Session;
use moorline_model::vitals::{Colab, Units, Vitals};
use moorline_ssh_files::HostKey;
use tokio::time::{Instant, sleep_until};

use super::link::Up;
use super::tools::WatchTools;
use crate::net::google::account::{LISTED, LISTED_AFRESH};
use crate::net::google::answer::Assignment;
use crate::net::google::{self, GoogleError};

/// From one look at the list to the next while all is well.
const EVERY: Duration = Duration::from_secs(30);

/// The next look after one that failed.
const AGAIN: Duration = Duration::from_secs(6);

/// So many failed looks in a row, and Google is out of reach.
const FAILURES: u32 = 3;

/// A runtime that Google lists.
pub struct GoogleUp {
    tools: Arc<WatchTools>,
    session: Session,
    runtime: EndpointId,
    looks: Mutex<Looks>,
}

/// When to look again, and how it went.
struct Looks {
    last: Instant,
    next: Instant,
    failed: u32,
    /// Until when the way there is kept.
    kept: Option<Timestamp>,
}

impl GoogleUp {
    pub(super) fn new(tools: &Arc<WatchTools>, session: Session, runtime: EndpointId) -> Self {
        let now = Instant::now();
        let looks = Mutex::new(Looks { last: now, next: now + EVERY, failed: 0, kept: None });
        Self { tools: Arc::clone(tools), session, runtime, looks }
    }

    /// Keeps the way there for `moorline-proxy`, which then starts without asking Google. It is renewed in good time,
    /// so that what is kept is always fresh.
    pub(super) async fn keep(&self, found: &Assignment) {
        let good = |until: Timestamp| until.duration_since(clock::now()) > google::MARGIN * 2;
        if self.looks().kept.is_some_and(good) {
            return;
        }
        let (tools, session) = (Arc::clone(&self.tools.tools), self.session.clone());
        let access = found.access.clone();
        let ends = access.expires;
        match tokio::task::spawn_blocking(move || google::keep(&*tools.vault, &session, &access)).await {
            Ok(Ok(())) => self.looks().kept = Some(ends),
            Ok(Err(error)) => tracing::debug!(%error, "the runtime's token is not kept"),
            Err(error) => tracing::error!(%error, "keeping a token broke off"),
        }
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it is still there, or at least nothing says that it is not.
    async fn look(&self) -> bool {
        let seen = self.tools.google.runtime(&self.runtime, LISTED_AFRESH).await;
        if let Ok(found) = &seen {
            self.keep(found).await;
        }
        let mut looks = self.looks();
        let now = Instant::now();
        looks.last = now;
        match seen {
            Ok(_) => (looks.failed, looks.next) = (0, now + EVERY),
            Err(GoogleError::Ended { .. }) => return false,
            // That Google's list is out of order says nothing of the runtime.
            Err(error) if !error.is_network() && !error.needs_a_person() => {
                tracing::debug!(%error, "the list of runtimes cannot be had");
                looks.next = now + EVERY;
            }
            Err(error) => {
                looks.failed += 1;
                looks.next = now + AGAIN;
                return looks.failed < FAILURES && !error.needs_a_person();
            }
        }
        true
    }
}

impl Up for GoogleUp {
    /// HTTPS proves the account, not an SSH key.
    fn key(&self) -> Option<&HostKey> {
        None
    }

    /// Looks at the list now and then. It is called anew when this computer woke up or its network changed: then it
    /// looks at once.
    async fn closed(&self) {
        {
            let mut looks = self.looks();
            let now = Instant::now();
            if now.duration_since(looks.last) > AGAIN {
                looks.next = now;
            }
        }
        loop {
            let next = self.looks().next;
            sleep_until(next).await;
            if !self.look().await {
                return;
            }
        }
    }

    /// There is no connection that could go silent; the list is what counts.
    async fn ping(&self) -> bool {
        true
    }

    async fn vitals(&self) -> Option<Vitals> {
        let found = self.tools.google.runtime(&self.runtime, LISTED).await.ok()?;
        let (resources, kernels) = self.tools.google.vitals(&found).await;
        let units = self.tools.google.units().await;
        let resources = resources.unwrap_or_default();
        let idle_since = kernels.filter(|kernels| !kernels.busy).and_then(|kernels| kernels.last_activity);
        let idle = idle_since.map(|since| clock::now().duration_since(since).as_mins().max(0));
        Some(Vitals {
            gpus: resources.gpus,
            memory: resources.memory,
            disk: resources.disk,
            booted: None,
            // It names this one machine as well as a boot id would.
            machine: Some(found.endpoint.to_string()),
            colab: Some(Colab {
                accelerator: found.accelerator,
                high_ram: found.high_ram,
                units: units.map(|units| Units { left: units.units, per_hour: units.per_hour }),
                idle_minutes: idle.map(|minutes| u32::try_from(minutes).unwrap_or(u32::MAX)),
            }),
        })
    }

    async fn leave(self) {}
}
