//! Moorline's core, in rooms. Each room uses only those above it in this list. No room knows a face.

pub mod store;

pub mod net;

pub mod editors;

pub mod ssh;

pub mod repoint;

pub mod announce;

pub mod watch;

pub mod doctor;

pub mod agent;
