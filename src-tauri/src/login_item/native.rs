//! The login item of macOS (a LaunchAgent) and Windows (a value of the person's Run key).

use std::io;
use std::path::PathBuf;

use auto_launch::{AutoLaunch, AutoLaunchBuilder, MacOSLaunchMode, WindowsEnableMode};
use moorline_core::store::dirs::Dirs;

/// The login item of this person.
#[derive(Debug, Clone)]
pub struct LoginItem {
    program: PathBuf,
}

impl LoginItem {
    /// The item that starts `program`.
    pub fn new(_dirs: &Dirs, program: PathBuf) -> Self {
        Self { program }
    }

    /// Whether it is there.
    pub fn is_on(&self) -> bool {
        self.item().and_then(|item| item.is_enabled().map_err(io::Error::other)).unwrap_or(false)
    }

    /// Makes it, or takes it away.
    ///
    /// # Errors
    /// The system refuses.
    pub fn set(&self, on: bool) -> io::Result<()> {
        let item = self.item()?;
        if on { item.enable() } else { item.disable() }.map_err(io::Error::other)
    }

    fn item(&self) -> io::Result<AutoLaunch> {
        let program = self.program.to_str();
        let program = program
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the program's path is not text"))?;
        // The Run key's value is a command line: a path with spaces is quoted there.
        let program = if cfg!(windows) { format!("\"{program}\"") } else { program.to_owned() };
        let mut item = AutoLaunchBuilder::new();
        item.set_app_name("Moorline").set_app_path(&program);
        item.set_macos_launch_mode(MacOSLaunchMode::LaunchAgent);
        item.set_windows_enable_mode(WindowsEnableMode::CurrentUser);
        item.build().map_err(io::Error::other)
    }
}
