//! A stand-in for ngrok's API at `api.ngrok.com`: the shapes of its answers, its paging, its limit, its refusals.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use serde_json::{Value, json};

use crate::internet::Internet;

/// The host that it takes the place of.
pub const HOST: &str = "api.ngrok.com";

/// How many requests an account may make in a minute.
const LIMIT: usize = 120;

/// An account with its endpoints and agents.
#[derive(Debug, Clone)]
pub struct NgrokApi {
    account: Arc<Mutex<Account>>,
}

#[derive(Debug)]
struct Account {
    key: String,
    endpoints: Vec<Value>,
    agents: Vec<Value>,
    addresses: Vec<Value>,
    requests: Vec<Instant>,
    /// Method and path of each request that was let in.
    asked: Vec<String>,
    refusing: Option<(u16, u32, &'static str)>,
    made: usize,
    page: usize,
}

impl NgrokApi {
    /// Puts it on the internet, with this API key.
    pub fn start(internet: &Internet, key: &str) -> Self {
        let account = Account {
            key: key.to_owned(),
            endpoints: Vec::new(),
            agents: Vec::new(),
            addresses: Vec::new(),
            requests: Vec::new(),
            asked: Vec::new(),
            refusing: None,
            made: 0,
            page: 100,
        };
        let api = Self { account: Arc::new(Mutex::new(account)) };
        let router = Router::new()
            .route("/endpoints", get(list))
            .route("/tunnel_sessions", get(list))
            .route("/reserved_addrs", get(list))
            .route("/tunnel_sessions/{id}/stop", post(stop))
            .fallback(any(nothing))
            .with_state(api.clone());
        internet.host(HOST, router);
        api
    }

    /// An agent connects, and holds nothing yet: its id.
    pub fn agent(&self) -> String {
        let mut account = self.account();
        account.made += 1;
        let id = format!("ts_2R{:04}", account.made);
        account.agents.push(json!({
            "agent_version": "3.39.10", "credential": { "id": "cr_2R", "uri": format!("https://{HOST}/credentials/cr_2R") },
            "id": id, "ip": "34.90.67.108", "metadata": "", "os": "linux", "region": "eu",
            "started_at": "2026-11-20T09:58:00Z", "transport": "ngrok/v2", "uri": format!("https://{HOST}/tunnel_sessions/{id}"),
        }));
        id
    }

    /// An agent opens a TCP endpoint here, with this metadata.
    pub fn tcp(&self, agent: &str, host: &str, port: u16, metadata: &str) {
        let address = format!("{host}:{port}");
        self.endpoint(agent, "tcp", &address, metadata);
    }

    /// An agent opens an endpoint of another kind.
    pub fn endpoint(&self, agent: &str, proto: &str, address: &str, metadata: &str) {
        let mut account = self.account();
        account.made += 1;
        let (id, (host, port)) =
            (format!("ep_2R{:04}", account.made), address.rsplit_once(':').unwrap_or((address, "443")));
        account.endpoints.push(json!({
            "id": id, "region": "eu", "created_at": "2026-11-20T09:58:01Z", "updated_at": "2026-11-20T09:58:01Z",
            "public_url": format!("{proto}://{address}"), "proto": proto, "scheme": proto, "hostport": address,
            "host": host, "port": port.parse::<u16>().unwrap_or(443), "type": "ephemeral", "metadata": metadata,
            "description": "", "tunnel": { "id": "tn_2R", "uri": format!("https://{HOST}/tunnels/tn_2R") },
            "tunnel_session": { "id": agent, "uri": format!("https://{HOST}/tunnel_sessions/{agent}") },
            "principal": { "id": "usr_1", "uri": format!("https://{HOST}/users/usr_1") },
            "upstream_url": "localhost:22", "upstream_protocol": "", "url": format!("{proto}://{address}"),
            "bindings": ["public"], "pooling_enabled": false, "name": "colab-ssh", "uri": "",
        }));
    }

    /// The agent is gone, and what it held.
    pub fn gone(&self, agent: &str) {
        self.account().end(agent);
    }

    /// The ids of the agents that are connected.
    pub fn agents(&self) -> Vec<String> {
        self.account().agents.iter().map(|agent| id(agent).to_owned()).collect()
    }

    /// Method and path of the requests that were let in, in order.
    pub fn asked(&self) -> Vec<String> {
        self.account().asked.clone()
    }

    /// From now on every request is refused with this status and number, or none any more.
    pub fn refuses(&self, with: Option<(u16, u32, &'static str)>) {
        self.account().refusing = with;
    }

    /// From now on no page is longer than this.
    pub fn pages_of(&self, length: usize) {
        self.account().page = length;
    }

    fn account(&self) -> std::sync::MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Account {
    /// What ngrok looks at before anything else; its refusal, if it is one.
    fn refuse(&mut self, method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Response> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if header("authorization") != format!("Bearer {}", self.key) {
            let (code, says) = match header("authorization").strip_prefix("Bearer 2") {
                // Authtokens are longer and look alike; ngrok tells them from API keys.
                Some(_) => (206, "The authentication you specified looks like an authtoken, not an API key."),
                None => (202, "The API authentication you specified is invalid."),
            };
            return Some(refusal(401, code, says));
        }
        if header("ngrok-version") != "2" {
            return Some(refusal(400, 218, "Your request has not specified an API version."));
        }
        let now = Instant::now();
        self.requests.retain(|asked| now.duration_since(*asked) < Duration::from_secs(60));
        if self.requests.len() >= LIMIT {
            return Some(refusal(429, 226, "Your account is rate limited to 120 API requests per 60s."));
        }
        self.requests.push(now);
        self.asked.push(format!("{method} {}", uri.path()));
        self.refusing.map(|(status, code, says)| refusal(status, code, says))
    }

    fn end(&mut self, agent: &str) {
        self.agents.retain(|held| id(held) != agent);
        self.endpoints.retain(|endpoint| endpoint["tunnel_session"]["id"] != agent);
    }
}

async fn list(
    State(api): State<NgrokApi>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    Query(paging): Query<BTreeMap<String, String>>,
) -> Response {
    let mut account = api.account();
    if let Some(refusal) = account.refuse(&method, &uri, &headers) {
        return refusal;
    }
    let name = uri.path().trim_start_matches('/');
    let all = match name {
        "endpoints" => &account.endpoints,
        "tunnel_sessions" => &account.agents,
        _ => &account.addresses,
    };
    let limit = paging.get("limit").and_then(|limit| limit.parse().ok()).unwrap_or(100);
    if limit > 100 {
        return refusal(400, 219, "The limit must be at most 100.");
    }
    let start = paging
        .get("before_id")
        .map_or(0, |before| all.iter().position(|item| id(item) == before).map_or(0, |at| at + 1));
    let length = limit.min(account.page);
    let page: Vec<_> = all.iter().skip(start).take(length).cloned().collect();
    let next = (start + page.len() < all.len()).then(|| {
        let last = page.last().map(id).unwrap_or_default();
        format!("https://{HOST}/{name}?before_id={last}&limit={length}")
    });
    let mut answer = json!({ "uri": format!("https://{HOST}/{name}"), "next_page_uri": next });
    answer[name] = page.into();
    json_answer(StatusCode::OK, &answer)
}

async fn stop(
    State(api): State<NgrokApi>,
    Path(agent): Path<String>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response {
    let mut account = api.account();
    if let Some(refusal) = account.refuse(&method, &uri, &headers) {
        return refusal;
    }
    if serde_json::from_str::<Value>(&body).is_err() {
        return refusal(400, 215, "The content you provided in the request is not valid JSON.");
    }
    if !account.agents.iter().any(|held| id(held) == agent) {
        return refusal(404, 404, "Tunnel session not found.");
    }
    account.end(&agent);
    StatusCode::NO_CONTENT.into_response()
}

async fn nothing(uri: Uri) -> Response {
    refusal(404, 404, &format!("{uri} is no resource"))
}

fn id(of: &Value) -> &str {
    of["id"].as_str().unwrap_or_default()
}

fn refusal(status: u16, code: u32, says: &str) -> Response {
    let body = json!({
        "error_code": format!("ERR_NGROK_{code}"), "status_code": status, "msg": says,
        "details": { "operation_id": "op_x" },
    });
    json_answer(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), &body)
}

fn json_answer(status: StatusCode, body: &Value) -> Response {
    (status, [("content-type", "application/json")], body.to_string()).into_response()
}
