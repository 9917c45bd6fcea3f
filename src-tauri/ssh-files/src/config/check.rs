//! Whether a config can be edited at all.

use super::block;
use super::entry::ConfigError;

/// Whether the file can be edited at all.
///
/// # Errors
/// Its block is cut off, or its text cannot be edited safely: see [`ConfigError`].
pub fn check(config: &[u8]) -> Result<(), ConfigError> {
    block::find(config).map(drop)
}
