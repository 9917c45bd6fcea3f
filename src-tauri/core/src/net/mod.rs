//! Bytes to a host: dialling, proxies, TLS, WebSockets, HTTP, and what Google and ngrok offer over them.

pub mod backoff;
pub mod connect;
pub mod dial;
pub mod error;
pub mod google;
pub mod http;
pub mod ngrok;
pub mod socks;
pub mod stdio;
pub mod websocket;
