//! The one connection to the runtime: made when it is needed, shared by all, made anew when it has ended.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::random::random as jitter;
use moorline_model::session::{Link, Session};
use moorline_ssh_files::Alias;
use tokio::time::{Instant, timeout_at};

use super::channel::{NoWay, Way, open};
use super::colab;
use super::connections::Lines;
use super::wire::Refusal;
use crate::net::error::CarryError;
use crate::ssh::context::Tools;
use crate::ssh::hub::held::{Held, Target};
use crate::ssh::multiplexed::{Trunk, trunk};
use crate::ssh::route::RouteError;
use crate::ssh::{Identity, LoginError, LoginKey, ProbeError, reach};
use crate::store::config_toml::SessionsFile;
use crate::store::pins_json::Pins;

/// How long a way may take with all that it needs: Google, the connection, a channel in it. ssh gives up after 15 s
/// (the `ConnectTimeout` of our entries), and the person should read our reason rather than its.
const REACH: Duration = Duration::from_secs(12);

/// Whatever ends by then has a better reason to give than that time ran out.
const GRACE: Duration = Duration::from_millis(500);

/// How long it is tried again when sshd turns somebody away for the moment.
const BUSY: Duration = Duration::from_secs(8);

/// From one try to the next, where the edge still counts a connection that was just cut.
const AGAIN: Duration = Duration::from_millis(250);

/// The session's connection.
pub(super) struct Upstream {
    tools: Arc<Tools>,
    session: Alias,
    lines: Mutex<Lines>,
}

impl Upstream {
    pub fn new(tools: Arc<Tools>, session: Alias) -> Self {
        Self { tools, session, lines: Mutex::default() }
    }

    /// A way to the runtime's sshd, and the connection that must stay for it; else why not.
    pub async fn way(&self) -> Result<(Way, Arc<Held>), Refusal> {
        let begun = Instant::now();
        let (end, busy) = (begun + REACH, begun + BUSY);
        let mut pause = Duration::from_millis(40);
        loop {
            let held = self.held(end).await?;
            match open(&held, end).await {
                Ok(way) => return Ok((way, held)),
                Err(NoWay::Silent) => {
                    lock(&self.lines).set_aside(&held);
                    continue;
                }
                Err(NoWay::Busy(_) | NoWay::Ended) if Instant::now() + pause < busy => {}
                Err(NoWay::Busy(why) | NoWay::Never(why)) => {
                    return Err(format!("{}: {why}", self.session).into());
                }
                Err(NoWay::Ended) => {
                    return Err(
                        format!("{}: the connection to it ended again and again", self.session).into()
                    );
                }
                Err(NoWay::Late) => return Err(self.late().into()),
            }
            // Those who were turned away together must not come back together.
            tokio::time::sleep(pause.mul_f64(0.5 + jitter())).await;
            pause = (pause * 2).min(Duration::from_secs(1));
        }
    }

    /// Ends the connection politely.
    pub async fn leave(&self) {
        let last = lock(&self.lines).end();
        if let Some(held) = last {
            held.trunk.leave().await;
        }
    }

    async fn held(&self, end: Instant) -> Result<Arc<Held>, Refusal> {
        let (session, target) = self.target()?;
        let attempt = lock(&self.lines).to(target);
        let reached = attempt.outcome.get_or_init(|| async {
            let trunk = self.reach(&session, &attempt.target, end).await?;
            // This one came through where the other one says nothing.
            lock(&self.lines).cut_aside();
            Ok(Arc::new(Held::new(trunk)))
        });
        match timeout_at(end + GRACE, reached).await {
            Ok(reached) => reached.clone(),
            Err(_) => Err(self.late().into()),
        }
    }

    fn late(&self) -> String {
        let (session, seconds) = (&self.session, REACH.as_secs());
        format!(
            "{session}: no way to its sshd was had within {seconds} s; check your own network and try again"
        )
    }

    /// Read anew for everybody: the runtime may have been replaced meanwhile.
    fn target(&self) -> Result<(Session, Target), String> {
        let dirs = &self.tools.dirs;
        let sessions = SessionsFile::load(&dirs.sessions_file()).map_err(|error| error.to_string())?;
        let session = sessions.get(&self.session).cloned();
        let session = session.ok_or_else(|| format!("there is no session {} any more", self.session))?;
        let pins = Pins::load(&dirs.pins_file()).map_err(|error| error.to_string())?;
        let pinned = pins.get(&self.session).map(|pins| &*pins.keys).unwrap_or_default();
        let target = Target {
            link: session.link.described(),
            user: session.user.clone(),
            identity: session.identity_file.clone(),
            pinned: pinned.iter().map(|pinned| pinned.key.clone()).collect(),
        };
        Ok((session, target))
    }

    async fn reach(&self, session: &Session, target: &Target, end: Instant) -> Result<Trunk, Refusal> {
        let name = &self.session;
        let dirs = &self.tools.dirs;
        let identity = match &session.identity_file {
            Some(file) => Identity::named(file, &dirs.home).map_err(|error| error.to_string())?,
            None => {
                LoginKey::load(&dirs.login_key()).map(Identity::Own).map_err(|error| error.to_string())?
            }
        };
        let mut cut = false;
        let reached = loop {
            let reached = self.connect(session, target, &identity, end).await?;
            // It may be our own silent connection that has the place.
            let again = is_taken(&reached) && Instant::now() + AGAIN < end;
            if !again || !(cut || lock(&self.lines).cut_aside()) {
                break reached;
            }
            cut = true;
            tokio::time::sleep(AGAIN).await;
        };
        match reached {
            Ok(Some(trunk)) => Ok(trunk),
            Ok(None) => Err(Refusal {
                error: format!(
                    "{name} does not let the login key in; add it again with what its cell printed"
                ),
                next: Some(NextStep::Add { session: Some(name.clone()) }),
            }),
            Err(LoginError::WrongKey { got }) => Err(self.repair(format!(
                "{name} shows another host key ({}) than the pinned one; repair it and compare",
                got.fingerprint()
            ))),
            Err(LoginError::NoPinnedKey) => {
                Err(self.repair(format!("{name} has no pinned host key yet; repair it")))
            }
            Err(error) => Err(Refusal { next: error.next_step(), error: format!("{name}: {error}") }),
        }
    }

    fn repair(&self, error: String) -> Refusal {
        Refusal { error, next: Some(NextStep::Repair { session: Some(self.session.clone()) }) }
    }

    async fn connect(
        &self,
        session: &Session,
        target: &Target,
        identity: &Identity,
        end: Instant,
    ) -> Result<Result<Option<Trunk>, LoginError>, Refusal> {
        let name = &self.session;
        if let Link::Colab(_) = &session.link {
            let reached = colab::connect(&self.tools, session, target, identity, end).await;
            return reached.map_err(|why| Refusal { error: format!("{name}: {}", why.error), ..why });
        }
        let (tools, named) = (Arc::clone(&self.tools), session.clone());
        // The keyring blocks, and some keyrings run an executor of their own.
        let route = tokio::task::spawn_blocking(move || {
            let ssh = reach::relay_ssh(&tools, &named);
            reach::route(&tools, &ssh, &named)
        });
        let route = timeout_at(end, route).await.map_err(|_| self.late())?;
        let route = route
            .map_err(|error| error.to_string())?
            .map_err(|error| Refusal { error: error.to_string(), next: error.next_step() })?;
        let left = end.saturating_duration_since(Instant::now());
        Ok(trunk(&route, &target.pinned, &session.user, identity, left).await)
    }
}

/// Whether the edge is there, and turned us away.
fn is_taken(reached: &Result<Option<Trunk>, LoginError>) -> bool {
    match reached {
        Err(LoginError::Probe(ProbeError::ClosedAtOnce)) => true,
        Err(LoginError::Probe(ProbeError::Route(RouteError::Carry(refusal)))) => {
            matches!(**refusal, CarryError::ColabTaken(_))
        }
        _ => false,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
