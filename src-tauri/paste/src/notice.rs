//! Notices: texts that are known, but lead nowhere, and parts that are left out on purpose.

use std::fmt;

use moorline_ssh_files::Place;

/// Something known that stands in the pasted text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it is.
    pub kind: NoticeKind,
    /// The line where it was first seen, from 1.
    pub line: usize,
}

/// The kinds of notice. [`fmt::Display`] is one sentence that says what it is, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeKind {
    /// The source of a cell, which does not say where the runtime is: that stands in what it prints.
    CellItself,
    /// A tunnel of Visual Studio Code, which is no SSH.
    VsCodeTunnel,
    /// A web editor behind a tunnel, which is no SSH.
    CodeServer,
    /// A private zrok share.
    Zrok,
    /// The environment variables of a Colab runtime.
    RuntimeEnvironment,
    /// A private key, which is never stored.
    PrivateKey,
    /// A command that ssh would run, which is never taken over.
    ProxyCommandIgnored,
    /// Host key checking turned off, which is never taken over.
    CheckingOff,
    /// OpenSSH refused a changed host key.
    HostKeyChanged {
        /// The known-hosts file that holds the old key, escaped and bounded.
        file: Option<String>,
        /// The line in that file, from 1.
        line: Option<u32>,
        /// Where the other key was seen.
        place: Option<Place>,
    },
    /// A client asked whether to trust an unknown host key.
    HostKeyUnknown,
    /// ngrok refused, with its error number.
    Ngrok {
        /// The number in `ERR_NGROK_…`.
        code: u32,
    },
    /// Nothing listened on the ngrok agent's local port.
    NgrokAgentSilent,
    /// cloudflared could not reach the tunnel.
    CloudflaredHandshake,
    /// Something other than TLS answered cloudflared.
    CloudflaredNotTls,
    /// The tunnel no longer exists (error 1033).
    CloudflareTunnelGone,
    /// Cloudflare did not give a quick tunnel (429, 1015, 1101).
    CloudflareQuickTunnelRefused,
    /// The far end closed before SSH began.
    ClosedBeforeSsh,
    /// Nothing listened at the endpoint.
    ConnectionRefused,
    /// The login was refused.
    LoginRefused,
    /// The relay's port was already taken.
    RelayPortTaken,
    /// A message of Google's command line.
    Google(GoogleNotice),
}

/// What Google's command line said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoogleNotice {
    /// No public key to log in with.
    NoPublicKey,
    /// The key's type was refused.
    KeyTypeRefused,
    /// The session is not known.
    SessionNotFound,
    /// No session is active.
    NoSessions,
    /// A session was lost or pruned.
    SessionLost,
    /// The token is invalid (401).
    TokenInvalid,
    /// This runtime has no SSH (404).
    NoSsh,
    /// The one SSH slot is taken (429).
    SlotTaken,
    /// The runtime's sshd does not answer (502).
    SshdUnreachable,
    /// The WebSocket could not be opened.
    NoConnection,
    /// No runtime was given.
    AllocationRefused,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.kind, f)
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CellItself => {
                "this is the cell itself, and where it leads stands in what it prints; run it and paste that too"
            }
            Self::VsCodeTunnel => {
                "this is a Visual Studio Code tunnel, which is not SSH; run a cell that opens SSH in the notebook and paste what it prints"
            }
            Self::CodeServer => {
                "this is an editor in the browser, not SSH; run a cell that opens SSH in the notebook and paste what it prints"
            }
            Self::Zrok => {
                "this is a private zrok share; run `zrok access private` with its token on this machine, then paste the address that it binds"
            }
            Self::RuntimeEnvironment => {
                "these are the runtime's environment variables, which do not say where to connect; paste what the tunnel's cell printed"
            }
            Self::PrivateKey => {
                "a private key in a paste is never stored; treat it as known to others and make a new one"
            }
            Self::ProxyCommandIgnored => {
                "a ProxyCommand in a paste is never run; Moorline writes its own for links that need one"
            }
            Self::CheckingOff => {
                "the paste turns host key checking off, which is never taken over; Moorline pins the key instead"
            }
            Self::HostKeyChanged { file, line, place } => return host_key_changed(f, file.as_deref(), *line, place.as_ref()),
            Self::HostKeyUnknown => {
                "this is a client asking about an unknown host key; compare its fingerprint with what the notebook prints before you trust it"
            }
            Self::Ngrok { code } => return f.write_str(&moorline_model::ngrok_refusal::described(*code)),
            Self::NgrokAgentSilent => {
                "nothing listened on the ngrok agent's port 4040, so the agent did not start; its log in the notebook has the cause"
            }
            Self::CloudflaredHandshake => {
                "cloudflared could not reach the tunnel's end (bad handshake); run the tunnel's cell again and paste its new output"
            }
            Self::CloudflaredNotTls => {
                "something other than Cloudflare answered cloudflared; check this network's proxy or portal, then try again"
            }
            Self::CloudflareTunnelGone => {
                "the Cloudflare tunnel is gone (error 1033); run the tunnel's cell again and paste its new output"
            }
            Self::CloudflareQuickTunnelRefused => {
                "Cloudflare gave no quick tunnel just now (too many were asked for); wait some minutes and run the cell again"
            }
            Self::ClosedBeforeSsh => {
                "the far end closed the connection before SSH began, so the tunnel or its sshd is down; run the tunnel's cell again"
            }
            Self::ConnectionRefused => {
                "nothing listens there any more; run the tunnel's cell again and paste its new output"
            }
            Self::LoginRefused => {
                "the runtime refused the login; check the user and the password, or paste the password line of the cell too"
            }
            Self::RelayPortTaken => {
                "the relay's port is still taken, mostly by the old runtime; end that tunnel on the relay, or choose another port"
            }
            Self::Google(notice) => return fmt::Display::fmt(notice, f),
        })
    }
}

impl fmt::Display for GoogleNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPublicKey => {
                "Google's command line found no SSH key; make one with `ssh-keygen -t ed25519` and try again"
            }
            Self::KeyTypeRefused => {
                "Colab takes only Ed25519 and ECDSA keys; make one with `ssh-keygen -t ed25519` and try again"
            }
            Self::SessionNotFound => "Colab does not know this session; run `colab sessions` to see which are active",
            Self::NoSessions => "Colab has no active session; run `colab new` to make one",
            Self::SessionLost => "a Colab session was lost and its disk with it; run `colab new` to make one",
            Self::TokenInvalid => {
                "Colab refused the runtime's token (401), so the session may have ended; run `colab sessions` to see"
            }
            Self::NoSsh => "this Colab runtime was made without SSH (404); run `colab new` for one that has it",
            Self::SlotTaken => {
                "another SSH connection holds this runtime's only slot (429); end that one and try again"
            }
            Self::SshdUnreachable => {
                "the runtime's own SSH server does not answer (502); run `colab status`, and `colab new` if it stays so"
            }
            Self::NoConnection => {
                "Google's command line could not connect; check the network, then run `colab status`"
            }
            Self::AllocationRefused => {
                "Colab gave no runtime; end one with `colab stop`, wait, or ask for another accelerator"
            }
        })
    }
}

fn host_key_changed(
    f: &mut fmt::Formatter<'_>,
    file: Option<&str>,
    line: Option<u32>,
    place: Option<&Place>,
) -> fmt::Result {
    f.write_str("ssh found another host key")?;
    if let Some(place) = place {
        write!(f, " at {}:{}", place.host, place.port)?;
    }
    match (file, line) {
        (Some(file), Some(line)) => write!(f, " than {file}, line {line}, has")?,
        (Some(file), None) => write!(f, " than {file} has")?,
        (None, _) => f.write_str(" than the one on file")?,
    }
    f.write_str("; the key it was sent proves nothing, so compare it with what the notebook prints before you trust it")
}
