//! Whether a config can be edited at all.

use super::block;
use super::entry::ConfigError;

/// Whether the file can be edited at all.
///
/// # Errors
/// As [`apply`].
pub fn check(config: &[u8]) -> Result<(), ConfigError> {
    block::find(config).map(drop)
}
