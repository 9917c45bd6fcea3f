//! Opening a session in the person's editor or terminal: finding programs, planning exactly what is started,
//! and starting it detached with a clean environment.
//!
//! Planning is pure: [`launch_plan`] turns an editor, an alias and a folder into an argument list or a link, which
//! `--dry-run` prints and [`start`] carries out. There is never a shell on this side, and nothing that a runtime
//! announced chooses a program or a scheme: only [`Editor`](moorline_model::editor::Editor),
//! [`Alias`](moorline_ssh_files::Alias) and [`RemotePath`](moorline_model::session::RemotePath) go in.

mod environment;
mod error;
mod jetbrains;
mod launch;
mod link;
mod plan;
mod platform;
mod programs;
mod search;
mod settings;
mod start;
mod taker;
mod terminal;
mod vscode;

pub use environment::clean_env;
pub use error::EditorError;
pub use launch::{Launch, LaunchOptions};
pub(crate) use link::encode_path;
pub use link::opener_argv;
pub use plan::launch_plan;
pub use platform::{PlatformError, forget_platform, note_platform};
pub use programs::{Os, SearchEnv, find_program};
pub use search::find;
#[cfg(test)]
#[cfg(unix)]
pub(crate) use search::tests::write_script;
pub use settings::{
    SettingsError, config_file_setting, platform_setting, settings_file, without_platform_setting,
};
pub use start::{Started, start};
