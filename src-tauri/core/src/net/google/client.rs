//! Asking Google: the account's runtimes and units, and what a runtime tells of itself.
//!
//! The requests are those that Google's own clients make to show a list (google-colab-cli 0.7.5, Google's Colab
//! extension for VS Code). None of them makes a runtime, runs anything on one, or tells Google that somebody is there.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use moorline_model::clock;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::answer::{self, Assignment, Balance, Kernels, Resources};
use super::credentials::{Credentials, OAUTH};
use super::error::GoogleError;
use super::runtime_access::RuntimeAccess;
use crate::net::http;

/// Where Colab's own clients ask.
const COLAB: &str = "colab.research.google.com";

/// How long a request may take, its answer included.
const LIMIT: Duration = Duration::from_secs(12);

/// No answer is longer, in bytes.
const LONGEST: usize = 1024 * 1024;

/// An access token that ends sooner is not used any more.
const ALMOST_OVER: SignedDuration = SignedDuration::from_secs(60);

/// Without one of these no session of Colab's can be seen.
const SCOPES: [&str; 2] =
    ["https://www.googleapis.com/auth/colaboratory", "https://www.googleapis.com/auth/userinfo.email"];

const AGENT: HeaderName = HeaderName::from_static("x-colab-client-agent");
const RUNTIME_TOKEN: HeaderName = HeaderName::from_static("x-colab-runtime-proxy-token");

/// One account of Google's, asked over HTTPS. Remembers its access token while it lives.
pub struct Client {
    web: reqwest::Client,
    sign_ins: Vec<Credentials>,
    token: Mutex<Option<AccessToken>>,
}

struct AccessToken {
    secret: SecretString,
    ends: Timestamp,
    place: String,
    /// What it covers, where Google said so.
    covers_colab: bool,
}

impl Client {
    /// With these sign-ins, of which the first that Google takes is used.
    ///
    /// # Errors
    /// There is no certificate store on this computer.
    pub fn new(sign_ins: Vec<Credentials>) -> Result<Self, GoogleError> {
        Ok(Self { web: client()?, sign_ins, token: Mutex::new(None) })
    }

    /// Whether these are the sign-ins that it was made with, in the same order.
    pub fn signs_in_with(&self, sign_ins: &[Credentials]) -> bool {
        self.sign_ins.len() == sign_ins.len()
            && self.sign_ins.iter().zip(sign_ins).all(|(own, other)| own.is_same(other))
    }

    /// The account's runtimes.
    ///
    /// # Errors
    /// The sign-in, the network or Google is in the way.
    pub async fn assignments(&self) -> Result<Vec<Assignment>, GoogleError> {
        let body = self.colab("/tun/m/assignments").await?;
        answer::assignments(&body, clock::now()).map_err(nonsense(COLAB))
    }

    /// The account's compute units.
    ///
    /// # Errors
    /// As for [`Client::assignments`].
    pub async fn balance(&self) -> Result<Balance, GoogleError> {
        let body = self.colab("/tun/m/ccu-info").await?;
        answer::balance(&body).map_err(nonsense(COLAB))
    }

    /// What a runtime's memory, disk and accelerators do.
    ///
    /// # Errors
    /// The network or the runtime is in the way.
    pub async fn resources(&self, of: &Assignment) -> Result<Resources, GoogleError> {
        let body = self.runtime(of, "/api/colab/resources").await?;
        answer::resources(&body).map_err(nonsense(of.access.host.as_str()))
    }

    /// What a runtime's kernels do.
    ///
    /// # Errors
    /// As for [`Client::resources`].
    pub async fn kernels(&self, of: &Assignment) -> Result<Kernels, GoogleError> {
        let body = self.runtime(of, "/api/kernels").await?;
        answer::kernels(&body).map_err(nonsense(of.access.host.as_str()))
    }

    /// A request with the account's own token, which goes to this one host.
    async fn colab(&self, path: &str) -> Result<String, GoogleError> {
        let url = format!("https://{COLAB}{path}?authuser=0");
        let mut afresh = false;
        loop {
            let (token, place, covers_colab) = self.token(afresh).await?;
            let request = self.web.get(&url).bearer_auth(token.expose_secret());
            let answer = request.send().await.map_err(|error| unreached(COLAB, &error))?;
            match answer.status() {
                // It was withdrawn before its time, or the clock is wrong: one more try with a new one.
                StatusCode::UNAUTHORIZED if !afresh => afresh = true,
                StatusCode::FORBIDDEN if !covers_colab => return Err(GoogleError::ScopeMissing { place }),
                _ => return read(checked(answer, "this account")?, COLAB).await,
            }
        }
    }

    /// A request to a runtime's own server, with the token that Google gave for this very host.
    async fn runtime(&self, of: &Assignment, path: &str) -> Result<String, GoogleError> {
        let RuntimeAccess { host, token, .. } = &of.access;
        let url = format!("https://{host}{}{path}", of.path);
        let request = self.web.get(url).header(RUNTIME_TOKEN, header(token, host.as_str())?);
        let answer = request.send().await.map_err(|error| unreached(host.as_str(), &error))?;
        read(checked(answer, "this runtime")?, host.as_str()).await
    }

    async fn token(&self, afresh: bool) -> Result<(SecretString, String, bool), GoogleError> {
        let mut held = self.token.lock().await;
        let usable = |token: &AccessToken| token.ends.duration_since(clock::now()) > ALMOST_OVER;
        if afresh || !held.as_ref().is_some_and(usable) {
            *held = Some(self.new_token().await?);
        }
        let Some(token) = held.as_ref() else { return Err(GoogleError::SignedOut) };
        Ok((token.secret.clone(), token.place.clone(), token.covers_colab))
    }

    /// The first sign-in that Google takes; where it takes none, what is wrong with the first.
    async fn new_token(&self) -> Result<AccessToken, GoogleError> {
        let mut problem = GoogleError::SignedOut;
        for (turn, sign_in) in self.sign_ins.iter().enumerate() {
            match self.refresh(sign_in).await {
                Ok(token) => return Ok(token),
                Err(error) if !error.needs_a_person() => return Err(error),
                Err(error) if turn == 0 => problem = error,
                Err(_) => {}
            }
        }
        Err(problem)
    }

    async fn refresh(&self, with: &Credentials) -> Result<AccessToken, GoogleError> {
        let asked = with.token_request(&self.web).send().await;
        let answer = asked.map_err(|error| unreached(OAUTH, &error))?;
        let status = answer.status();
        if !matches!(status, StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED) {
            let answer = checked(answer, "this sign-in")?;
            let body = read(answer, OAUTH).await?;
            let bad = |_| nonsense(OAUTH)("it holds no access token".to_owned());
            let given: Given = serde_json::from_str(&body).map_err(bad)?;
            let lives = SignedDuration::from_secs(given.expires_in.unwrap_or(3600).clamp(0, 86_400));
            let ends = clock::now().checked_add(lives).unwrap_or(Timestamp::MAX);
            let covers =
                |scopes: &String| SCOPES.iter().all(|scope| scopes.split(' ').any(|had| had == *scope));
            let covers_colab = given.scope.as_ref().is_none_or(covers);
            let place = with.place.clone();
            return Ok(AccessToken { secret: given.access_token.into(), ends, place, covers_colab });
        }
        let refused: Option<Refused> = serde_json::from_str(&read(answer, OAUTH).await?).ok();
        Err(match refused.and_then(|refused| refused.error).as_deref() {
            Some("invalid_grant") => GoogleError::Expired { place: with.place.clone() },
            Some("invalid_client" | "unauthorized_client" | "deleted_client" | "disabled_client") => {
                GoogleError::Unusable {
                    place: with.place.clone(),
                    why: "Google does not know the program that made it",
                }
            }
            Some("invalid_scope") => GoogleError::ScopeMissing { place: with.place.clone() },
            _ => GoogleError::OtherStatus { status: status.as_u16() },
        })
    }
}

#[derive(Deserialize)]
struct Given {
    access_token: String,
    expires_in: Option<i64>,
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Refused {
    error: Option<String>,
}

fn client() -> Result<reqwest::Client, GoogleError> {
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(AGENT, HeaderValue::from_static("moorline"));
    let built = http::builder().default_headers(headers).connect_timeout(LIMIT).timeout(LIMIT).build();
    built.map_err(|error| GoogleError::Network { host: COLAB.to_owned(), why: http::reason(&error) })
}

/// A secret as a header's value, marked so that nothing shows it.
fn header(secret: &SecretString, host: &str) -> Result<HeaderValue, GoogleError> {
    let bad = |_| nonsense(host)("a token that no header can carry".to_owned());
    let mut value = HeaderValue::from_str(secret.expose_secret()).map_err(bad)?;
    value.set_sensitive(true);
    Ok(value)
}

fn checked(answer: Response, what: &'static str) -> Result<Response, GoogleError> {
    let status = answer.status();
    Err(match status.as_u16() {
        200..=299 => return Ok(answer),
        401 => GoogleError::Unauthorised,
        403 => GoogleError::Forbidden,
        404 => GoogleError::Missing { what },
        429 => GoogleError::TooOften,
        500..=599 => GoogleError::Broken { status: status.as_u16() },
        other => GoogleError::OtherStatus { status: other },
    })
}

async fn read(answer: Response, host: &str) -> Result<String, GoogleError> {
    let body = http::body(answer, LONGEST).await.map_err(|error| unreached(host, &error))?;
    let body = body.ok_or_else(|| nonsense(host)("it is longer than 1 MiB".to_owned()))?;
    String::from_utf8(body).map_err(|_| nonsense(host)("it is not text".to_owned()))
}

fn nonsense(host: &str) -> impl Fn(String) -> GoogleError {
    move |why| GoogleError::BadAnswer { host: host.to_owned(), why }
}

fn unreached(host: &str, error: &reqwest::Error) -> GoogleError {
    let host = host.to_owned();
    if error.is_timeout() {
        return GoogleError::TimedOut { host, seconds: LIMIT.as_secs() };
    }
    GoogleError::Network { host, why: http::reason(error) }
}
