//! What the page may ask. Each answer is data or one sentence.

use moorline_app::command_line;
use moorline_app::wire::{Checked, Keys, PinnedKey, Shows, View};
use moorline_core::agent::message::Request;
use moorline_ssh_files::{Alias, Fingerprint};
use tauri::{AppHandle, State};

use crate::agent::Agent;
use crate::page::{self, Page};

/// Shows the fingerprint of the key that sshd offers first; `!` is a notebook's way to run a command.
const LINE: &str = "!ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub";

/// What the page shows now.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "how Tauri hands over state")]
pub fn shown(page: State<'_, Page>) -> Shows {
    tracing::info!("the page is up");
    page.now()
}

/// Goes to another view.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "how Tauri hands over its handle")]
pub fn show(app: AppHandle, view: View) {
    page::change(&app, |shows| shows.view = view);
}

/// The keys of a session.
#[tauri::command]
pub async fn compare(agent: State<'_, Agent>, name: Alias) -> Result<Keys, String> {
    let found = agent.compare(name).await?;
    let pinned = found.pinned.iter().map(|(fingerprint, trust)| PinnedKey {
        fingerprint: fingerprint.to_string(),
        learned: trust.to_string(),
    });
    Ok(Keys {
        seen: found.seen.map(|seen| seen.to_string()),
        pinned: pinned.collect(),
        line: LINE.to_owned(),
    })
}

/// Whether what the notebook printed names this key.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "what the page says is owned")]
pub fn check(text: String, fingerprint: Fingerprint) -> Checked {
    let told = moorline_paste::compare_answer(&text).fingerprints;
    if told.contains(&fingerprint) {
        Checked::Same
    } else if told.is_empty() {
        Checked::Nothing
    } else {
        Checked::Other
    }
}

/// Approves exactly this key.
#[tauri::command]
pub async fn approve(agent: State<'_, Agent>, name: Alias, fingerprint: Fingerprint) -> Result<(), String> {
    agent.ask(Request::Approve(name, fingerprint)).await
}

/// Reaches and mends a session now.
#[tauri::command]
pub async fn repair(agent: State<'_, Agent>, name: Alias) -> Result<(), String> {
    agent.ask(Request::Repair(name)).await
}

/// Forgets a session: the person was asked by the page.
#[tauri::command]
pub async fn forget(name: Alias) -> Result<String, String> {
    command_line::forget(&name).await.map_err(|error| format!("{error:#}"))?
}
