//! Randomness that need not be secret.

use russh::keys::key::safe_rng;
use russh::keys::ssh_key::rand_core::Rng;

/// Between 0 and 1, both included.
pub fn random() -> f64 {
    f64::from(safe_rng().next_u32()) / f64::from(u32::MAX)
}
