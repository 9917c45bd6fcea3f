//! A WebSocket that has just been opened.

use std::time::Duration;

use crate::net::error::CarryError;
use crate::net::websocket::edge::Edge;
use crate::net::websocket::handshake::Opened;

/// On a thread for what blocks.
pub(super) async fn opened(edge: &Edge, limit: Duration) -> Result<Opened, CarryError> {
    let for_thread = edge.clone();
    let opening = tokio::task::spawn_blocking(move || super::handshake::open(&for_thread, limit));
    opening.await.map_err(|error| cut(edge, &error))?
}

pub(super) fn cut(edge: &Edge, error: &impl ToString) -> CarryError {
    CarryError::Cut { host: edge.host.clone(), reason: error.to_string() }
}
