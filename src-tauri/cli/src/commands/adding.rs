//! What `moorline add` and `moorline repair` go by, whatever they do.

use std::sync::Arc;

use moorline_core::ssh::context::Tools;

use crate::printer::Printer;
use crate::trust_args::TrustArgs;

/// What a command that makes or mends a session was given, and where it says things.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Adding<'a> {
    /// The places, vault and ssh.
    pub tools: &'a Arc<Tools>,
    /// Where to say things.
    pub printer: &'a Printer,
    /// `--yes`
    pub yes: bool,
    /// `--dry-run`
    pub dry_run: bool,
    /// Show what was written as unified diffs.
    pub diffs: bool,
    /// What vouches for a key.
    pub trust: &'a TrustArgs,
    /// Whether the person named the session.
    pub named: bool,
}
