//! The options with which a person vouches for a host key, of every command that pins one.

use clap::Args;
use moorline_ssh_files::Fingerprint;

/// What vouches for a host key.
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// Accept exactly this host key, as `ssh-keygen -lf` prints it on the runtime.
    #[arg(long, value_name = "SHA256:…")]
    pub fingerprint: Option<Fingerprint>,
    /// Accept whatever key answers now without comparing. Anyone between you and the runtime could be it.
    #[arg(long, conflicts_with = "fingerprint")]
    pub trust_first_use: bool,
}
