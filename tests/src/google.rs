//! A stand-in for Google: its token server, Colab's sessions API and the runtimes' own servers, as strict as is known of
//! the real ones (google-colab-cli 0.7.5; Google's Colab extension for VS Code). Whatever its own clients would not send
//! is refused, and remembered.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use crate::edge::ColabEdge;
use crate::internet::Internet;
use crate::runtime::Runtime;

/// The scopes of google-colab-cli's own sign-in.
pub const SCOPES: &str = "openid https://www.googleapis.com/auth/userinfo.email https://www.googleapis.com/auth/userinfo.profile https://www.googleapis.com/auth/cloud-platform https://www.googleapis.com/auth/colaboratory https://www.googleapis.com/auth/drive.file";

/// A person's sign-in, as it lies in a file.
#[derive(Debug, Clone)]
pub struct SignIn {
    /// The program's id.
    pub client_id: String,
    /// The program's secret.
    pub client_secret: String,
    /// What access tokens are made from.
    pub refresh_token: String,
}

/// What is asked of a runtime's own server.
#[derive(Debug)]
pub struct Asked<'a> {
    /// The path.
    pub path: &'a str,
    /// `X-Colab-Runtime-Proxy-Token`.
    pub token: &'a str,
    /// `Authorization`, which has no business there.
    pub authorization: &'a str,
}

/// Google, with one account. Clones are the same Google.
#[derive(Debug, Clone)]
pub struct Google {
    account: Arc<Mutex<Account>>,
}

/// A runtime of the account.
#[derive(Debug, Clone)]
pub struct Vm {
    /// Its id.
    pub endpoint: String,
    /// Such as `T4`, or `NONE`.
    pub accelerator: String,
    /// What opens its server.
    pub token: String,
    /// Whether its notebook works.
    pub busy: bool,
    /// When its notebook did something last, as Jupyter writes it.
    pub last_activity: String,
}

#[derive(Debug)]
struct Account {
    sign_in: SignIn,
    scopes: String,
    /// `None` where the sign-in was withdrawn.
    access_token: Option<String>,
    issued: u32,
    vms: BTreeMap<String, Vm>,
    balance: f64,
    per_hour: f64,
    token_lives: i64,
    /// The sessions API answers this instead.
    trouble: Option<(StatusCode, String)>,
    requests: Vec<String>,
    refused: Vec<String>,
}

impl SignIn {
    /// The file of google-colab-cli (google-auth's `Credentials.to_json`).
    pub fn colab_cli_file(&self) -> String {
        let file = json!({
            "token": "ya29.an-old-one", "refresh_token": self.refresh_token,
            "token_uri": "https://elsewhere.example/token", "client_id": self.client_id,
            "client_secret": self.client_secret, "scopes": SCOPES.split(' ').collect::<Vec<_>>(),
            "universe_domain": "googleapis.com", "account": "", "expiry": "2026-01-01T00:00:00.000000Z",
        });
        file.to_string()
    }

    /// The file of `gcloud auth application-default login`.
    pub fn gcloud_file(&self) -> String {
        let file = json!({
            "account": "", "client_id": self.client_id, "client_secret": self.client_secret,
            "quota_project_id": "some-project", "refresh_token": self.refresh_token,
            "type": "authorized_user", "universe_domain": "googleapis.com",
        });
        format!("{file:#}")
    }
}

impl Vm {
    /// A runtime with this id, whose notebook did something just now.
    pub fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            accelerator: if endpoint.starts_with("gpu-t4") { "T4".to_owned() } else { "NONE".to_owned() },
            token: format!("proxy-token-of-{endpoint}"),
            busy: true,
            last_activity: "2026-11-21T10:00:00.000000Z".to_owned(),
        }
    }

    /// The name of its server.
    pub fn host(&self) -> String {
        format!("8080-{}.us-west1-1.prod.colab.dev", self.endpoint)
    }
}

impl Google {
    /// Puts Google's hosts into this internet. The account has no runtime yet.
    pub fn start(internet: &Internet) -> Self {
        let sign_in = SignIn {
            client_id: "764086051850-x.apps.googleusercontent.com".to_owned(),
            client_secret: "d-FL95Q19q7MQmFpd7hHD0Ty".to_owned(),
            refresh_token: "1//0refresh-Kq83hVn".to_owned(),
        };
        let account = Account {
            sign_in,
            scopes: SCOPES.to_owned(),
            access_token: None,
            issued: 0,
            vms: BTreeMap::new(),
            balance: 87.42,
            per_hour: 1.54,
            token_lives: 3600,
            trouble: None,
            requests: Vec::new(),
            refused: Vec::new(),
        };
        let google = Self { account: Arc::new(Mutex::new(account)) };
        let oauth = Router::new().route("/token", post(token)).fallback(nothing).with_state(google.clone());
        internet.host("oauth2.googleapis.com", oauth);
        let colab = Router::new()
            .route("/tun/m/assignments", get(assignments))
            .route("/tun/m/ccu-info", get(ccu_info))
            .fallback(nothing)
            .with_state(google.clone());
        internet.host("colab.research.google.com", colab);
        google
    }

    /// The sign-in that Google takes.
    pub fn sign_in(&self) -> SignIn {
        self.lock().sign_in.clone()
    }

    /// Gives the account a runtime, with its own server but without SSH.
    pub fn begin(&self, internet: &Internet, vm: Vm) {
        internet.host(&vm.host(), self.server(&vm));
        self.list(vm);
    }

    /// Gives the account a runtime with SSH, and its own server behind the same name.
    pub fn begin_with_ssh(&self, internet: &Internet, vm: Vm, runtime: &Runtime) -> ColabEdge {
        let edge = ColabEdge::open(internet, &vm.host(), &vm.token, runtime);
        let (google, endpoint) = (self.clone(), vm.endpoint.clone());
        edge.also(move |path, token, authorization| {
            google.answer(&endpoint, &Asked { path, token, authorization })
        });
        self.list(vm);
        edge
    }

    /// Lists a runtime whose server is somebody else's to put there.
    fn list(&self, vm: Vm) {
        self.lock().vms.insert(vm.endpoint.clone(), vm);
    }

    /// What a runtime's own server tells, besides SSH.
    fn server(&self, vm: &Vm) -> Router {
        let (google, endpoint) = (self.clone(), vm.endpoint.clone());
        Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
            let given =
                |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let asked = Asked {
                path: uri.path(),
                token: given("x-colab-runtime-proxy-token"),
                authorization: given("authorization"),
            };
            let (status, body) = google.answer(&endpoint, &asked);
            async move { (StatusCode::from_u16(status).expect("a status of HTTP"), body) }
        })
    }

    /// What a runtime's own server answers, besides SSH.
    pub fn answer(&self, endpoint: &str, asked: &Asked<'_>) -> (u16, String) {
        let mut account = self.lock();
        account.requests.push(format!("GET {endpoint} {}", asked.path));
        if !asked.authorization.is_empty() {
            account.refused.push(format!("{}: the account's token was sent to a runtime", asked.path));
            return (400, String::new());
        }
        let Some(vm) = account.vms.get(endpoint).cloned() else { return (404, String::new()) };
        if asked.token != vm.token {
            return (401, String::new());
        }
        match asked.path {
            "/api/colab/resources" => (200, guarded(&resources(&vm))),
            "/api/kernels" => (200, kernels(&vm).to_string()),
            other => {
                account
                    .refused
                    .push(format!("{other}: no such page of a runtime is shown by Google's clients"));
                (404, String::new())
            }
        }
    }

    /// Changes a runtime.
    pub fn change(&self, endpoint: &str, change: impl FnOnce(&mut Vm)) {
        change(self.lock().vms.get_mut(endpoint).expect("the account has this runtime"));
    }

    /// Ends a runtime, as an idle one is ended.
    pub fn end(&self, endpoint: &str) {
        self.lock().vms.remove(endpoint);
    }

    /// The runtimes that there are.
    pub fn endpoints(&self) -> Vec<String> {
        self.lock().vms.keys().cloned().collect()
    }

    /// The compute units and what is used up in an hour.
    pub fn set_units(&self, balance: f64, per_hour: f64) {
        let mut account = self.lock();
        (account.balance, account.per_hour) = (balance, per_hour);
    }

    /// For how many seconds a runtime's token is good.
    pub fn set_token_lives(&self, seconds: i64) {
        self.lock().token_lives = seconds;
    }

    /// What a sign-in covers from now on.
    pub fn set_scopes(&self, scopes: &str) {
        scopes.clone_into(&mut self.lock().scopes);
    }

    /// The person withdrew the sign-in.
    pub fn withdraw(&self) {
        let mut account = self.lock();
        "withdrawn".clone_into(&mut account.sign_in.refresh_token);
        account.access_token = None;
    }

    /// Access tokens given so far count no more.
    pub fn forget_access(&self) {
        self.lock().access_token = None;
    }

    /// From now on, the sessions API answers with this; `None` for as it should.
    pub fn trouble(&self, trouble: Option<(u16, &str)>) {
        self.lock().trouble = trouble
            .map(|(status, body)| (StatusCode::from_u16(status).expect("a status of HTTP"), body.to_owned()));
    }

    /// What was asked and answered, as `GET host path`.
    pub fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    /// What its own clients would not have sent.
    pub fn refused(&self) -> Vec<String> {
        self.lock().refused.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Account> {
        self.account.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, method: &Method, uri: &Uri, why: &str) -> Response {
        self.lock().refused.push(format!("{method} {}: {why}", uri.path()));
        StatusCode::NOT_FOUND.into_response()
    }

    /// Whether a request to the sessions API is one that Google's clients send; the answer where it is not.
    fn admit(
        &self,
        method: &Method,
        uri: &Uri,
        query: Option<&str>,
        headers: &HeaderMap,
    ) -> Result<(), Box<Response>> {
        let mut account = self.lock();
        account.requests.push(format!("{method} {}", uri.path()));
        let given = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let wrong = if query != Some("authuser=0") {
            Some("authuser is missing")
        } else if given("accept") != "application/json" {
            Some("Accept is not application/json")
        } else if given("x-colab-client-agent").is_empty() {
            Some("X-Colab-Client-Agent is missing")
        } else if headers.contains_key("x-colab-runtime-proxy-token") {
            Some("a runtime's token was sent to the sessions API")
        } else {
            None
        };
        if let Some(wrong) = wrong {
            account.refused.push(format!("{method} {}: {wrong}", uri.path()));
            return Err(Box::new(StatusCode::BAD_REQUEST.into_response()));
        }
        let token = given("authorization").strip_prefix("Bearer ");
        if token.is_none() || token != account.access_token.as_deref() {
            return Err(Box::new(StatusCode::UNAUTHORIZED.into_response()));
        }
        if !account.scopes.contains("auth/userinfo.email") || !account.scopes.contains("auth/colaboratory") {
            return Err(Box::new(StatusCode::FORBIDDEN.into_response()));
        }
        match &account.trouble {
            Some((status, body)) => Err(Box::new((*status, body.clone()).into_response())),
            None => Ok(()),
        }
    }
}

/// What stands before each answer.
fn guarded(body: &Value) -> String {
    format!(")]}}'\n{body}")
}

async fn nothing(State(google): State<Google>, method: Method, uri: Uri) -> Response {
    google.refuse(&method, &uri, "no such page")
}

async fn token(State(google): State<Google>, body: Bytes) -> Response {
    let form: BTreeMap<String, String> = String::from_utf8_lossy(&body)
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (name.to_owned(), decoded(value)))
        .collect();
    let mut account = google.lock();
    account.requests.push("POST /token".to_owned());
    let is = |name: &str, wanted: &str| form.get(name).is_some_and(|given| given == wanted);
    let error = |name: &str| (StatusCode::BAD_REQUEST, json!({ "error": name }).to_string()).into_response();
    if !is("grant_type", "refresh_token") {
        return error("unsupported_grant_type");
    }
    let sign_in = account.sign_in.clone();
    if !is("client_id", &sign_in.client_id) || !is("client_secret", &sign_in.client_secret) {
        return (StatusCode::UNAUTHORIZED, json!({ "error": "invalid_client" }).to_string()).into_response();
    }
    if !is("refresh_token", &sign_in.refresh_token) {
        return error("invalid_grant");
    }
    account.issued += 1;
    let token = format!("ya29.access-{}-Wm4x", account.issued);
    account.access_token = Some(token.clone());
    let scope = account.scopes.clone();
    json!({ "access_token": token, "expires_in": 3599, "scope": scope, "token_type": "Bearer" })
        .to_string()
        .into_response()
}

async fn assignments(
    State(google): State<Google>,
    RawQuery(query): RawQuery,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = google.admit(&method, &uri, query.as_deref(), &headers) {
        return *refused;
    }
    let account = google.lock();
    let lives = account.token_lives;
    let all = account.vms.values().map(|vm| {
        json!({
            "accelerator": vm.accelerator, "endpoint": vm.endpoint, "variant": i32::from(vm.accelerator != "NONE"),
            "machineShape": 0,
            "runtimeProxyInfo": {
                "token": vm.token, "tokenExpiresInSeconds": lives, "url": format!("https://{}", vm.host()),
            },
        })
    });
    guarded(&json!({ "assignments": all.collect::<Vec<_>>() })).into_response()
}

async fn ccu_info(
    State(google): State<Google>,
    RawQuery(query): RawQuery,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Err(refused) = google.admit(&method, &uri, query.as_deref(), &headers) {
        return *refused;
    }
    let account = google.lock();
    guarded(&json!({
        "currentBalance": account.balance, "consumptionRateHourly": account.per_hour,
        "assignmentsCount": account.vms.len(),
    }))
    .into_response()
}

fn resources(vm: &Vm) -> Value {
    let gpu = json!({
        "name": format!("Tesla {}", vm.accelerator), "memoryUsedBytes": 1_000_000_000_u64,
        "memoryTotalBytes": 15_843_721_216_u64, "gpuUtilization": 0.37,
    });
    let gpus: Vec<Value> = if vm.accelerator == "NONE" { Vec::new() } else { vec![gpu] };
    json!({
        "memory": { "totalBytes": 13_605_834_752_u64, "freeBytes": 8_505_834_752_u64 },
        "gpus": gpus,
        "disks": [{ "filesystem": {
            "label": "kernel", "totalBytes": 120_942_624_768_u64, "usedBytes": 41_000_000_000_u64 } }],
    })
}

fn kernels(vm: &Vm) -> Value {
    let state = if vm.busy { "busy" } else { "idle" };
    json!([{
        "id": "5d1d1a52", "name": "python3", "last_activity": vm.last_activity, "execution_state": state,
        "connections": 1,
    }])
}

/// Percent-decoding of a form's value.
fn decoded(value: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = value.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let hex: String = rest.by_ref().take(2).map(char::from).collect();
                bytes.extend(u8::from_str_radix(&hex, 16).ok());
            }
            b'+' => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
