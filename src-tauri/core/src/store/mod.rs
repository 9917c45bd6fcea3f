//! What is on disk and in the keyring: our own files, their locks, and the programs that lie beside them.

pub mod colab_slot;
pub mod config_toml;
pub mod dirs;
pub(crate) mod file_lock;
pub mod hub_place;
pub mod installed_programs;
pub mod local_socket;
pub mod made_dirs;
pub mod pins_json;
pub mod read_file;
pub mod run_program;
pub mod session_keys;
pub mod state_lock;
pub mod told_json;
pub mod vault;
pub mod write_file;
