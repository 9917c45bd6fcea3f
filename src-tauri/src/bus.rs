//! What zbus needs to be read without a streams library.

use std::pin::pin;

use zbus::export::futures_core::Stream;
use zbus::{Message, MessageStream};

/// The next message; `None` when the bus is gone.
pub async fn next(messages: &mut MessageStream) -> Option<zbus::Result<Message>> {
    let mut messages = pin!(messages);
    std::future::poll_fn(|context| messages.as_mut().poll_next(context)).await
}
