//! What a recogniser says of a value that a validator refuses.

use moorline_ssh_files::InvalidName;

use crate::{Confidence, Doubt, Finding, What};

pub(super) fn refused(recogniser: &'static str, line: usize, reason: &InvalidName) -> Finding {
    Finding::new(recogniser, line, Confidence::Likely, What::Doubt(Doubt::refused(line, reason)))
}
