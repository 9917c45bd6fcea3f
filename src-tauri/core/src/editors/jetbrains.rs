//! `PyCharm` through `JetBrains` Toolbox, or through Gateway where there is no Toolbox.

use std::path::PathBuf;

use moorline_model::session::RemotePath;
use moorline_ssh_files::names::{Alias, UserName};

use super::error::EditorError;
use super::launch::Launch;
use super::link::encode_all;
use super::programs::{Os, SearchEnv, below, find_program, is_program};

/// Which program takes the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Receiver {
    Toolbox,
    Gateway,
}

/// Toolbox if it is installed, else Gateway.
pub(super) fn find(search: &SearchEnv) -> Option<(Receiver, PathBuf)> {
    toolbox(search)
        .map(|path| (Receiver::Toolbox, path))
        .or_else(|| gateway(search).map(|path| (Receiver::Gateway, path)))
}

/// The link for whichever receiver is installed.
pub(super) fn plan(
    alias: &Alias,
    folder: Option<&RemotePath>,
    user: Option<&UserName>,
    search: &SearchEnv,
) -> Result<Launch, EditorError> {
    match find(search) {
        Some((Receiver::Toolbox, _)) => Ok(Launch::Url(toolbox_link(alias, folder))),
        Some((Receiver::Gateway, _)) => Ok(Launch::Url(gateway_link(alias, folder, user))),
        None => Err(EditorError::NoJetBrains { link: toolbox_link(alias, folder) }),
    }
}

fn toolbox_link(alias: &Alias, folder: Option<&RemotePath>) -> String {
    let mut link = format!("jetbrains://gateway/ssh/environment?h={alias}&launchIde=true&ideHint=PY");
    if let Some(folder) = folder {
        link.push_str("&projectHint=");
        link.push_str(&encode_all(folder.as_str()));
    }
    link
}

/// Gateway's own link; it only fills its form in, from 2025.3 on. Port 22 is what it shows for an alias, whose real
/// port comes from the person's config.
fn gateway_link(alias: &Alias, folder: Option<&RemotePath>, user: Option<&UserName>) -> String {
    let mut link = format!("jetbrains-gateway://connect#type=ssh&host={alias}&port=22");
    if let Some(user) = user {
        link.push_str("&user=");
        link.push_str(&encode_all(user.as_str()));
    }
    if let Some(folder) = folder {
        link.push_str("&projectPath=");
        link.push_str(&encode_all(folder.as_str()));
    }
    link
}

fn toolbox(search: &SearchEnv) -> Option<PathBuf> {
    match search.os {
        Os::Linux => find_program("jetbrains-toolbox", search).or_else(|| {
            let own = below(&search.home, ".local/share/JetBrains/Toolbox");
            let shared = search.place("opt/jetbrains-toolbox");
            [own, shared]
                .into_iter()
                .flat_map(|base| [below(&base, "bin/jetbrains-toolbox"), base.join("jetbrains-toolbox")])
                .find(|path| is_program(path))
        }),
        Os::MacOs => search.mac_app("JetBrains Toolbox.app").into_iter().find(|app| app.is_dir()),
        Os::Windows => {
            let path = below(search.local_app_data.as_ref()?, "JetBrains/Toolbox/bin/jetbrains-toolbox.exe");
            is_program(&path).then_some(path)
        }
    }
}

fn gateway(search: &SearchEnv) -> Option<PathBuf> {
    match search.os {
        // Plain `gateway` counts only as Toolbox's script: on PATH it could be any program.
        Os::Linux => {
            let script = below(&search.home, ".local/share/JetBrains/Toolbox/scripts/gateway");
            ["jetbrains-gateway", "com.jetbrains.Gateway"]
                .iter()
                .find_map(|name| find_program(name, search))
                .or_else(|| is_program(&script).then_some(script))
        }
        Os::MacOs => ["JetBrains Gateway.app", "Gateway.app"]
            .into_iter()
            .flat_map(|app| search.mac_app(app))
            .find(|app| app.is_dir()),
        Os::Windows => {
            let path = below(search.local_app_data.as_ref()?, "Programs/Gateway/bin/gateway64.exe");
            is_program(&path).then_some(path)
        }
    }
}
