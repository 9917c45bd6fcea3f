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
    /// What tells this machine from any other, whatever the address: the kernel's random boot id, and behind a `/`
    /// inodes and births of the home directory and its `.ssh`, since containers share a kernel and disks are emptied.
    pub machine: Option<String>,
    /// What Google tells of it, where it is one of the account's runtimes.
    pub colab: Option<Colab>,
}

/// What Google tells of a runtime and its account.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Colab {
    /// Its accelerator, such as `T4`; `None` on a plain machine.
    pub accelerator: Option<String>,
    /// Whether it has more memory than usual.
    pub high_ram: bool,
    /// The account's compute units.
    pub units: Option<Units>,
    /// For how many minutes its kernels had done nothing when this was read; `None` while one works, and where there
    /// is none.
    pub idle_minutes: Option<u32>,
}

/// The compute units of an account.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
pub struct Units {
    /// What is left.
    pub left: f64,
    /// What all runtimes together use up in an hour.
    pub per_hour: f64,
}

impl Units {
    /// For how many hours they last at this rate; `None` while nothing is used up.
    pub fn hours_left(self) -> Option<f64> {
        (self.per_hour > 0.0).then(|| self.left.max(0.0) / self.per_hour)
    }
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
