//! Moorline's core: sessions, links, trust, vault, editors and re-pointing. Knows no GUI.

mod atomic;
pub mod dirs;
pub mod doctor;
pub mod editors;
pub mod paste;
pub mod pins;
pub mod practice;
pub mod session;
pub mod sessions_file;
pub mod ssh;
pub mod state_lock;
pub mod trust;
pub mod vault;

pub use moorline_ssh_files as ssh_files;
