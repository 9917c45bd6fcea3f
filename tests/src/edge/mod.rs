//! Stand-ins for the edges that carry SSH in a WebSocket: Cloudflare's and Colab's.
//!
//! Each is as strict as the real one, drops what the real one drops, and fails in each way that the real one knows.

mod cloudflare;
mod colab;
mod websocket;

pub use cloudflare::{CloudflareEdge, Failure};
pub use colab::{ColabEdge, ColabFailure};
