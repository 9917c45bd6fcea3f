//! What the API says. Every value that goes into a file, an address or a message is checked here.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use moorline_model::text::shown;
use moorline_ssh_files::{HostName, Place, Port};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

/// An endpoint that is open now (`GET /endpoints`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its address as ngrok shows it, escaped and bounded.
    pub address: String,
    /// Host and port, of a TCP endpoint that has a usable name.
    pub tcp: Option<Place>,
    /// What its agent was started with; an announcement stands here.
    pub metadata: String,
    /// The agent that holds it.
    pub agent: Option<AgentId>,
}

/// An agent that is connected (`GET /tunnel_sessions`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Its name in the API.
    pub id: AgentId,
    /// The address it comes from, escaped and bounded.
    pub ip: String,
    /// Its system and version, escaped and bounded.
    pub program: String,
    /// Since when it is connected.
    pub started: Option<Timestamp>,
}

/// An agent's name in the API: `ts_` and letters and digits, fit for a path.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(String);

/// A text that is no agent's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an ngrok agent's id is ts_ and letters and digits")]
pub struct InvalidAgentId;

impl AgentId {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AgentId {
    type Err = InvalidAgentId;

    fn from_str(value: &str) -> Result<Self, InvalidAgentId> {
        let rest = value.strip_prefix("ts_").ok_or(InvalidAgentId)?;
        let fine = (1..=64).contains(&rest.len()) && rest.bytes().all(|b| b.is_ascii_alphanumeric());
        if fine { Ok(Self(value.to_owned())) } else { Err(InvalidAgentId) }
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One page of a list, and where the next one is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

/// A kind of thing that the API lists.
pub(super) trait Listed: Sized {
    /// The path, which is also the list's name in the answer.
    const PATH: &'static str;
    /// As it is written.
    type Raw: DeserializeOwned;
    /// Checked; `None` for what cannot be used.
    fn read(raw: Self::Raw) -> Option<Self>;
}

/// Reads one page.
///
/// # Errors
/// It is no such list: the reason.
pub(super) fn page<T: Listed>(body: &[u8]) -> Result<Page<T>, String> {
    let mut all: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(body).map_err(|error| error.to_string())?;
    let list = all.remove(T::PATH).ok_or_else(|| format!("it has no {}", T::PATH))?;
    let raw: Vec<T::Raw> = serde_json::from_value(list).map_err(|error| error.to_string())?;
    let next = all.remove("next_page_uri").and_then(|uri| uri.as_str().map(str::to_owned));
    Ok(Page { items: raw.into_iter().filter_map(T::read).collect(), next })
}

/// The error number in a refusal's body (`{"error_code":"ERR_NGROK_226",…}`).
pub(super) fn refusal(body: &[u8]) -> Option<u32> {
    let raw: RawRefusal = serde_json::from_slice(body).ok()?;
    moorline_model::ngrok_refusal::code_in(&raw.error_code)
}

#[derive(Deserialize)]
struct RawRefusal {
    #[serde(default, deserialize_with = "text")]
    error_code: String,
}

#[derive(Deserialize)]
pub(super) struct RawEndpoint {
    #[serde(default, deserialize_with = "text")]
    proto: String,
    #[serde(default, deserialize_with = "text")]
    public_url: String,
    #[serde(default, deserialize_with = "text")]
    url: String,
    #[serde(default, deserialize_with = "text")]
    hostport: String,
    #[serde(default, deserialize_with = "text")]
    metadata: String,
    #[serde(default)]
    tunnel_session: Option<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(default, deserialize_with = "text")]
    id: String,
}

impl Listed for Endpoint {
    const PATH: &'static str = "endpoints";
    type Raw = RawEndpoint;

    fn read(raw: RawEndpoint) -> Option<Self> {
        let address = if raw.public_url.is_empty() { raw.url } else { raw.public_url };
        let named = address.strip_prefix("tcp://");
        let is_tcp = raw.proto == "tcp" || (raw.proto.is_empty() && named.is_some());
        let hostport = if raw.hostport.is_empty() { named.unwrap_or_default() } else { &raw.hostport };
        let tcp = place(hostport).filter(|_| is_tcp);
        let agent = raw.tunnel_session.and_then(|session| session.id.parse().ok());
        Some(Self { tcp, metadata: raw.metadata, agent, address: shown(&address, 120) })
    }
}

#[derive(Deserialize)]
pub(super) struct RawAgent {
    #[serde(default, deserialize_with = "text")]
    id: String,
    #[serde(default, deserialize_with = "text")]
    ip: String,
    #[serde(default, deserialize_with = "text")]
    os: String,
    #[serde(default, deserialize_with = "text")]
    agent_version: String,
    #[serde(default, deserialize_with = "text")]
    started_at: String,
}

impl Listed for Agent {
    const PATH: &'static str = "tunnel_sessions";
    type Raw = RawAgent;

    fn read(raw: RawAgent) -> Option<Self> {
        let program = format!("{} {}", raw.os, raw.agent_version);
        Some(Self {
            id: raw.id.parse().ok()?,
            ip: shown(&raw.ip, 60),
            program: shown(program.trim(), 60),
            started: raw.started_at.parse().ok(),
        })
    }
}

fn place(hostport: &str) -> Option<Place> {
    let (host, port) = hostport.rsplit_once(':')?;
    Some(Place { host: host.parse::<HostName>().ok()?, port: port.parse::<Port>().ok()? })
}

/// A text that may be missing or null.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    Option::<String>::deserialize(from).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Field names as in ngrok's OpenAPI document; the values are invented.
    const ENDPOINTS: &str = r#"{"endpoints":[
        {"id":"ep_1","region":"eu","created_at":"2026-11-20T09:58:01Z","public_url":"tcp://0.tcp.eu.ngrok.io:15873",
         "proto":"tcp","scheme":"tcp","hostport":"0.tcp.eu.ngrok.io:15873","host":"0.tcp.eu.ngrok.io","port":15873,
         "type":"ephemeral","metadata":"ml1.x","description":"colab","tunnel_session":{"id":"ts_2Rabc","uri":"x"},
         "bindings":["public"],"pooling_enabled":false},
        {"id":"ep_2","public_url":"https://x.ngrok.app","proto":"https","hostport":"x.ngrok.app:443","metadata":null},
        {"id":"ep_3","url":"tcp://1.tcp.ngrok.io:20001"},
        {"id":"ep_4","proto":"tcp","hostport":"-oProxyCommand=x:22"},
        {"id":"ep_5","proto":"tcp","public_url":"tcp://h:0"}],
        "uri":"https://api.ngrok.com/endpoints","next_page_uri":null}"#;

    #[test]
    fn endpoints_are_read_and_bad_names_are_no_places() {
        let page: Page<Endpoint> = page(ENDPOINTS.as_bytes()).unwrap();
        let places: Vec<_> = page.items.iter().map(|e| e.tcp.as_ref().map(ToString::to_string)).collect();
        let wanted = [
            Some("[0.tcp.eu.ngrok.io]:15873".to_owned()),
            None,
            Some("[1.tcp.ngrok.io]:20001".to_owned()),
            None,
            None,
        ];
        assert_eq!(places, wanted);
        assert_eq!(page.items[0].agent, Some("ts_2Rabc".parse().unwrap()));
        assert_eq!((page.items[0].metadata.as_str(), page.next), ("ml1.x", None));
    }

    #[test]
    fn agents_are_read() {
        let agents = br#"{"tunnel_sessions":[{"agent_version":"3.39.10","id":"ts_2Rabc","ip":"34.90.67.108","metadata":"",
            "os":"linux","region":"eu","started_at":"2026-11-20T09:58:00Z","transport":"ngrok/v2"},
            {"id":"ts_../stop"}],"next_page_uri":"https://api.ngrok.com/tunnel_sessions?before_id=ts_2"}"#;
        let page: Page<Agent> = page(agents).unwrap();
        assert_eq!(page.items.len(), 1, "a name that is none is left out");
        assert_eq!(
            (page.items[0].ip.as_str(), page.items[0].program.as_str()),
            ("34.90.67.108", "linux 3.39.10")
        );
        assert!(page.items[0].started.is_some() && page.next.is_some());
    }

    #[test]
    fn refusals_tell_their_number() {
        assert_eq!(refusal(br#"{"error_code":"ERR_NGROK_226","status_code":429,"msg":"x"}"#), Some(226));
        assert_eq!(refusal(b"<html>"), None);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_answered_is_read_without_a_panic(text in "(?s).{0,300}") {
            let _ = page::<Endpoint>(text.as_bytes());
            let _ = page::<Endpoint>(format!("{{\"endpoints\":[{{\"proto\":\"tcp\",\"hostport\":{text:?}}}]}}").as_bytes());
            let _ = refusal(text.as_bytes());
        }
    }
}
