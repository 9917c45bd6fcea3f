//! The order in which crates and rooms stand.

use std::collections::{BTreeMap, BTreeSet};

/// A crate of the workspace: its name in `use` lines, its source folder, and the files that are roots of their own.
pub struct Crate {
    /// As `use` lines spell it.
    pub name: &'static str,
    /// Below the workspace.
    pub folder: &'static str,
    /// The library, or the programs.
    pub roots: &'static [&'static str],
}

/// The crates, each of which uses only those above it.
pub const CRATES: [Crate; 10] = [
    Crate { name: "moorline_ssh_files", folder: "src-tauri/ssh-files/src", roots: &["lib.rs"] },
    Crate { name: "moorline_model", folder: "src-tauri/model/src", roots: &["lib.rs"] },
    Crate { name: "moorline_paste", folder: "src-tauri/paste/src", roots: &["lib.rs"] },
    Crate { name: "moorline_core", folder: "src-tauri/core/src", roots: &["lib.rs"] },
    Crate { name: "moorline", folder: "src-tauri/cli/src", roots: &["main.rs"] },
    Crate { name: "moorline_proxy", folder: "src-tauri/cli/src", roots: &["proxy.rs"] },
    Crate { name: "moorline_app", folder: "src-tauri/src", roots: &["lib.rs"] },
    Crate { name: "moorline_tray", folder: "src-tauri/src", roots: &["main.rs"] },
    Crate { name: "moorline_window", folder: "src-tauri/src/window", roots: &["main.rs"] },
    Crate { name: "moorline_tests", folder: "tests/src", roots: &["lib.rs"] },
];

/// Core's rooms, each of which uses only those above it.
pub const ROOMS: [&str; 9] =
    ["store", "net", "editors", "ssh", "repoint", "announce", "watch", "doctor", "agent"];

/// Who uses whom, by file below the workspace, with the names that are used.
pub type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;
