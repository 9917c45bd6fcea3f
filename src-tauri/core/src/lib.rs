//! Moorline's core: sessions, links, trust, vault, editors and re-pointing. Knows no GUI.

pub mod doctor;
pub mod editors;
pub mod session;
pub mod trust;

pub use moorline_ssh_files as ssh_files;
