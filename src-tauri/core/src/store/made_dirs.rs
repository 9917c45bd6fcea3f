//! Which directories were made, so that an uninstall leaves a home as it was: an empty `~/.ssh` of the person's own
//! stays, and one that was made here goes.

use std::path::{Path, PathBuf};

use crate::store::dirs::Dirs;
use crate::store::{read_file, write_file};

/// The directories that are noted as made in this home, the deepest first.
pub fn made(dirs: &Dirs) -> Vec<PathBuf> {
    let mut noted = noted(dirs);
    noted.sort_by_key(|dir| std::cmp::Reverse(dir.components().count()));
    noted
}

/// Those of this home's directories, and of what lies between them and the home, that are not there.
pub(crate) fn missing(dirs: &Dirs) -> Vec<PathBuf> {
    let places = [&dirs.ssh, &dirs.config, &dirs.state, &dirs.data];
    let absent = |dir: &&Path| *dir != dirs.home && dir.symlink_metadata().is_err();
    let mut missing: Vec<PathBuf> =
        places.iter().flat_map(|place| place.ancestors().take_while(absent)).map(Path::to_owned).collect();
    missing.sort();
    missing.dedup();
    missing
}

/// Notes that these directories are about to be made. The state directory must exist.
pub(crate) fn note(dirs: &Dirs, about_to: &[PathBuf]) {
    let mut all = noted(dirs);
    let before = all.len();
    all.extend(about_to.iter().filter(|dir| !all.contains(dir)).cloned().collect::<Vec<_>>());
    if all.len() == before {
        return;
    }
    // Without the note an uninstall leaves an empty directory, which is no reason to stop.
    let written = serde_json::to_vec(&all).map_err(std::io::Error::other);
    if let Err(error) = written.and_then(|bytes| write_file::replace(&file(dirs), &bytes)) {
        tracing::warn!(%error, "cannot note which directories are made");
    }
}

fn noted(dirs: &Dirs) -> Vec<PathBuf> {
    let bytes = read_file::read(&file(dirs)).ok().flatten().unwrap_or_default();
    serde_json::from_slice(&bytes).unwrap_or_default()
}

fn file(dirs: &Dirs) -> PathBuf {
    dirs.state.join("made.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_is_not_noted() {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        let at = |name: &str| home.path().join(name);
        std::fs::create_dir(&dirs.ssh).unwrap();
        let found = missing(&dirs);
        assert!(!found.contains(&dirs.ssh) && !found.contains(&dirs.home), "{found:?}");
        assert!(found.contains(&at(".config")) && found.contains(&dirs.config), "{found:?}");

        Dirs::create_private(&dirs.state).unwrap();
        note(&dirs, &found);
        std::fs::create_dir_all(&dirs.config).unwrap();
        note(&dirs, &missing(&dirs));
        let made = made(&dirs);
        let place = |dir: &Path| made.iter().position(|one| one == dir).unwrap();
        assert!(place(&dirs.config) < place(&at(".config")), "the deepest first: {made:?}");
        assert_eq!(made.len(), found.len(), "each of them once");
    }
}
