//! The announcement's JSON: exactly these fields, and every value through its validator type.

use jiff::Timestamp;
use moorline_ssh_files::{HostKey, HostName, Place, Port, UserName};
use serde::{Deserialize, Serialize};

use super::content::{Announcement, Endpoint, Info, Kind, Refusal, RuntimeId};
use crate::session_key::KeyId;

/// The version that this program knows.
const VERSION: u8 = 1;

/// No runtime needs more ways to it, nor more host keys.
const MOST: usize = 8;

/// The longest text in `info`, in bytes.
const LONGEST_INFO: usize = 120;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    v: u8,
    kind: Kind,
    runtime: RuntimeId,
    born: i64,
    seq: u64,
    at: i64,
    endpoints: Vec<Way>,
    user: UserName,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    host_keys: Vec<HostKey>,
    #[serde(default, skip_serializing_if = "Facts::is_empty")]
    info: Facts,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "link", rename_all = "kebab-case", deny_unknown_fields)]
enum Way {
    Ngrok { host: HostName, port: Port },
    Cloudflare { host: HostName },
    Relay { port: Port },
    Direct { host: HostName, port: Port },
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Facts {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    gpu: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    release: Option<String>,
}

/// Reads a body whose MAC was right.
pub(super) fn read(bytes: &[u8], kid: KeyId) -> Result<Announcement, Refusal> {
    let wrong = |what: &str| Refusal::Body(what.to_owned());
    // The version first: a newer body may have fields that this program must not guess at.
    if let Ok(Head { v }) = serde_json::from_slice(bytes)
        && v != u64::from(VERSION)
    {
        return Err(wrong(&format!("it has version {v}")));
    }
    let body: Body =
        serde_json::from_slice(bytes).map_err(|error| Refusal::Body(plain(&error.to_string())))?;
    if body.endpoints.len() > MOST || body.host_keys.len() > MOST {
        return Err(wrong("it lists too much"));
    }
    let moment = |second| Timestamp::from_second(second).map_err(|_| wrong("it names no real time"));
    Ok(Announcement {
        kid,
        kind: body.kind,
        runtime: body.runtime,
        born: moment(body.born)?,
        seq: body.seq,
        at: moment(body.at)?,
        endpoints: body.endpoints.into_iter().map(Endpoint::from).collect(),
        user: body.user,
        host_keys: body.host_keys,
        info: Info { gpu: fact(body.info.gpu)?, release: fact(body.info.release)? },
    })
}

/// The compact JSON of an announcement.
pub(super) fn write(said: &Announcement) -> Vec<u8> {
    let body = Body {
        v: VERSION,
        kind: said.kind,
        runtime: said.runtime.clone(),
        born: said.born.as_second(),
        seq: said.seq,
        at: said.at.as_second(),
        endpoints: said.endpoints.iter().cloned().map(Way::from).collect(),
        user: said.user.clone(),
        host_keys: said.host_keys.clone(),
        info: Facts { gpu: said.info.gpu.clone(), release: said.info.release.clone() },
    };
    // No map has other keys than texts, and nothing in it can fail to be written.
    serde_json::to_vec(&body).unwrap_or_default()
}

#[derive(Deserialize)]
struct Head {
    v: u64,
}

fn fact(text: Option<String>) -> Result<Option<String>, Refusal> {
    match text {
        Some(text) if text.len() > LONGEST_INFO || text.chars().any(char::is_control) => {
            Err(Refusal::Body("its info is no plain text".to_owned()))
        }
        text => Ok(text),
    }
}

/// A parser's words, short and on one line: they may repeat what was sent.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(160).collect()
}

impl Facts {
    fn is_empty(&self) -> bool {
        self.gpu.is_none() && self.release.is_none()
    }
}

impl From<Way> for Endpoint {
    fn from(way: Way) -> Self {
        match way {
            Way::Ngrok { host, port } => Self::Ngrok(Place { host, port }),
            Way::Cloudflare { host } => Self::Cloudflare(host),
            Way::Relay { port } => Self::Relay(port),
            Way::Direct { host, port } => Self::Direct(Place { host, port }),
        }
    }
}

impl From<Endpoint> for Way {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::Ngrok(Place { host, port }) => Self::Ngrok { host, port },
            Endpoint::Cloudflare(host) => Self::Cloudflare { host },
            Endpoint::Relay(port) => Self::Relay { port },
            Endpoint::Direct(Place { host, port }) => Self::Direct { host, port },
        }
    }
}
