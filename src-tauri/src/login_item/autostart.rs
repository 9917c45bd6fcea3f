//! The file that the Desktop Application Autostart Specification asks for.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::{env, fs};

use moorline_core::store::dirs::Dirs;

/// The login item of this person.
#[derive(Debug, Clone)]
pub struct LoginItem {
    file: PathBuf,
    program: PathBuf,
}

impl LoginItem {
    /// The item that starts `program`.
    pub fn new(dirs: &Dirs, program: PathBuf) -> Self {
        // Beside our own folder lies everybody's.
        let config = dirs.config.parent().unwrap_or(&dirs.config);
        // What an AppImage mounts is gone at the next login; the image itself is not.
        let program = env::var_os("APPIMAGE").map_or(program, PathBuf::from);
        Self { file: config.join("autostart/moorline.desktop"), program }
    }

    /// Whether it is there, and not switched off by a desktop's own settings.
    pub fn is_on(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|text| {
            let off = |line: &str| matches!(line.trim(), "Hidden=true" | "X-GNOME-Autostart-enabled=false");
            !text.lines().any(off)
        })
    }

    /// Makes it, or takes it away.
    ///
    /// # Errors
    /// The file cannot be written or removed, or the program's path cannot stand in it.
    pub fn set(&self, on: bool) -> io::Result<()> {
        if !on {
            return match fs::remove_file(&self.file) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
                done => done,
            };
        }
        let exec = quoted(&self.program)?;
        let folder = self.file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(
            format!(
                "[Desktop Entry]\nType=Application\nName=Moorline\nComment=Keeps ssh moored to a runtime that drifts\n\
                 Exec={exec}\nIcon=moorline-tray\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
            )
            .as_bytes(),
        )?;
        file.persist(&self.file).map(drop).map_err(|error| error.error)
    }
}

/// The program as the only word of an `Exec` key: quoted for the shell-like rules of the Desktop Entry
/// Specification, then escaped once more as a value of its file format; a percent sign is doubled.
fn quoted(program: &Path) -> io::Result<String> {
    let text = program.to_str().filter(|text| !text.chars().any(char::is_control));
    let text = text
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the program's path is not plain text"))?;
    let mut word = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '`' | '$' => {
                word.push_str("\\\\");
                word.push(character);
            }
            '\\' => word.push_str("\\\\\\\\"),
            '%' => word.push_str("%%"),
            other => word.push(other),
        }
    }
    word.push('"');
    Ok(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_item_comes_and_goes() {
        let home = tempfile::tempdir().unwrap();
        let item = LoginItem::new(&Dirs::under(home.path()), PathBuf::from("/opt/moor line/moorline-tray"));
        assert!(!item.is_on(), "nothing was asked for yet");
        item.set(true).unwrap();
        assert!(item.is_on());
        let text = fs::read_to_string(home.path().join(".config/autostart/moorline.desktop")).unwrap();
        assert!(text.contains("\nExec=\"/opt/moor line/moorline-tray\"\n"), "{text}");
        fs::write(&item.file, text.replace("enabled=true", "enabled=false")).unwrap();
        assert!(!item.is_on(), "GNOME's own switch counts");
        item.set(false).unwrap();
        item.set(false).unwrap();
        assert!(!item.file.exists(), "twice is as good as once");
    }

    #[test]
    fn hostile_paths_stay_one_word() {
        let word = |path: &str| quoted(Path::new(path)).unwrap();
        assert_eq!(word("/a b/$x`%f"), r#""/a b/\\$x\\`%%f""#);
        assert_eq!(word(r#"/a"\b"#), r#""/a\\"\\\\b""#);
        assert!(quoted(Path::new("/a\nExec=evil")).is_err());
    }
}
