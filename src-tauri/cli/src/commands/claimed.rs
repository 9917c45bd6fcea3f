//! Names that a session does not take, because they are machines of the person's.

use anyhow::bail;
use moorline_core::repoint::name_taken::{Claim, claim};
use moorline_core::ssh::context::Tools;
use moorline_ssh_files::Alias;

/// Refuses a name for a new session that is another machine's already.
///
/// # Errors
/// It is; the sentence says where.
pub fn refuse(tools: &Tools, name: &Alias) -> anyhow::Result<()> {
    match claim(&tools.dirs.ssh, &tools.dirs.home, name) {
        Some(Claim::Entry { file, line } | Claim::Pattern { file, line }) => {
            bail!("{name} stands in your own {}, line {line}; choose another name", file.display())
        }
        Some(Claim::KnownHost) => bail!("your known_hosts has a key of {name} already; choose another name"),
        None => Ok(()),
    }
}
