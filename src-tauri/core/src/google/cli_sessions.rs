//! The sessions of google-colab-cli: what it calls the runtimes that it made.

use std::collections::BTreeMap;

use moorline_ssh_files::Alias;
use serde::Deserialize;

use super::{EndpointId, GoogleError, whole};
use crate::dirs::Dirs;

/// No list is longer.
const MOST: usize = 256;

/// One of its sessions. Its proxy token stays in the file: Moorline asks Google for one of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliSession {
    /// Its name there, where it can be an alias here.
    pub name: Alias,
    /// The runtime.
    pub runtime: EndpointId,
}

/// The sessions in `~/.config/colab-cli/sessions.json` (google-colab-cli 0.7.5), by name; none where there is no file.
/// Entries that cannot be used here are left out.
///
/// # Errors
/// The file cannot be read, or is not JSON and stays so.
pub fn cli_sessions(dirs: &Dirs) -> Result<Vec<CliSession>, GoogleError> {
    let path = dirs.home.join(".config/colab-cli/sessions.json");
    Ok(whole::read(&path, parse)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct Entry {
    endpoint: String,
}

fn parse(text: &str) -> Result<Vec<CliSession>, &'static str> {
    // An empty file is being rewritten; one that stays empty has no sessions, which its owner sees alike.
    let entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| "it is not JSON, or cut off")?;
    let sessions = entries.into_iter().take(MOST).filter_map(|(name, entry)| {
        let entry: Entry = serde_json::from_value(entry).ok()?;
        Some(CliSession { name: name.parse().ok()?, runtime: entry.endpoint.parse().ok()? })
    });
    Ok(sessions.collect())
}
