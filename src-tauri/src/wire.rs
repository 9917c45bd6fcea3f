//! What the window shows. The tray writes it a [`View`] a line; everything else comes from the agent.

use moorline_core::agent::snapshot::Snapshot;
use moorline_core::repoint::adding::view::ConversationId;
use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};

/// What the window shows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "view", content = "name", rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum View {
    /// All sessions.
    #[default]
    Sessions,
    /// Both keys of a session, side by side.
    Compare(#[cfg_attr(test, ts(type = "string"))] Alias),
    /// Adding a runtime, in a conversation that was begun already if one is named.
    Add(Option<ConversationId>),
    /// What forgetting a session would undo.
    Forget(#[cfg_attr(test, ts(type = "string"))] Alias),
}

impl View {
    /// The compare view of a session if one is named, else the sessions.
    pub fn compare(name: Option<Alias>) -> Self {
        name.map_or(Self::Sessions, Self::Compare)
    }
}

/// Everything the window's page shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Shows {
    /// What the agent said last; nothing yet at the start.
    pub snapshot: Option<Snapshot>,
    /// The view.
    pub view: View,
    /// Whether no agent answers, so that nothing here is up to date.
    pub agent_gone: bool,
}

/// The keys of a session, to be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Keys {
    /// The fingerprint of the key that answers now and waits for an approval.
    pub seen: Option<String>,
    /// What is pinned.
    pub pinned: Vec<PinnedKey>,
    /// What to run in the notebook.
    pub line: String,
}

/// A pinned key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PinnedKey {
    /// Its fingerprint.
    pub fingerprint: String,
    /// How it was learned, as the end of a sentence.
    pub learned: String,
}

/// What a text from the notebook says of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Checked {
    /// The notebook shows this key.
    Same,
    /// It shows others.
    Other,
    /// There is no fingerprint in the text, or none that proves anything.
    Nothing,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use moorline_core::announce::cell::{CellCopy, CellMade, CellWish};
    use moorline_core::repoint::adding::view::{AddingView, Say};
    use moorline_core::repoint::first_look::FirstLook;
    use ts_rs::{Config, TS as _};

    use super::*;

    /// After a change to a type: `MOORLINE_WRITE_BINDINGS=1 cargo test -p moorline-app bindings`.
    #[test]
    fn the_pages_types_are_the_bindings_of_ours() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/src/bindings");
        let fresh = tempfile::tempdir().unwrap();
        // Byte counts stay well below 2^53.
        let config = Config::new().with_out_dir(fresh.path()).with_large_int("number");
        Shows::export_all(&config).unwrap();
        Keys::export_all(&config).unwrap();
        Checked::export_all(&config).unwrap();
        AddingView::export_all(&config).unwrap();
        Say::export_all(&config).unwrap();
        FirstLook::export_all(&config).unwrap();
        CellWish::export_all(&config).unwrap();
        CellMade::export_all(&config).unwrap();
        CellCopy::export_all(&config).unwrap();
        if std::env::var_os("MOORLINE_WRITE_BINDINGS").is_some() {
            let _ = fs::remove_dir_all(&committed);
            fs::create_dir_all(&committed).unwrap();
            for (name, text) in files(fresh.path()) {
                fs::write(committed.join(name), text).unwrap();
            }
        }
        assert_eq!(
            files(&committed),
            files(fresh.path()),
            "ui/src/bindings is out of date: see above this test"
        );
    }

    fn files(folder: &Path) -> BTreeMap<String, String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let read = |entry: fs::DirEntry| {
            (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap())
        };
        entries.map(read).collect()
    }
}
