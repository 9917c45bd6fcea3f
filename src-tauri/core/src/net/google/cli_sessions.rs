//! The sessions of google-colab-cli: what it calls the runtimes that it made.

use std::collections::BTreeMap;

use moorline_model::colab_runtime::EndpointId;
use moorline_ssh_files::Alias;
use serde::Deserialize;

use super::GoogleError;
use crate::store::dirs::Dirs;
use crate::store::read_file::{self, NotRead};

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

/// The sessions in `~/.config/colab-cli/sessions.json` (google-colab-cli 0.7.5), by name; none where the file
/// is missing or empty. Entries that cannot be used here are left out.
///
/// # Errors
/// The file cannot be read, or is not JSON and stays so.
pub fn cli_sessions(dirs: &Dirs) -> Result<Vec<CliSession>, GoogleError> {
    let path = dirs.home.join(".config/colab-cli/sessions.json");
    match read_file::read_settled(&path, parse) {
        Ok(sessions) => Ok(sessions.unwrap_or_default()),
        // It is being rewritten for a moment; where it stays so, its owner sees no sessions in it, either.
        Err(NotRead::Empty) => Ok(Vec::new()),
        Err(NotRead::System(why)) => Err(GoogleError::Unreadable { path, why }),
        Err(NotRead::Odd(why)) => Err(GoogleError::NoList { path, why }),
    }
}

#[derive(Deserialize)]
struct Entry {
    endpoint: String,
}

fn parse(text: &str) -> Result<Vec<CliSession>, &'static str> {
    let entries: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| "it is not JSON, or cut off")?;
    let sessions = entries.into_iter().take(MOST).filter_map(|(name, entry)| {
        let entry: Entry = serde_json::from_value(entry).ok()?;
        Some(CliSession { name: name.parse().ok()?, runtime: entry.endpoint.parse().ok()? })
    });
    Ok(sessions.collect())
}
