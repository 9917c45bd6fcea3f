//! The recognisers: each knows one idea, reads the whole text, and believes nothing that its validators refuse.

mod cell;
mod cloudflare;
mod colab_ssh;
mod errors;
mod fingerprint;
mod google_cli;
mod hop;
mod host_block;
mod key_line;
mod key_words;
mod labels;
mod ngrok;
mod no_ssh;
mod password;
mod password_words;
mod plain;
mod refused;
mod relay;
mod relay_password;
mod relay_target;
mod ssh_login;
mod tunnel_url;
mod vscode;

pub use key_line::leading_key;
pub use key_words::told_by_server;

use super::Finding;
use super::text::Text;

/// A recogniser: reads a text and says what it saw.
pub type Recogniser = fn(&Text) -> Vec<Finding>;

/// All recognisers; the order decides nothing.
pub const ALL: [Recogniser; 19] = [
    cell::find,
    cloudflare::find,
    colab_ssh::find,
    errors::find,
    fingerprint::find,
    google_cli::find,
    hop::find,
    host_block::find,
    key_line::find,
    labels::find,
    ngrok::find,
    no_ssh::find,
    password::find,
    plain::find,
    relay::find,
    relay_password::find,
    ssh_login::find,
    tunnel_url::find,
    vscode::find,
];
