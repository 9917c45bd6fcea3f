//! What a person knows because of an agent that has ended: kept over a restart of the app, so that a drop that was
//! told is told to be over, and a machine that was replaced meanwhile is told of.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use moorline_model::cause::Cause;
use moorline_ssh_files::Alias;
use serde::{Deserialize, Serialize};

use crate::store::{read_file, write_file};

/// What is kept of one session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recalled {
    /// The machine that the person knows of: see [`Vitals::machine`](moorline_model::vitals::Vitals::machine).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine: Option<String>,
    /// A drop that was told and is not over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropped: Option<Cause>,
}

/// All that is kept, by session. A comfort: what cannot be read is as good as none.
pub(crate) fn load(path: &Path) -> BTreeMap<Alias, Recalled> {
    let text = read_file::read_text(path).ok().flatten().unwrap_or_default();
    let all: BTreeMap<String, Recalled> = serde_json::from_str(&text).unwrap_or_default();
    all.into_iter().filter_map(|(name, kept)| Some((name.parse().ok()?, kept))).collect()
}

/// Keeps this of a session from now on; nothing at all takes it out of the file.
///
/// # Errors
/// The file cannot be written.
pub(crate) fn keep(path: &Path, name: &Alias, recalled: Recalled) -> io::Result<()> {
    let mut all = load(path);
    if recalled == Recalled::default() {
        all.remove(name);
    } else {
        all.insert(name.clone(), recalled);
    }
    let all: BTreeMap<&str, &Recalled> = all.iter().map(|(name, kept)| (name.as_str(), kept)).collect();
    write_file::replace(path, &serde_json::to_vec_pretty(&all)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_read_again_and_taken_out_again() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told.json");
        let (colab, trainer): (Alias, Alias) = ("colab".parse().unwrap(), "trainer".parse().unwrap());
        let kept = Recalled { machine: Some("m".to_owned()), dropped: Some(Cause::TunnelDown) };
        keep(&path, &colab, kept.clone()).unwrap();
        keep(&path, &trainer, Recalled { dropped: None, ..kept.clone() }).unwrap();
        assert_eq!(load(&path)[&colab], kept);
        keep(&path, &colab, Recalled::default()).unwrap();
        assert_eq!(load(&path).into_keys().collect::<Vec<_>>(), [trainer]);
    }

    #[test]
    fn a_file_that_makes_no_sense_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("told.json");
        for text in ["", "[]", "{\"a b\": {}}", "{\"colab\": 3}", "{\"colab\": {\"dropped\": \"?\"}}"] {
            std::fs::write(&path, text).unwrap();
            assert!(load(&path).is_empty(), "{text}");
        }
    }
}
