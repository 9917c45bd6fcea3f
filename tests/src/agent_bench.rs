//! Times how soon the agent sees, says and mends, and weighs it while it idles, next to the limits it is held to.
//!
//! Everything is real: `moorline watch` or the tray, OpenSSH's server, and a network on which packets are late, get
//! lost or vanish ([`crate::weather`]). Times are seen from outside, through the lines that the agent prints, so they
//! hold a few milliseconds of looking.

mod announced;
mod drops;
mod idle;
mod known;
mod silence;
mod table;

use std::fmt::Write as _;

use anyhow::{Context as _, Result};

use table::Table;

/// Measures one part.
type Measure = fn(&mut Table) -> Result<()>;

/// What is measured, by the name under which it can be asked for alone.
const PARTS: [(&str, Measure); 5] = [
    ("drops", drops::measure),
    ("announced", announced::measure),
    ("known", known::measure),
    ("silence", silence::measure),
    ("idle", idle::measure),
];

/// The table of figures: of all parts, or of the one that is named.
///
/// # Errors
/// Something else happens than what is to be measured, or there is no such part.
pub fn table(only: Option<&str>) -> Result<String> {
    let mut table = Table(String::new());
    writeln!(table.0, "{:<58} {:>12} {:>12}", "agent", "measured", "limit")?;
    let parts: Vec<_> = PARTS.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)).collect();
    parts.first().context("usage: bench_agent [drops|announced|known|silence|idle]")?;
    for (_, measure) in parts {
        measure(&mut table)?;
    }
    Ok(table.0)
}
