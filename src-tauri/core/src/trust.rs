//! How a host key was learned, and what may be done with one that nobody vouched for.

use serde::{Deserialize, Serialize};

/// How a host key was learned, weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trust {
    /// A person said go without comparing.
    FirstUse,
    /// A person compared the fingerprints.
    Approved,
    /// The key or its fingerprint stood in the pasted text.
    Pasted,
    /// Fetched through a TLS provider that vouches for this runtime, or from a relay port that provably is the
    /// person's own.
    Channel,
    /// Named in an announcement under the session key.
    Announced,
    /// Derived from the session key.
    Derived,
}
