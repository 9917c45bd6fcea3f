//! Lossless, byte-based editing of OpenSSH's client configuration and `known_hosts`.
//!
//! The crate changes what it was asked to change and keeps every other byte: comments, odd spacing, line ends,
//! encodings, a missing final newline, symlinks, modes and owners. What cannot be edited safely is refused with
//! one sentence that names the file, the line and the next step.
//!
//! - [`names`] and [`host_key`]: validator types, the only way to build an entry.
//! - [`config`]: one marked block of `Host` entries at the top of `~/.ssh/config` (pure, bytes in, bytes out).
//! - [`known_hosts`]: dropping, narrowing and adding entries, hashed ones too (pure, bytes in, bytes out).
//! - [`files`]: putting both on disk: locks, re-reads, backups, atomic replacement.
//!
//! It is synchronous and knows nothing of sessions, runtimes or Moorline's state.

pub mod config;
pub mod files;
pub mod host_key;
pub mod known_hosts;
pub mod names;
mod text;

pub use config::{HostEntry, IdentityFile, ProxyCommand};
pub use files::{FileChange, Refusal, Report, SshDir, SshFilesError, edit_file};
pub use host_key::{Fingerprint, HostKey, KeyAlgorithm};
pub use known_hosts::{KnownHostsEdit, KnownName, Place};
pub use names::{Alias, HostName, InvalidName, Port, UserName};
