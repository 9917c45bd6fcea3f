//! The channels over which announcements come.

use moorline_model::next_step::NextStep;
use moorline_ssh_files::Alias;

use super::check::{Check, Next};
use super::surroundings::Surroundings;

/// Nothing when each folder channel has its folder.
pub(super) fn folders(found: &Surroundings) -> Option<Check> {
    let first = found.folderless.first()?;
    let names: Vec<&str> = found.folderless.iter().map(Alias::as_str).collect();
    let detail = format!(
        "The folder channel of {} is not there, since nobody said which folder.",
        names.join(" and that of ")
    );
    let next = Next::Step(NextStep::NameFolders { session: first.clone() });
    Some(Check::problem("folder-channel", "Folder channel", detail, next))
}
