//! Moorline's core, in rooms. Each room uses only those above it in this list; no room knows a face.
//!
//! - [`store`]: our files and the keyring.
//! - [`net`]: bytes to a host; Google's and ngrok's APIs.
//! - [`editors`]: the programs in which a session is opened.
//! - [`ssh`]: clients, login, the way to a runtime, the hub and the proxy.
//! - [`repoint`]: adding a session, and writing where it leads.
//! - [`announce`]: how a runtime tells of itself.
//! - [`watch`]: one watcher per session.
//! - [`doctor`]: what could be in the way.
//! - [`agent`]: the one owner of all state.

pub mod agent;
pub mod announce;
pub mod doctor;
pub mod editors;
pub mod net;
pub mod repoint;
pub mod ssh;
pub mod store;
pub mod watch;
