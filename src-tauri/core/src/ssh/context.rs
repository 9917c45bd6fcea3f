//! What every use of the core needs at hand.

use std::path::PathBuf;
use std::sync::Arc;

use crate::net::google::{Credentials, GoogleError};
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

impl Tools {
    /// Reads the person's sign-ins with Google anew, each time it is called.
    pub fn sign_ins(
        self: &Arc<Self>,
    ) -> impl Fn() -> Result<Vec<Credentials>, GoogleError> + Send + Sync + use<> {
        let tools = Arc::clone(self);
        move || Credentials::all(&tools.dirs, &*tools.vault)
    }
}
