//! The settings file of the VS Code family: JSON with comments, edited so that every other byte stays.

mod cut;
mod format;

use std::path::PathBuf;

use jsonc_parser::cst::{CstInputValue, CstObject, CstObjectProp, CstRootNode};
use moorline_model::editor::Editor;
use moorline_ssh_files::Alias;

pub use format::SettingsError;

use super::programs::{Os, SearchEnv, below};
use super::vscode::member;
use format::{NO_LIST, PLATFORM, WHAT_VS_CODE_TAKES, unreadable};

const CONFIG_FILE: &str = "remote.SSH.configFile";
const LINUX: &str = "linux";
const BOM: char = '\u{feff}';

/// The person's settings file of `editor`, whether it exists or not; `None` for what is not of the VS Code family.
pub fn settings_file(editor: Editor, search: &SearchEnv) -> Option<PathBuf> {
    let folder = member(editor)?.settings;
    let base = match search.os {
        Os::Linux => search.config_home.clone().unwrap_or_else(|| search.home.join(".config")),
        Os::MacOs => below(&search.home, "Library/Application Support"),
        Os::Windows => search.app_data.clone().unwrap_or_else(|| below(&search.home, "AppData/Roaming")),
    };
    Some(below(&base.join(folder), "User/settings.json"))
}

/// The settings with `alias` marked as a Linux machine, which spares the person the editor's question; `None` if that
/// already stands there.
pub fn platform_setting(settings: &str, alias: &Alias) -> Result<Option<String>, SettingsError> {
    let (bom, root) = parse(settings)?;
    let object = match root.value() {
        None => root.object_value_or_set(),
        Some(_) => top(&root)?,
    };
    match last_of(&object, PLATFORM) {
        None => {
            let entry = (alias.to_string(), CstInputValue::String(LINUX.to_owned()));
            object.append(PLATFORM, CstInputValue::Object(vec![entry]));
        }
        Some(property) => {
            let platforms = platforms_of(&property)?;
            match last_of(&platforms, alias.as_str()) {
                Some(entry) if text_of(&entry).as_deref() == Some(LINUX) => return Ok(None),
                Some(entry) => entry.set_value(CstInputValue::String(LINUX.to_owned())),
                None => {
                    platforms.append(alias.as_str(), CstInputValue::String(LINUX.to_owned()));
                }
            }
        }
    }
    Ok(Some(format!("{bom}{root}")))
}

/// The settings without `alias` among the marked machines; `None` if it is not there. The whole setting goes with its
/// last entry.
pub fn without_platform_setting(settings: &str, alias: &Alias) -> Result<Option<String>, SettingsError> {
    let body = settings.trim_start_matches(BOM);
    let bom = settings.strip_suffix(body).unwrap_or_default();
    let Some(left) = cut::without_entry(body, PLATFORM, alias.as_str())? else { return Ok(None) };
    Ok(Some(format!("{bom}{left}")))
}

/// The ssh config that the editor was told to read instead of `~/.ssh/config`, as it stands there.
pub fn config_file_setting(settings: &str) -> Result<Option<String>, SettingsError> {
    let (_, root) = parse(settings)?;
    if root.value().is_none() {
        return Ok(None);
    }
    let Some(property) = last_of(&top(&root)?, CONFIG_FILE) else { return Ok(None) };
    let text = text_of(&property)
        .ok_or(SettingsError::Unexpected { setting: CONFIG_FILE, wanted: "the path of a file in quotes" })?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

fn parse(settings: &str) -> Result<(&str, CstRootNode), SettingsError> {
    let body = settings.trim_start_matches(BOM);
    let bom = settings.strip_suffix(body).unwrap_or_default();
    let root = CstRootNode::parse(body, &WHAT_VS_CODE_TAKES).map_err(|error| unreadable(&error))?;
    Ok((bom, root))
}

fn top(root: &CstRootNode) -> Result<CstObject, SettingsError> {
    root.object_value().ok_or_else(|| SettingsError::Unreadable {
        line: 1,
        reason: "it is not one {…} of settings".to_owned(),
    })
}

fn platforms_of(property: &CstObjectProp) -> Result<CstObject, SettingsError> {
    property.object_value().ok_or(NO_LIST)
}

/// Of a name that stands twice the last one counts, as in VS Code.
fn last_of(object: &CstObject, name: &str) -> Option<CstObjectProp> {
    object.properties().into_iter().rfind(|property| property.decoded_name().as_deref() == Some(name))
}

fn text_of(property: &CstObjectProp) -> Option<String> {
    property.value()?.as_string_lit()?.decoded_value().ok()
}

#[cfg(test)]
mod tests;
