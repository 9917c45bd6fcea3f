//! Channels: how announcements come from a runtime to this computer.
//!
//! A channel hands on whole lines and decides nothing: whoever owns one can hold a line back, repeat it or make
//! noise. Each line is checked against the session key here, and what is believed of it is for the agent's rules.

mod brake;
mod channel;
mod folder;
mod keyring;
pub mod listening;
mod ngrok;
mod ntfy;
mod relay_file;

pub use channel::{Channel, Ear, Heard, Lone, Post};
pub use moorline_model::channel_settings::{ChannelKind, ChannelSettings, InvalidServer, Server};

/// The channel of this kind for a session; `None` if it has none, such as a folder that was never named.
pub fn open(kind: ChannelKind, post: &Post) -> Option<Box<dyn Channel>> {
    match kind {
        ChannelKind::Ntfy => Some(Box::new(ntfy::Ntfy::new(post))),
        ChannelKind::Folder => folder::Folder::new(post).map(|folder| Box::new(folder) as Box<dyn Channel>),
        ChannelKind::Relay => relay_file::RelayFile::new(post).map(|file| Box::new(file) as Box<dyn Channel>),
        ChannelKind::Ngrok => {
            Some(Box::new(ngrok::Ngrok::new(&post.session, Some(post.kid.clone()), &post.tools)))
        }
    }
}
