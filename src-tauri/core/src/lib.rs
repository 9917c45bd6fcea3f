//! Moorline's core: sessions, links, trust, vault, editors and re-pointing. Knows no GUI.

pub mod add;
pub mod agent;
pub mod announcement;
pub mod askpass;
mod atomic;
pub mod cell;
pub mod channel;
pub mod claims;
pub mod clock;
pub mod dirs;
pub mod doctor;
pub mod editors;
pub mod login;
pub mod made;
pub mod ngrok;
pub mod paste;
pub mod pins;
pub mod practice;
pub mod proxy_program;
pub mod reach;
pub mod regular;
pub mod relay;
pub mod repoint;
pub mod session;
pub mod session_key;
pub mod sessions_file;
pub mod settle;
pub mod ssh;
pub mod state_lock;
pub mod tools;
pub mod trust;
pub mod vault;
pub mod watch;
mod web;

pub use moorline_ssh_files as ssh_files;
