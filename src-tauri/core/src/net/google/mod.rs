//! Google's Colab: signing in with what the person already has, the account's runtimes, and the way to one of them.
//!
//! - [`access`]: host and token of a session's runtime, for whoever carries SSH there; never makes a runtime.
//! - [`Client`]: the sessions API and a runtime's own server, bounded in time and size.
//! - [`Credentials`]: the sign-ins of google-colab-cli and gcloud, read where they lie or copied into the keyring.
//! - [`cli_sessions`]: what google-colab-cli calls its runtimes.
//!
//! A token goes to no host but its own: the refresh token to Google's token server, the access token to Colab's API, a
//! proxy token to the host that stood beside it in the same answer. No redirection is followed.

mod access;
pub mod account;
pub mod answer;
mod cli_sessions;
mod client;
mod credentials;
mod error;
mod runtime_access;

#[cfg(test)]
mod tests;

pub use access::{access, keep, kept, renewed};
pub use account::Account;
pub use cli_sessions::{CliSession, cli_sessions};
pub use client::Client;
pub use credentials::{Credentials, Source};
pub use error::GoogleError;
pub use moorline_model::colab_runtime::{EndpointId, InvalidEndpointId};
pub use runtime_access::{MARGIN, RuntimeAccess};
