//! What the tray writes to its window, one JSON object a line.

use moorline_core::agent::snapshot::Snapshot;
use moorline_core::ssh_files::Alias;
use serde::{Deserialize, Serialize};

/// A line for the window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "say", content = "with", rename_all = "kebab-case")]
pub enum ToWindow {
    /// Everything that is shown, as of now.
    Snapshot(Snapshot),
    /// Come to the front with this view.
    Show(View),
}

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
    /// Whether the tray has ended, so that nothing here changes any more.
    pub tray_gone: bool,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;

    use ts_rs::{Config, TS as _};

    use super::*;

    /// After a change to a type: `MOORLINE_WRITE_BINDINGS=1 cargo test -p moorline-app bindings`.
    #[test]
    fn the_pages_types_are_the_bindings_of_ours() {
        let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ui/src/bindings");
        let fresh = tempfile::tempdir().unwrap();
        // Byte counts stay well below 2^53.
        Shows::export_all(&Config::new().with_out_dir(fresh.path()).with_large_int("number")).unwrap();
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

    #[test]
    fn what_the_tray_writes_is_what_the_window_reads() {
        let said = ToWindow::Show(View::Compare("trainer".parse().unwrap()));
        let line = serde_json::to_string(&said).unwrap();
        assert_eq!(line, r#"{"say":"show","with":{"view":"compare","name":"trainer"}}"#);
        assert_eq!(serde_json::from_str::<ToWindow>(&line).unwrap(), said);
    }
}
