//! What Google's answers say. Pure; sources: google-colab-cli 0.7.5 (`client.py`, `consumption.py`) and Google's Colab
//! extension for VS Code, since the API is not documented.

use jiff::{SignedDuration, Timestamp};
use moorline_model::colab_runtime::EndpointId;
use moorline_model::text::shown;
use moorline_model::vitals::{Gpu, Usage};
use moorline_ssh_files::HostName;
use serde::Deserialize;

use super::runtime_access::RuntimeAccess;

/// What stands before every answer, so that no page can read it as a script.
const GUARD: &str = ")]}'";

/// No account has more runtimes, no machine more accelerators or kernels.
const MOST: usize = 64;

/// Names of accelerators are cut after this many characters.
const NAME: usize = 64;

/// One runtime of the account.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// Its id.
    pub endpoint: EndpointId,
    /// Its accelerator, such as `T4`; `None` on a plain machine.
    pub accelerator: Option<String>,
    /// Whether it has more memory than usual.
    pub high_ram: bool,
    /// The way to its web server.
    pub access: RuntimeAccess,
    /// The path of its address, without a slash at the end; mostly empty.
    pub path: String,
}

/// The account's compute units.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Balance {
    /// What is left.
    pub units: f64,
    /// What is used up in an hour, by all runtimes together.
    pub per_hour: f64,
}

/// How a runtime is doing.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Resources {
    /// Main memory.
    pub memory: Option<Usage>,
    /// Its accelerators.
    pub gpus: Vec<Gpu>,
    /// The file system that is labelled as `/content`'s, else the largest.
    pub disk: Option<Usage>,
}

/// What the kernels of a runtime do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Kernels {
    /// Whether one of them works.
    pub busy: bool,
    /// When one of them did something last.
    pub last_activity: Option<Timestamp>,
}

/// The account's runtimes. Those whose address or id is not sound are left out. `now` is when the answer came.
pub fn assignments(body: &str, now: Timestamp) -> Result<Vec<Assignment>, String> {
    let listed: Listed = json(body)?;
    Ok(listed.assignments.into_iter().take(MOST).filter_map(|listed| assignment(listed, now)).collect())
}

/// The compute units.
pub fn balance(body: &str) -> Result<Balance, String> {
    let info: CcuInfo = json(body)?;
    let sound = |value: f64| value.is_finite() && (-1e9..1e9).contains(&value);
    if !sound(info.current_balance) || !sound(info.consumption_rate_hourly) {
        return Err("a balance out of all bounds".to_owned());
    }
    Ok(Balance { units: info.current_balance, per_hour: info.consumption_rate_hourly.max(0.0) })
}

/// `api/colab/resources`.
pub fn resources(body: &str) -> Result<Resources, String> {
    let told: Told = json(body)?;
    let gpus = told.gpus.into_iter().take(MOST).map(|gpu| Gpu {
        name: shown(&gpu.name, NAME),
        memory: usage(gpu.memory_used_bytes, gpu.memory_total_bytes),
        load: gpu.gpu_utilization.and_then(percent),
    });
    let disks = told.disks.into_iter().take(MOST).filter_map(|disk| disk.filesystem);
    let disk = disks
        .filter_map(|fs| {
            let of_content = fs.label.is_some_and(|label| label.contains("content"));
            Some((of_content, usage(fs.used_bytes, fs.total_bytes)?))
        })
        .max_by_key(|(of_content, disk)| (*of_content, disk.total))
        .map(|(_, disk)| disk);
    let memory = told.memory.and_then(|memory| {
        let used = memory.total_bytes?.checked_sub(memory.free_bytes?)?;
        usage(Some(used), memory.total_bytes)
    });
    Ok(Resources { memory, gpus: gpus.collect(), disk })
}

/// `api/kernels` (Jupyter Server's REST API).
pub fn kernels(body: &str) -> Result<Kernels, String> {
    let kernels: Vec<Kernel> = json(body)?;
    let mut all = Kernels::default();
    for kernel in kernels.into_iter().take(MOST) {
        all.busy |= kernel.execution_state.as_deref() == Some("busy");
        let last = kernel.last_activity.and_then(|text| text.parse().ok());
        all.last_activity = all.last_activity.max(last);
    }
    Ok(all)
}

fn json<T: for<'de> Deserialize<'de>>(body: &str) -> Result<T, String> {
    let body = body.strip_prefix(GUARD).map_or(body, |rest| rest.strip_prefix('\n').unwrap_or(rest));
    // What was read is not quoted: it may hold a token.
    serde_json::from_str(body).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => "it is cut off".to_owned(),
        serde_json::error::Category::Data => "something in it is missing or of another type".to_owned(),
        _ => "it is not JSON".to_owned(),
    })
}

fn assignment(listed: ListedAssignment, now: Timestamp) -> Option<Assignment> {
    let endpoint: EndpointId = listed.endpoint.parse().ok()?;
    let info = listed.runtime_proxy_info;
    let (host, path) = place(&info.url)?;
    let lives = SignedDuration::from_secs(info.token_expires_in_seconds.clamp(0, 86_400));
    let access = RuntimeAccess { host, token: info.token.into(), expires: now.checked_add(lives).ok()? };
    let named = listed.accelerator.filter(|name| !matches!(name.as_str(), "" | "NONE"));
    Some(Assignment {
        endpoint,
        accelerator: named.map(|name| shown(&name, NAME)),
        high_ram: matches!(&listed.machine_shape, Some(serde_json::Value::Number(n)) if n.as_i64() == Some(1))
            || matches!(&listed.machine_shape, Some(serde_json::Value::String(s)) if s.contains("HIGH")),
        access,
        path,
    })
}

/// Host and path of a runtime's address: `https`, a sound name, port 443, no user, no query.
fn place(url: &str) -> Option<(HostName, String)> {
    let rest = url.strip_prefix("https://")?;
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.strip_suffix(":443").unwrap_or(authority);
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '-' | '_' | '.' | '~');
    if !path.chars().all(plain) || path.len() > 512 || path.contains("..") {
        return None;
    }
    Some((host.parse().ok()?, path.trim_end_matches('/').to_owned()))
}

fn usage(used: Option<u64>, total: Option<u64>) -> Option<Usage> {
    let (used, total) = (used?, total?);
    (total > 0).then(|| Usage { used: used.min(total), total })
}

/// The unit is not documented: up to 1 it is read as a share, beyond that as a percentage.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value was clamped to 0..=100"
)]
fn percent(load: f64) -> Option<u8> {
    let percent = if load > 0.0 && load <= 1.0 { load * 100.0 } else { load };
    percent.is_finite().then(|| percent.clamp(0.0, 100.0).round() as u8)
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    assignments: Vec<ListedAssignment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedAssignment {
    endpoint: String,
    accelerator: Option<String>,
    machine_shape: Option<serde_json::Value>,
    runtime_proxy_info: ProxyInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProxyInfo {
    token: String,
    token_expires_in_seconds: i64,
    url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CcuInfo {
    current_balance: f64,
    #[serde(default)]
    consumption_rate_hourly: f64,
}

#[derive(Deserialize)]
struct Told {
    memory: Option<Memory>,
    #[serde(default)]
    gpus: Vec<ToldGpu>,
    #[serde(default)]
    disks: Vec<ToldDisk>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Memory {
    total_bytes: Option<u64>,
    free_bytes: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ToldGpu {
    #[serde(default)]
    name: String,
    memory_used_bytes: Option<u64>,
    memory_total_bytes: Option<u64>,
    gpu_utilization: Option<f64>,
}

#[derive(Deserialize)]
struct ToldDisk {
    filesystem: Option<Filesystem>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filesystem {
    label: Option<String>,
    total_bytes: Option<u64>,
    used_bytes: Option<u64>,
}

#[derive(Deserialize)]
struct Kernel {
    execution_state: Option<String>,
    last_activity: Option<String>,
}

#[cfg(test)]
mod tests;
