//! Why SSH could not be carried: one sentence each, with the next step.

use std::time::Duration;

use moorline_model::next_step::NextStep;
use moorline_model::secret_kind::SecretKind;
use moorline_ssh_files::HostName;

use super::connect::ConnectError;
use crate::store::colab_slot::Holder;
use crate::store::vault::VaultError;

/// Why no stream to the runtime's sshd was opened, or why it ended without one.
#[derive(Debug, thiserror::Error)]
pub enum CarryError {
    /// The edge itself cannot be reached.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The proxy that the environment names is in the way.
    #[error("the proxy {proxy} {reason}; check HTTPS_PROXY and NO_PROXY, or this system's proxy settings")]
    Proxy {
        /// Host and port of the proxy, without what stands before the `@`.
        proxy: String,
        /// What it did.
        reason: String,
        /// The proxy found no way to the host: it may be gone.
        no_way: bool,
    },
    /// No certificate of this system can vouch for anybody.
    #[error(
        "no trusted certificates were found on this computer, so {0} cannot be verified; install ca-certificates, or name a file in SSL_CERT_FILE"
    )]
    NoCertificates(HostName),
    /// The certificate, or the encryption.
    #[error(
        "{host} could not prove who it is ({reason}); check this computer's clock, and whether something on the way reads along"
    )]
    Tls {
        /// The edge.
        host: HostName,
        /// What the TLS library says.
        reason: String,
    },
    /// It did not answer in time.
    #[error("{host} did not answer within {} s; try again in a minute, and check your own network", after.as_secs_f32().ceil())]
    TimedOut {
        /// The edge.
        host: HostName,
        /// The limit.
        after: Duration,
    },
    /// It hung up in the middle of the opening.
    #[error("{host} hung up before it answered ({reason}); try again in a minute")]
    Cut {
        /// The edge.
        host: HostName,
        /// What the system says.
        reason: String,
    },
    /// Something else than the expected protocol answers.
    #[error(
        "what answers at {host} carries no SSH ({reason}); check that the tunnel leads to ssh://localhost:22"
    )]
    Odd {
        /// The edge.
        host: HostName,
        /// What it did.
        reason: String,
    },
    /// An answer without a meaning of its own.
    #[error(
        "{host} answered with HTTP status {status}, which says nothing of the cause; try again in a minute"
    )]
    Status {
        /// The edge.
        host: HostName,
        /// The status.
        status: u16,
    },
    /// Cloudflare Access wants a login.
    #[error(
        "{0} is protected by Cloudflare Access, which wants a login; store its service token, or install cloudflared, which logs in through the browser"
    )]
    WantsLogin(HostName),
    /// The service token is kept for another host.
    #[error(
        "{host} is protected by Cloudflare Access, and the service token in the keyring was given for {given_for}, so it was not sent; store it anew"
    )]
    TokenOfAnother {
        /// The edge.
        host: HostName,
        /// For which the person gave it.
        given_for: String,
    },
    /// Cloudflare Access knows the token, and says no; or there is none and a rule forbids.
    #[error("Cloudflare refuses the way to {host} (403): {}", if *.token {
        "the service token is expired or not allowed there; make a new one and store it"
    } else {
        "an Access policy or a bot rule forbids it; look at that host's rules in the Cloudflare dashboard"
    })]
    Forbidden {
        /// The edge.
        host: HostName,
        /// Whether a service token was shown.
        token: bool,
    },
    /// The tunnel is there, what it leads to is not.
    #[error(
        "Cloudflare reaches the tunnel of {0}, but sshd behind it does not answer (502); start sshd in the notebook again"
    )]
    OriginDown(HostName),
    /// Nobody holds the tunnel any more.
    #[error(
        "the tunnel of {0} is gone (Cloudflare error 1033); the machine may still run: start the tunnel in the notebook again"
    )]
    TunnelGone(HostName),
    /// Colab does not like the key in the header.
    #[error(
        "Colab does not take this login key (400): it knows only ssh-ed25519 and ecdsa-sha2-nistp256, 384 and 521; name such a key, or let Moorline use its own"
    )]
    ColabKey,
    /// The runtime's token is not valid any more.
    #[error(
        "Colab says that the runtime's token has expired (401); try again, and sign in anew if that does not help"
    )]
    ColabExpired,
    /// Colab says no.
    #[error(
        "Colab forbids SSH to this runtime (403); check that you are signed in with the account that owns the notebook"
    )]
    ColabForbidden,
    /// The runtime was made without SSH.
    #[error(
        "this Colab runtime has no SSH, or is gone (404): SSH is fixed when a runtime is made; connect the notebook to a new runtime"
    )]
    ColabNoSsh,
    /// Another connection holds the one slot.
    #[error("this Colab runtime takes one SSH connection at a time (429), and {0}")]
    ColabTaken(Holder),
    /// Colab's sshd.
    #[error(
        "Colab answers, but sshd on the runtime cannot be reached (502); restart the runtime if this stays"
    )]
    ColabSshdDown,
    /// The edge let us in, and then nothing came.
    #[error(
        "{host} accepts the connection but stays silent for {} s; the runtime may be gone", after.as_secs_f32().ceil()
    )]
    Silent {
        /// The edge.
        host: HostName,
        /// The limit.
        after: Duration,
    },
    /// The edge let us in, and hung up before sshd said a word.
    #[error("{0} answers but sshd behind it does not; start sshd in the notebook again")]
    ClosedAtOnce(HostName),
    /// The service token cannot be read just now.
    #[error("the service token for {host} cannot be read: {cause}")]
    Vault {
        /// The edge.
        host: HostName,
        /// Why.
        cause: VaultError,
    },
    /// What lies in the vault is no service token.
    #[error("what the keyring holds as service token for {0} is no client id and secret; store it anew")]
    BadToken(HostName),
}

impl CarryError {
    /// What a person can do about it here.
    pub fn next_step(&self) -> Option<NextStep> {
        match self {
            Self::WantsLogin(_)
            | Self::TokenOfAnother { .. }
            | Self::Forbidden { token: true, .. }
            | Self::BadToken(_) => {
                Some(NextStep::StoreSecret { session: None, kind: SecretKind::ServiceToken })
            }
            Self::Vault { cause, .. } => cause.next_step(),
            _ => None,
        }
    }
}
