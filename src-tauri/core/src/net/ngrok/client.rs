//! Asking ngrok's API (`https://api.ngrok.com`, version 2), with the account's API key.

use std::collections::VecDeque;
use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::ngrok_refusal;
use moorline_model::secret_kind::SecretKind;
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::answer::{self, Agent, AgentId, Endpoint, Listed};
use crate::net::http;
use crate::store::vault::{SecretName, Vault, VaultError};

/// Where the API is. The key goes nowhere else, whatever an answer says.
const BASE: &str = "https://api.ngrok.com/";

/// How long a request may take.
const LIMIT: Duration = Duration::from_secs(12);

/// No page is longer, in bytes: 100 endpoints with 4 KiB of metadata each, and room.
const LONGEST: usize = 2 * 1024 * 1024;

/// No list that is looked through has more pages.
const PAGES: usize = 10;

/// ngrok allows 120 requests in 60 s for the whole account; other programs of the person's use it too.
const BUDGET: usize = 60;

/// The span of that limit.
const SPAN: Duration = Duration::from_secs(60);

/// One ngrok account.
pub struct Account {
    web: reqwest::Client,
    key: SecretString,
    pace: Mutex<Pace>,
}

/// Why ngrok was not asked, or did not say.
#[derive(Debug, thiserror::Error)]
pub enum NgrokError {
    /// The person stored no key.
    #[error(
        "no ngrok API key is stored; make one in ngrok's dashboard (API, not Your Authtoken) and store it"
    )]
    NoKey,
    /// What was stored cannot be a key.
    #[error("the stored ngrok API key has characters that none has; copy it again and store it")]
    OddKey,
    /// The vault was no help.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The key is wrong, or was withdrawn.
    #[error("ngrok does not take the API key; make a new one in its dashboard and store it")]
    Unauthorised,
    /// ngrok refused, with its number.
    #[error("{}", ngrok_refusal::described(*code))]
    Refused {
        /// The number in `ERR_NGROK_…`.
        code: u32,
    },
    /// Too many requests; nothing was asked, or ngrok said so.
    #[error("ngrok was asked too often; it is asked again in {} s", after.as_secs().max(1))]
    TooOften {
        /// When it makes sense to ask again.
        after: Duration,
    },
    /// Another status.
    #[error("ngrok's API answered with status {status}; try again later")]
    Status {
        /// The status.
        status: u16,
    },
    /// It was not reached.
    #[error("api.ngrok.com cannot be reached: {why}; check your network")]
    Network {
        /// Why.
        why: String,
    },
    /// It did not answer in time.
    #[error("api.ngrok.com did not answer within {} s; check your network", LIMIT.as_secs())]
    TimedOut,
    /// An answer that is none.
    #[error("api.ngrok.com gave an answer that cannot be read ({why}); check for a newer Moorline")]
    BadAnswer {
        /// What is wrong with it.
        why: String,
    },
}

impl NgrokError {
    /// Whether asking again soon is of no use until a person has done something.
    pub fn needs_a_person(&self) -> bool {
        matches!(self, Self::NoKey | Self::OddKey | Self::Unauthorised | Self::Refused { .. })
    }

    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::NoKey | Self::OddKey | Self::Unauthorised => {
                Some(NextStep::StoreSecret { session: None, kind: SecretKind::NgrokApiKey })
            }
            Self::Refused { code } => ngrok_refusal::next_step(*code),
            Self::Vault(error) => error.next_step(),
            _ => None,
        }
    }
}

/// The account whose API key lies in the vault. Blocks for a bounded time.
///
/// # Errors
/// There is no key, or no certificate store.
pub fn account(vault: &dyn Vault) -> Result<Account, NgrokError> {
    let key = vault.get(&SecretName::account(SecretKind::NgrokApiKey))?.ok_or(NgrokError::NoKey)?;
    Account::new(key)
}

impl Account {
    /// With this API key.
    ///
    /// # Errors
    /// It cannot stand in a request, or there is no certificate store.
    pub fn new(key: SecretString) -> Result<Self, NgrokError> {
        let text = key.expose_secret();
        let fine = (1..=512).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        if !fine {
            return Err(NgrokError::OddKey);
        }
        let web = http::client(LIMIT).map_err(|error| NgrokError::Network { why: http::reason(&error) })?;
        Ok(Self { web, key, pace: Mutex::default() })
    }

    /// The endpoints that are open.
    ///
    /// # Errors
    /// ngrok refuses or cannot be reached.
    pub async fn endpoints(&self) -> Result<Vec<Endpoint>, NgrokError> {
        self.list().await
    }

    /// The agents that are connected.
    ///
    /// # Errors
    /// As for [`Account::endpoints`].
    pub async fn agents(&self) -> Result<Vec<Agent>, NgrokError> {
        self.list().await
    }

    /// Ends an agent, with all that it holds.
    ///
    /// # Errors
    /// As for [`Account::endpoints`].
    pub async fn stop(&self, agent: &AgentId) -> Result<(), NgrokError> {
        self.ask(Method::POST, &format!("{BASE}tunnel_sessions/{agent}/stop")).await.map(drop)
    }

    async fn list<T: Listed>(&self) -> Result<Vec<T>, NgrokError> {
        let mut url = format!("{BASE}{}?limit=100", T::PATH);
        let mut all = Vec::new();
        for _ in 0..PAGES {
            let body = self.ask(Method::GET, &url).await?;
            let page = answer::page::<T>(&body).map_err(|why| NgrokError::BadAnswer { why })?;
            all.extend(page.items);
            match page.next {
                None => return Ok(all),
                Some(next) if next.starts_with(BASE) => url = next,
                Some(_) => {
                    return Err(NgrokError::BadAnswer { why: "its next page is somewhere else".to_owned() });
                }
            }
        }
        Ok(all)
    }

    async fn ask(&self, method: Method, url: &str) -> Result<Vec<u8>, NgrokError> {
        self.pace.lock().await.admit(Instant::now()).map_err(|after| NgrokError::TooOften { after })?;
        let mut request = self.web.request(method.clone(), url);
        request = request.bearer_auth(self.key.expose_secret()).header("ngrok-version", "2");
        if method == Method::POST {
            request = request.header("content-type", "application/json").body("{}");
        }
        let answer = request.send().await.map_err(|error| unreached(&error))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = http::body(answer, LONGEST).await.map_err(|error| unreached(&error))?;
        let Some(body) = body else { return Err(NgrokError::BadAnswer { why: "it is too long".to_owned() }) };
        if status.is_success() {
            self.pace.lock().await.answered();
            return Ok(body);
        }
        let code = answer::refusal(&body);
        Err(match (status, code) {
            (StatusCode::TOO_MANY_REQUESTS, _) | (_, Some(226)) => {
                let after = self.pace.lock().await.refused(Instant::now(), retry_after(&headers));
                NgrokError::TooOften { after }
            }
            (_, Some(code)) if ngrok_refusal::sentence(code).is_some() => NgrokError::Refused { code },
            (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN, _) => NgrokError::Unauthorised,
            (_, Some(code)) => NgrokError::Refused { code },
            (_, None) => NgrokError::Status { status: status.as_u16() },
        })
    }
}

/// Keeps within the account's limit.
#[derive(Debug, Default)]
struct Pace {
    asked: VecDeque<Instant>,
    refusals: u32,
    /// ngrok said that it was asked too often: not before this.
    not_before: Option<Instant>,
}

impl Pace {
    /// Whether a request may go out now; else how long to wait.
    fn admit(&mut self, now: Instant) -> Result<(), Duration> {
        if let Some(until) = self.not_before
            && until > now
        {
            return Err(until - now);
        }
        while self.asked.front().is_some_and(|asked| now.duration_since(*asked) >= SPAN) {
            self.asked.pop_front();
        }
        if self.asked.len() >= BUDGET {
            let oldest = self.asked.front().copied().unwrap_or(now);
            return Err((oldest + SPAN).saturating_duration_since(now));
        }
        self.asked.push_back(now);
        Ok(())
    }

    /// ngrok said that it was asked too often: a minute's peace, doubled each time, at most 8.
    fn refused(&mut self, now: Instant, retry_after: Option<Duration>) -> Duration {
        let wait = SPAN.saturating_mul(1 << self.refusals.min(3)).max(retry_after.unwrap_or_default());
        self.refusals = self.refusals.saturating_add(1);
        self.not_before = Some(now + wait);
        wait
    }

    fn answered(&mut self) {
        self.refusals = 0;
    }
}

/// `Retry-After` in seconds (RFC 9110, section 10.2.3), at most an hour.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(3600)))
}

fn unreached(error: &reqwest::Error) -> NgrokError {
    if error.is_timeout() { NgrokError::TimedOut } else { NgrokError::Network { why: http::reason(error) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_asked_than_half_of_what_is_allowed() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        let second = |n: u64| start + Duration::from_secs(n);
        for n in 0..BUDGET {
            assert_eq!(pace.admit(second(n as u64 / 10)), Ok(()));
        }
        assert_eq!(pace.admit(second(10)), Err(Duration::from_secs(50)));
        assert_eq!(pace.admit(second(60)), Ok(()));
    }

    #[test]
    fn after_a_refusal_there_is_peace() {
        let (mut pace, start) = (Pace::default(), Instant::now());
        assert_eq!(pace.refused(start, None), SPAN);
        assert_eq!(pace.admit(start + Duration::from_secs(59)), Err(Duration::from_secs(1)));
        assert_eq!(pace.admit(start + SPAN), Ok(()));
        assert_eq!(pace.refused(start, Some(Duration::from_secs(300))), Duration::from_secs(300));
        assert_eq!(pace.refused(start, None), SPAN * 4, "doubled each time");
        pace.answered();
        assert_eq!(pace.refused(start, None), SPAN);
    }

    #[test]
    fn a_key_that_no_header_can_carry_is_refused_without_showing_it() {
        let error = Account::new("two\nlines".into()).err().unwrap();
        assert!(matches!(error, NgrokError::OddKey) && !error.to_string().contains("lines"), "{error}");
    }
}
