//! The key of a Colab runtime's SSH server, learned through the TLS channel that Google vouches for.

use moorline_ssh_files::HostKey;

use crate::agent::cause::Obstacle;
use crate::agent::effect::WatchOrder;
use crate::tools::Tools;

/// Why no key was seen.
pub enum Unseen {
    /// Somebody holds the runtime's one SSH slot; one sentence.
    SlotTaken(String),
    /// Anything else.
    Other(Obstacle),
}

/// Runs a key exchange with the session's runtime, which holds its SSH slot for a moment. Nobody logs in.
pub async fn seen(_tools: &Tools, _order: &WatchOrder) -> Result<HostKey, Unseen> {
    Err(Unseen::Other(Obstacle::Other("not yet".to_owned())))
}
