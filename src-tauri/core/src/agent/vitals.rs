//! How a runtime is doing: what is asked of it over the watcher's connection every 30 s.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One reading. What the runtime does not tell is absent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Vitals {
    /// The accelerators, in the driver's order; empty on a CPU machine.
    pub gpus: Vec<Gpu>,
    /// Main memory.
    pub memory: Option<Usage>,
    /// The file system of `/content`, or of `/` where there is none.
    pub disk: Option<Usage>,
    /// When the machine booted.
    pub booted: Option<Timestamp>,
    /// The kernel's random boot id: another one is another boot, whatever the address.
    pub boot_id: Option<String>,
}

/// One accelerator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Gpu {
    /// Such as `Tesla T4`.
    pub name: String,
    /// Its memory.
    pub memory: Option<Usage>,
    /// Load in percent.
    pub load: Option<u8>,
}

/// A used amount of a whole, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Usage {
    /// In use.
    pub used: u64,
    /// In all.
    pub total: u64,
}
