//! What the page may ask while a runtime is added. The agent leads the conversation, reads the clipboard and keeps what is
//! secret; what a person types passes through here once, on its way there.

use moorline_core::agent::message::Request;
use moorline_core::agent::socket::protocol::Call;
use moorline_core::repoint::adding::Wish;
use moorline_core::repoint::adding::view::{AddingView, ConversationId, Say};
use moorline_model::editor::Editor;
use moorline_ssh_files::Alias;
use tauri::State;

use crate::agent::Agent;

/// Begins a conversation.
#[tauri::command]
pub async fn adding_begin(agent: State<'_, Agent>) -> Result<AddingView, String> {
    agent.adding(Call::Add { wish: Wish::default() }).await
}

/// Says something in one; an answer, to the question of this number. What no name, address or key can be is refused in a sentence of its type, not in Tauri's.
#[tauri::command]
pub async fn adding_say(
    agent: State<'_, Agent>,
    id: ConversationId,
    question: u64,
    say: serde_json::Value,
) -> Result<AddingView, String> {
    let say: Say = serde_json::from_value(say).map_err(|error| error.to_string())?;
    agent.adding(Call::AddSay { conversation: id, question, say }).await
}

/// How one is, once that is another revision; or after a few seconds all the same.
#[tauri::command]
pub async fn adding_wait(
    agent: State<'_, Agent>,
    id: ConversationId,
    revision: u64,
) -> Result<AddingView, String> {
    agent.adding(Call::AddWait { conversation: id, revision }).await
}

/// Ends one, and throws away what was pasted.
#[tauri::command]
pub async fn adding_end(agent: State<'_, Agent>, id: ConversationId) -> Result<(), String> {
    agent.done(Call::AddEnd { conversation: id }).await
}

/// Opens a session in an editor.
#[tauri::command]
pub async fn open(agent: State<'_, Agent>, name: Alias, editor: Editor) -> Result<(), String> {
    agent.ask(Request::Open { name, editor: Some(editor), folder: None }).await
}
