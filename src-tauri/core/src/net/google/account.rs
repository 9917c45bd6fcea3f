//! One account for all watchers: what Google said a moment ago is not asked again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use moorline_model::colab_runtime::EndpointId;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::Instant;

use super::answer::{Assignment, Balance, Kernels, Resources};
use super::{Client, Credentials, GoogleError};

/// How old the list of runtimes may be while all is well: Google's own clients ask as seldom.
pub const LISTED: Duration = Duration::from_secs(30);

/// How old the list may be where something is being found out.
pub const LISTED_AFRESH: Duration = Duration::from_secs(3);

/// The units change slowly.
const UNITS: Duration = Duration::from_secs(300);

/// After a failure, nothing is asked for so long.
const PAUSE: Duration = Duration::from_secs(4);

/// Reads the sign-ins anew.
type SignIns = Arc<dyn Fn() -> Result<Vec<Credentials>, GoogleError> + Send + Sync>;

/// The person's account, asked seldom however many sessions are followed.
pub struct Account {
    sign_ins: SignIns,
    held: Mutex<Held>,
    /// A person may have signed in anew since.
    doubtful: AtomicBool,
}

/// What was heard last. Whoever asks holds this, so that others wait for the same answer.
#[derive(Default)]
struct Held {
    client: Option<Arc<Client>>,
    listed: Option<(Instant, Arc<Vec<Assignment>>)>,
    units: Option<(Instant, Balance)>,
    failed: Option<(Instant, GoogleError)>,
}

impl Account {
    /// Nothing is asked yet. `sign_ins` reads the person's sign-ins; it may block.
    pub fn new(sign_ins: impl Fn() -> Result<Vec<Credentials>, GoogleError> + Send + Sync + 'static) -> Self {
        Self { sign_ins: Arc::new(sign_ins), held: Mutex::default(), doubtful: AtomicBool::new(false) }
    }

    /// A person changed something: whoever asks next reads the sign-ins anew, and where they are others, nothing of
    /// what was heard before counts.
    pub fn doubt(&self) {
        self.doubtful.store(true, Ordering::SeqCst);
    }

    /// The account's runtimes, as they were at most `age` ago.
    ///
    /// # Errors
    /// The sign-in, the network or Google is in the way.
    pub async fn runtimes(&self, age: Duration) -> Result<Arc<Vec<Assignment>>, GoogleError> {
        let mut held = self.lock().await;
        if let Some((at, listed)) = &held.listed
            && at.elapsed() <= age
        {
            return Ok(Arc::clone(listed));
        }
        if let Some((at, error)) = &held.failed
            && at.elapsed() <= PAUSE
        {
            return Err(error.clone());
        }
        let asked = match self.client(&mut held).await {
            Ok(client) => client.assignments().await,
            Err(error) => Err(error),
        };
        match asked {
            Ok(listed) => {
                let listed = Arc::new(listed);
                held.listed = Some((Instant::now(), Arc::clone(&listed)));
                held.failed = None;
                Ok(listed)
            }
            Err(error) => {
                if error.needs_a_person() {
                    // The next one reads the sign-ins anew: the person may have signed in meanwhile.
                    held.client = None;
                }
                held.failed = Some((Instant::now(), error.clone()));
                Err(error)
            }
        }
    }

    /// One of them.
    ///
    /// # Errors
    /// As for [`Account::runtimes`]; [`GoogleError::Ended`] where it is not listed.
    pub async fn runtime(&self, id: &EndpointId, age: Duration) -> Result<Assignment, GoogleError> {
        let listed = self.runtimes(age).await?;
        let found = listed.iter().find(|assignment| assignment.endpoint == *id).cloned();
        found.ok_or_else(|| GoogleError::Ended { runtime: id.clone() })
    }

    /// The compute units, as they were some minutes ago at most; `None` if they cannot be had.
    pub async fn units(&self) -> Option<Balance> {
        let mut held = self.lock().await;
        if let Some((at, units)) = held.units
            && at.elapsed() <= UNITS
        {
            return Some(units);
        }
        let client = self.client(&mut held).await.ok()?;
        let units = client.balance().await.ok()?;
        held.units = Some((Instant::now(), units));
        Some(units)
    }

    /// What a runtime tells of itself: nothing of it where it does not answer.
    pub async fn vitals(&self, of: &Assignment) -> (Option<Resources>, Option<Kernels>) {
        let Ok(client) = self.client(&mut *self.lock().await).await else { return (None, None) };
        let (resources, kernels) = tokio::join!(client.resources(of), client.kernels(of));
        for error in [resources.as_ref().err(), kernels.as_ref().err()].into_iter().flatten() {
            tracing::debug!(%error, "a runtime tells nothing of itself");
        }
        (resources.ok(), kernels.ok())
    }

    async fn lock(&self) -> MutexGuard<'_, Held> {
        let mut held = self.held.lock().await;
        if self.doubtful.swap(false, Ordering::SeqCst) && !self.is_still_signed_in(&held).await {
            *held = Held::default();
        }
        held
    }

    async fn is_still_signed_in(&self, held: &Held) -> bool {
        let Some(client) = held.client.clone() else { return false };
        let sign_ins = Arc::clone(&self.sign_ins);
        let same = tokio::task::spawn_blocking(move || {
            sign_ins().is_ok_and(|sign_ins| client.signs_in_with(&sign_ins))
        });
        same.await.unwrap_or(false)
    }

    async fn client(&self, held: &mut Held) -> Result<Arc<Client>, GoogleError> {
        if let Some(client) = &held.client {
            return Ok(Arc::clone(client));
        }
        let sign_ins = Arc::clone(&self.sign_ins);
        // The keyring blocks, and some keyrings run an executor of their own; so do the certificates' files.
        let made = tokio::task::spawn_blocking(move || Client::new(sign_ins()?)).await;
        let broke =
            |_| GoogleError::Network { host: "Google".to_owned(), why: "the request broke off".to_owned() };
        let client = Arc::new(made.map_err(broke)??);
        held.client = Some(Arc::clone(&client));
        Ok(client)
    }
}
