//! What all measurements of carrying share.

use std::process::Child;

use crate::processes::until;

/// Rounds of a transfer.
pub(super) const TRANSFERS: usize = 5;
/// What goes one way where processor time is counted: so much that starting and ending is nothing beside it.
pub(super) const COUNTED: u64 = 1_000_000_000;

pub(super) fn finish(mut child: Child) {
    until("the proxy to end", || child.try_wait().expect("a child can be asked").is_some());
}

pub(super) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

/// In MB/s.
pub(super) fn rate(bytes: u64, seconds: f64) -> f64 {
    as_float(bytes) / 1e6 / seconds
}

pub(super) fn as_float(bytes: u64) -> f64 {
    f64::from(u32::try_from(bytes).expect("fits"))
}
