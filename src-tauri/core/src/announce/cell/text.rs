//! The text of a cell: its settings as one dictionary of literals, and around it the Python that lies beside this file.

use moorline_model::cell_options::{CellOptions, GitAddress, SetupLine};
use moorline_model::channel_settings::Server;
use moorline_model::session::RemotePath;
use moorline_model::session_key::KeyId;
use moorline_ssh_files::{Alias, HostKey, HostName, Place, Port, UserName};
use serde_json::{Value, json};

use super::{literal, notebook};

const SETUP: &str = include_str!("setup.py");
const KEEPER: &str = include_str!("keeper.py");
const ANNOUNCE: &str = include_str!("announce.py");
const PARTS: [(&str, &str); 15] = [
    ("# @include channel\n", include_str!("channel.py")),
    ("# @include comforts\n", include_str!("comforts.py")),
    ("# @include environment\n", include_str!("environment.py")),
    ("# @include files\n", include_str!("files.py")),
    ("# @include home\n", include_str!("home.py")),
    ("# @include keeping\n", include_str!("keeping.py")),
    ("# @include keys\n", include_str!("keys.py")),
    ("# @include news\n", include_str!("news.py")),
    ("# @include own_keys\n", include_str!("own_keys.py")),
    ("# @include processes\n", include_str!("processes.py")),
    ("# @include programs\n", include_str!("programs.py")),
    ("# @include secrets\n", include_str!("secrets.py")),
    ("# @include sshd\n", include_str!("sshd.py")),
    ("# @include tunnel\n", include_str!("tunnel.py")),
    ("# @include wire\n", include_str!("wire.py")),
];

/// Seconds between two signs of life.
const BEAT: u32 = 600;

/// Seconds between two readings of what a tunnel's program says of itself.
const READING: u32 = 15;

/// All that a cell says.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The session, which is also the ssh alias.
    pub session: Alias,
    /// Where the session key stands in the notebook's secrets.
    pub secret: String,
    /// The id of the session key that it must be.
    pub key_id: KeyId,
    /// Public keys that may log in.
    pub login_keys: Vec<HostKey>,
    /// The way in.
    pub link: CellLink,
    /// The relay, where the link or a channel leads over one.
    pub relay: Option<RelayWay>,
    /// How it is announced.
    pub channels: CellChannels,
    /// The folder that editors open.
    pub folder: Option<RemotePath>,
    /// What the person wants besides.
    pub options: CellOptions,
}

/// How a cell makes its runtime reachable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CellLink {
    /// `ssh -R` to this port of the relay's loopback.
    Relay(Port),
    /// A named tunnel with this host name, whose token stands in the notebook's secrets; without one a quick tunnel.
    Cloudflare(Option<HostName>),
    /// An ngrok TCP endpoint; its authtoken stands in the notebook's secrets.
    Ngrok,
    /// Nothing to open: the runtime is reachable there.
    Direct(Place),
}

/// The relay as the runtime sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayWay {
    /// Its name or address on the network, not an alias of the person's.
    pub host: HostName,
    /// Its SSH port.
    pub port: Port,
    /// The user whose `authorized_keys` holds the runtime's key.
    pub user: UserName,
    /// Its host keys as the person's own ssh knows them.
    pub host_keys: Vec<HostKey>,
}

/// The channels over which a cell announces its runtime. It prints the line for pasting in any case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CellChannels {
    /// A topic on this ntfy server.
    pub ntfy: Option<Server>,
    /// The file on the relay.
    pub relay: bool,
    /// A folder on the runtime that is synchronised with one on the desktop.
    pub folder: Option<RemotePath>,
}

impl Cell {
    /// The setup cell.
    pub fn setup(&self) -> String {
        let name = &self.session;
        let secret = &self.secret;
        let head = format!(
            "# @title Moorline: make {name} reachable\n\
             # This cell starts an own sshd on the runtime (login by your key alone), opens the way to it, and tells your\n\
             # desktop where it is. It holds no secret: the session key stands in the notebook's secrets as {secret}\n\
             # (Colab: the key symbol on the left; Kaggle: Add-ons, Secrets), else it is asked for. Running it again is\n\
             # harmless. Google's terms on SSH: {}\n\n",
            notebook::TERMS
        );
        let settings = literal::dictionary(&self.settings());
        let setup = assembled(SETUP);
        format!(
            "{head}MOORLINE_SETTINGS = {settings}\n\n{}\n\n\n\
             # This program runs beside the kernel, so that a restarted kernel cuts nobody off.\n\
             MOORLINE_KEEPER = r'''{}'''\n\n\n\
             Moorline(MOORLINE_SETTINGS, MOORLINE_KEEPER).run()\n\
             del MOORLINE_SETTINGS, MOORLINE_KEEPER\n\
             del {}\n",
            setup.trim_end(),
            assembled(KEEPER),
            defined(&setup).join(", "),
        )
    }

    /// The one line to append to a cell of the person's own, which has started sshd and a tunnel by itself.
    pub fn announce_line(&self) -> String {
        let listen = match &self.link {
            CellLink::Relay(port) => json!(port.get()),
            _ => Value::Null,
        };
        let mut settings = self.shared_settings();
        settings.push(("listen", listen));
        settings.push(("relay", self.relay.as_ref().map_or(Value::Null, RelayWay::as_json)));
        let program = literal::text(&without_comments(&assembled(ANNOUNCE)));
        let settings = literal::dictionary_on_one_line(&settings);
        format!(
            "exec({program}, {{\"endpoint\": \"\", \"settings\": {settings}}})  # Moorline: announces {}\n",
            self.session
        )
    }

    /// What else must stand in the notebook's secrets, besides the session key.
    pub fn other_secret(&self) -> Option<&'static str> {
        match &self.link {
            CellLink::Ngrok => Some("NGROK_AUTHTOKEN"),
            CellLink::Cloudflare(Some(_)) => Some("TUNNEL_TOKEN"),
            CellLink::Cloudflare(None) | CellLink::Relay(_) | CellLink::Direct(_) => None,
        }
    }

    fn shared_settings(&self) -> Vec<(&'static str, Value)> {
        let mut channels = Vec::new();
        for (name, used) in [
            ("ntfy", self.channels.ntfy.is_some()),
            ("relay", self.channels.relay && self.relay.is_some()),
            ("folder", self.channels.folder.is_some()),
        ] {
            if used {
                channels.push(name);
            }
        }
        vec![
            ("session", json!(self.session.as_str())),
            ("secret", json!(self.secret)),
            ("key_id", json!(self.key_id.as_str())),
            ("channels", json!(channels)),
            ("ntfy_server", json!(self.channels.ntfy.as_ref().map(ToString::to_string))),
            ("folder", json!(self.channels.folder.as_ref().map(RemotePath::as_str))),
        ]
    }

    fn settings(&self) -> Vec<(&'static str, Value)> {
        let mut settings = self.shared_settings();
        let options = &self.options;
        let login_keys: Vec<String> = self.login_keys.iter().map(ToString::to_string).collect();
        let setup: Vec<&str> = options.setup.iter().map(SetupLine::as_str).collect();
        settings.extend([
            ("link", self.link.as_json()),
            ("relay", self.relay.as_ref().map_or(Value::Null, RelayWay::as_json)),
            ("authorized_keys", json!(login_keys)),
            ("sshd_port", json!(self.sshd_port())),
            ("beat", json!(BEAT)),
            ("reading", json!(READING)),
            ("git", json!(options.git.as_ref().map(GitAddress::as_str))),
            ("git_secret", json!("GIT_TOKEN")),
            ("drive", json!(options.drive)),
            ("setup", json!(setup)),
            ("open", json!(self.open())),
        ]);
        settings
    }

    /// The port of the cell's own sshd where something outside names it, or 0 for any.
    fn sshd_port(&self) -> u16 {
        let named = match &self.link {
            CellLink::Direct(place) => place.port.get(),
            // Its ingress rule is set at Cloudflare, and says 22 in their own guide for SSH.
            CellLink::Cloudflare(Some(_)) => 22,
            CellLink::Relay(_) | CellLink::Cloudflare(None) | CellLink::Ngrok => 0,
        };
        self.options.sshd_port.map_or(named, Port::get)
    }

    /// The folder as a link has it.
    fn open(&self) -> String {
        let folder = self.folder.as_ref().map_or("/content", RemotePath::as_str);
        crate::editors::encode_path(folder)
    }
}

impl CellLink {
    fn as_json(&self) -> Value {
        match self {
            Self::Relay(port) => json!({ "kind": "relay", "listen": port.get() }),
            Self::Cloudflare(host) => {
                json!({ "kind": "cloudflare", "host": host.as_ref().map(HostName::as_str) })
            }
            Self::Ngrok => json!({ "kind": "ngrok" }),
            Self::Direct(place) => {
                json!({ "kind": "direct", "host": place.host.as_str(), "port": place.port.get() })
            }
        }
    }
}

impl RelayWay {
    fn as_json(&self) -> Value {
        let keys: Vec<String> = self.host_keys.iter().map(ToString::to_string).collect();
        json!({
            "host": self.host.as_str(), "port": self.port.get(), "user": self.user.as_str(), "host_keys": keys,
        })
    }
}

/// A program with the parts that it shares.
fn assembled(program: &str) -> String {
    PARTS.iter().fold(program.to_owned(), |text, (mark, part)| text.replace(mark, part))
}

/// The names of a program's classes and functions, which the notebook's own cells have no use for.
fn defined(program: &str) -> Vec<&str> {
    program
        .lines()
        .filter_map(|line| line.strip_prefix("class ").or_else(|| line.strip_prefix("def ")))
        .filter_map(|rest| rest.split(['(', ':']).next())
        .collect()
}

/// Without whole-line comments and empty lines: for a program that goes on one line.
fn without_comments(program: &str) -> String {
    let lines = program.lines().filter(|line| !matches!(line.trim_start().as_bytes(), [] | [b'#', ..]));
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests;
