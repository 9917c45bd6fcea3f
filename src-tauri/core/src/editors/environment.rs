//! The environment of started programs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Variables by which an `AppImage`'s launcher points programs at the libraries and modules inside its own mount.
/// Another program that inherits them loads the wrong ones, or finds nothing once the mount is gone.
const BUNDLE_ONLY: [&str; 25] = [
    "APPDIR",
    "APPIMAGE",
    "APPIMAGE_UUID",
    "ARGV0",
    "OWD",
    "LD_LIBRARY_PATH",
    "LD_PRELOAD",
    "GDK_PIXBUF_MODULE_FILE",
    "GDK_PIXBUF_MODULEDIR",
    "GIO_EXTRA_MODULES",
    "GIO_MODULE_DIR",
    "GI_TYPELIB_PATH",
    "GSETTINGS_SCHEMA_DIR",
    "GST_PLUGIN_PATH",
    "GST_PLUGIN_SCANNER",
    "GST_PLUGIN_SYSTEM_PATH",
    "GST_PLUGIN_SYSTEM_PATH_1_0",
    "GTK_DATA_PREFIX",
    "GTK_EXE_PREFIX",
    "GTK_IM_MODULE_FILE",
    "GTK_PATH",
    "PERLLIB",
    "PYTHONHOME",
    "PYTHONPATH",
    "QT_PLUGIN_PATH",
];

/// Variables that a launcher only forces to what its own libraries can do.
const FORCED: [&str; 2] = ["GDK_BACKEND", "GTK_THEME"];

/// Search paths of which only the entries inside the mount go.
const SHARED_PATHS: [&str; 3] = ["PATH", "XDG_DATA_DIRS", "XDG_CONFIG_DIRS"];

const ORIGINAL: &str = "_ORIG";

/// The environment for a program that Moorline starts: the person's own, without `MOORLINE_*` and without what an
/// `AppImage`'s launcher put there. A `NAME_ORIG` beside a `NAME` of such a launcher is what the person had, and is
/// put back. Outside an `AppImage` nothing but `MOORLINE_*` is taken away: the person's `LD_LIBRARY_PATH` is theirs.
pub fn clean_env(vars: impl IntoIterator<Item = (OsString, OsString)>) -> Vec<(OsString, OsString)> {
    let vars: Vec<(OsString, OsString)> = vars.into_iter().collect();
    let value = |name: &str| vars.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str());
    let mount = value("APPDIR").map(PathBuf::from).filter(|mount| mount.is_absolute());
    let bundled = mount.is_some() || value("APPIMAGE").is_some();
    let ours = |key: &OsStr| key.to_string_lossy().to_ascii_uppercase().starts_with("MOORLINE_");
    let launched =
        |key: &str| BUNDLE_ONLY.contains(&key) || FORCED.contains(&key) || SHARED_PATHS.contains(&key);

    let mut kept = Vec::with_capacity(vars.len());
    for (key, held) in &vars {
        if ours(key) {
            continue;
        }
        let Some(name) = key.to_str().filter(|_| bundled) else {
            kept.push((key.clone(), held.clone()));
            continue;
        };
        if let Some(restored) = name.strip_suffix(ORIGINAL).filter(|restored| launched(restored)) {
            if !held.is_empty() {
                kept.push((restored.into(), held.clone()));
            }
        } else if launched(name) && value(&format!("{name}{ORIGINAL}")).is_some() {
            // Its original was or will be met under the other name.
        } else if BUNDLE_ONLY.contains(&name) || FORCED.contains(&name) {
            // Dropped.
        } else if SHARED_PATHS.contains(&name) {
            kept.extend(outside(held, mount.as_deref()).map(|left| (key.clone(), left)));
        } else {
            kept.push((key.clone(), held.clone()));
        }
    }
    kept
}

/// A search path without the entries inside `mount`; `None` when nothing is left.
fn outside(held: &OsStr, mount: Option<&Path>) -> Option<OsString> {
    let Some(mount) = mount else { return Some(held.to_owned()) };
    let left: Vec<PathBuf> = std::env::split_paths(held).filter(|entry| !entry.starts_with(mount)).collect();
    if left.is_empty() { None } else { std::env::join_paths(left).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cleaned(vars: &[(&str, &str)]) -> Vec<(String, String)> {
        let text = |value: OsString| value.into_string().unwrap();
        clean_env(vars.iter().map(|(key, value)| (key.into(), value.into())))
            .into_iter()
            .map(|(key, value)| (text(key), text(value)))
            .collect()
    }

    fn pair(key: &str, value: &str) -> (String, String) {
        (key.to_owned(), value.to_owned())
    }

    #[cfg(unix)]
    #[test]
    fn what_an_appimage_left_behind_is_gone_and_originals_are_back() {
        let given = [
            ("HOME", "/home/ada"),
            ("APPDIR", "/tmp/.mount_moorXYZ"),
            ("APPIMAGE", "/home/ada/Moorline.AppImage"),
            ("LD_LIBRARY_PATH", "/tmp/.mount_moorXYZ/usr/lib"),
            ("LD_LIBRARY_PATH_ORIG", "/opt/cuda/lib"),
            ("LD_PRELOAD", "/tmp/.mount_moorXYZ/x.so"),
            ("GTK_PATH", "/tmp/.mount_moorXYZ/usr/lib/gtk-3.0"),
            ("GDK_BACKEND", "x11"),
            ("GTK_IM_MODULE", "ibus"),
            ("PYTHONHOME", "/tmp/.mount_moorXYZ/usr"),
            ("PYTHONHOME_ORIG", ""),
            ("PATH", "/tmp/.mount_moorXYZ/usr/bin:/usr/bin:/bin"),
            ("XDG_DATA_DIRS", "/tmp/.mount_moorXYZ/usr/share"),
            ("MY_ORIG", "kept"),
        ];
        assert_eq!(
            cleaned(&given),
            [
                pair("HOME", "/home/ada"),
                pair("LD_LIBRARY_PATH", "/opt/cuda/lib"),
                pair("GTK_IM_MODULE", "ibus"),
                pair("PATH", "/usr/bin:/bin"),
                pair("MY_ORIG", "kept"),
            ]
        );
    }

    #[test]
    fn elsewhere_only_our_own_variables_go() {
        let given = [
            ("LD_LIBRARY_PATH", "/opt/x"),
            ("MOORLINE_LOG", "debug"),
            ("Moorline_x", "1"),
            ("PATH", "/usr/bin"),
        ];
        assert_eq!(cleaned(&given), [pair("LD_LIBRARY_PATH", "/opt/x"), pair("PATH", "/usr/bin")]);
    }
}
