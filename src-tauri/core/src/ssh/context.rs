//! What every use of the core needs at hand.

use std::path::PathBuf;

use crate::ssh::SystemSsh;
use crate::store::dirs::Dirs;
use crate::store::vault::Vault;

/// The places, the vault and the person's ssh: made once by a program's `main`, lent to everything else.
pub struct Tools {
    /// Where Moorline's and ssh's files are.
    pub dirs: Dirs,
    /// The OS keyring.
    pub vault: Box<dyn Vault>,
    /// The person's own `ssh`.
    pub ssh: SystemSsh,
    /// A program that calls [`crate::ssh::askpass::answer`] when ssh starts it; `None` where there is none.
    pub askpass: Option<PathBuf>,
}
