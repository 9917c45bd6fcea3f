//! What the page may ask for somebody who has no runtime yet. The cell and its secret go from the agent to the clipboard,
//! and not through here.

use moorline_core::agent::socket::protocol::Call;
use moorline_core::announce::cell::{CellCopy, CellMade, CellWish};
use moorline_core::repoint::first_look::FirstLook;
use moorline_ssh_files::Alias;
use tauri::State;

use crate::agent::Agent;

/// What is here already that could become a session.
#[tauri::command]
pub async fn first_look(agent: State<'_, Agent>) -> Result<FirstLook, String> {
    agent.first_look().await
}

/// Makes a session with a cell. What no name, host or port can be is refused in a sentence of its type, not in Tauri's.
#[tauri::command]
pub async fn make_cell(agent: State<'_, Agent>, wish: serde_json::Value) -> Result<CellMade, String> {
    let wish: CellWish = serde_json::from_value(wish).map_err(|error| error.to_string())?;
    agent.make_cell(wish).await
}

/// Puts a session's cell, or the secret for its notebook, into the clipboard.
#[tauri::command]
pub async fn copy_cell(agent: State<'_, Agent>, session: Alias, what: CellCopy) -> Result<(), String> {
    agent.done(Call::CopyCell { session, what }).await
}
