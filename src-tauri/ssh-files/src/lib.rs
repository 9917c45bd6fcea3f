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
//!
//! # Example
//! A machine got a new address and a new host key. Pin the key, strictly, and point the alias at it:
//!
//! ```
//! use moorline_ssh_files::{Alias, HostEntry, HostKey, KnownHostsEdit, KnownName, Place, SshDir, UserName};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let alias: Alias = "colab".parse()?;
//! let place = Place { host: "0.tcp.eu.ngrok.io".parse()?, port: "15873".parse()? };
//! let key: HostKey =
//!     "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMqXgRLKG73K+sIxs5oj3E2nhu/4FHxOcrmAd4Wv7ki7".parse()?;
//!
//! // What stood under these names goes, unless it is this very key.
//! let names = vec![KnownName::Alias(alias.clone()), KnownName::Place(place.clone())];
//! let edit = KnownHostsEdit {
//!     drop: names.clone(),
//!     drop_pairs: Vec::new(),
//!     pin_names: names,
//!     pin_keys: vec![key],
//! };
//! let entry = HostEntry {
//!     alias,
//!     host_name: place.host,
//!     port: Some(place.port),
//!     user: UserName::root(),
//!     identity_file: "~/.ssh/id_ed25519".parse()?,
//!     known_hosts_file: "~/.ssh/known_hosts".parse()?,
//!     proxy_command: None,
//! };
//!
//! let home = tempfile::tempdir()?; // a person's home
//! let ssh = SshDir::new(home.path().join(".ssh"), home.path().join(".local/state/backups"));
//! let report = ssh.write(&edit, std::slice::from_ref(&entry))?;
//! assert!(report.config.changed() && report.known_hosts.changed());
//! assert!(!ssh.write(&edit, &[entry])?.config.changed(), "a second run writes nothing");
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//! - **Foreign bytes stay.** Adding, updating and removing an entry restores the file byte for byte, and so does
//!   bringing back an entry that was commented out. A `known_hosts`
//!   line that names several hosts loses only the names that were asked for; lines with markers, wildcards or
//!   negation are never changed, and lines that OpenSSH itself cannot read do no harm.
//! - **Other hosts resolve as before.** The block is at the top and ends with `Host *`, so options that held for every
//!   host still do.
//! - **Nothing half-written.** At every moment a path names the whole old or the whole new content, through kills, full
//!   disks and power cuts. `known_hosts` is written before `config`; the next run finishes what was begun.
//! - **One writer at a time**, by a lock beside the file that dies with its holder. Programs that know no such lock lose
//!   nothing that they append, unless they keep the file open for longer than 200 ms before they do, or we are killed at
//!   that very moment (Linux; elsewhere a window of microseconds remains). A program that rewrites the whole file
//!   from what it read earlier, as `ssh-keygen -R` does, undoes edits made in between, ours too; with 800 of our edits
//!   against `ssh-keygen -R` in an endless loop, a fifth to a third had to be repeated.
//! - **Refusals come first.** Byte-order marks in `config`, UTF-16, NUL, CR-only line ends, unbalanced markers, read-only
//!   files, dangling links and other people's files are named with the next step before anything is written.

pub mod config;
pub mod files;
pub mod host_key;
pub mod known_hosts;
pub mod names;
mod text;

pub use config::{HostEntry, IdentityFile, LooseEntry, ProxyCommand};
pub use files::{FileChange, Refusal, Report, SshDir, SshFilesError, edit_file};
pub use host_key::{Fingerprint, HostKey, KeyAlgorithm};
pub use known_hosts::{KnownHostsEdit, KnownName, Place};
pub use names::{Alias, HostName, InvalidName, Port, UserName};
