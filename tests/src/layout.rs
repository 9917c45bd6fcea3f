//! The house as it stands: which file uses which, read from the `use` lines and the paths in the code.
//!
//! A name that a module only hands on counts for the file that defines it, when that can be told. Test modules are left
//! out: they may look wherever they like.

mod order;
mod read;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Result;

pub use order::{Arrows, CRATES, Crate, ROOMS};

/// Reads the whole workspace.
///
/// # Errors
/// A file cannot be read, or is no Rust.
pub fn arrows(workspace: &Path) -> Result<Arrows> {
    resolve::arrows(&read::modules(workspace)?)
}

/// The circles: each a set of files that reach one another.
pub fn circles(arrows: &Arrows) -> Vec<Vec<String>> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        arrows.keys().map(|file| (file, all_below(arrows, file))).collect();
    let mut circles = BTreeSet::new();
    for (file, below) in &reached {
        if below.contains(file) {
            let back = |other: &&&String| reached.get(**other).is_some_and(|of| of.contains(file));
            circles.insert(below.iter().filter(back).map(|other| (*other).clone()).collect::<Vec<_>>());
        }
    }
    circles.into_iter().collect()
}

fn all_below<'a>(arrows: &'a Arrows, file: &String) -> BTreeSet<&'a String> {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&String> = arrows.get(file).into_iter().flat_map(BTreeMap::keys).collect();
    while let Some(file) = next.pop() {
        if seen.insert(file) {
            next.extend(arrows.get(file).into_iter().flat_map(BTreeMap::keys));
        }
    }
    seen
}

/// Where a file stands in the order: its crate's place, and its room's within core. `None` for what has no place.
pub fn place(file: &str) -> Option<(usize, usize)> {
    let at = CRATES.iter().position(|one| file.starts_with(&format!("{}/", one.folder)))?;
    let one = &CRATES[at];
    if one.name != "moorline_core" {
        return Some((at, 0));
    }
    let rest = file.strip_prefix(one.folder)?.trim_start_matches('/');
    let room = rest.split('/').next()?;
    ROOMS.iter().position(|known| *known == room).map(|room| (at, room))
}
