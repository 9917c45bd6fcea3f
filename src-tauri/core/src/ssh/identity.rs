//! The key that a session logs in with: this desktop's own, or one that the person named.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use moorline_model::text::shown;
use moorline_ssh_files::{IdentityFile, UserName};
use russh::client::Handle;
use russh::keys::{HashAlg, PrivateKey, PrivateKeyWithHashAlg, PublicKey};

use super::client::Gate;
use super::login::{LoginError, taken};
use super::login_key::LoginKey;
use crate::store::read_file;

/// What proves to a runtime who is there. `Debug` shows where a key lies, never what it is.
#[derive(Debug, Clone)]
pub enum Identity {
    /// This desktop's login key.
    Own(LoginKey),
    /// A key of the person's, without a passphrase.
    File(FileKey),
    /// A key of the person's that their ssh agent holds; only its public half is read.
    Agent {
        /// The file that names it.
        path: PathBuf,
        /// Its public half.
        public: Box<PublicKey>,
    },
}

/// A private key that was read from a file.
#[derive(Clone)]
pub struct FileKey {
    path: PathBuf,
    key: Arc<PrivateKey>,
}

impl std::fmt::Debug for FileKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileKey").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Why a key that the person named cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Neither the key nor its public half can be read.
    #[error("cannot read the key {}: {cause}; check the session's identity_file", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The reason, escaped and bounded.
        cause: String,
    },
    /// It needs a passphrase, and nothing tells which key of the agent it is.
    #[error(
        "{} has a passphrase and there is no {}.pub beside it; make one with `ssh-keygen -y`, and add the key to your ssh agent",
        path.display(), path.display()
    )]
    NoPublicHalf {
        /// The file.
        path: PathBuf,
    },
}

impl Identity {
    /// Reads the key that a session names. A key with a passphrase is left to the person's ssh agent, which knows
    /// it by the `.pub` file beside it. `home` stands for a leading `~`.
    pub fn named(file: &IdentityFile, home: &Path) -> Result<Self, IdentityError> {
        let path = match file.as_str().strip_prefix("~/") {
            Some(tail) => home.join(tail),
            None => PathBuf::from(file.as_str()),
        };
        let unreadable = |cause: &str| {
            let cause = shown(cause, 160);
            IdentityError::Unreadable { path: path.clone(), cause }
        };
        match russh::keys::load_secret_key(&path, None) {
            Ok(key) => return Ok(Self::File(FileKey { path, key: Arc::new(key) })),
            Err(russh::keys::Error::IO(cause)) if cause.kind() != std::io::ErrorKind::NotFound => {
                return Err(unreadable(&cause.to_string()));
            }
            Err(_) => {}
        }
        // A key on a token, or with a passphrase: the agent's, if anybody's.
        let mut beside = path.clone().into_os_string();
        beside.push(".pub");
        let text = match read_file::read_text(Path::new(&beside)) {
            Ok(Some(text)) => text,
            Ok(None) | Err(_) if path.exists() => return Err(IdentityError::NoPublicHalf { path }),
            Ok(None) => return Err(unreadable("there is no such file")),
            Err(cause) => return Err(unreadable(&cause.to_string())),
        };
        let public = PublicKey::from_openssh(text.trim()).map_err(|cause| unreadable(&cause.to_string()))?;
        Ok(Self::Agent { path, public: Box::new(public) })
    }

    /// Its public half, one line as in a `.pub` file.
    pub fn public_line(&self) -> String {
        // Its comment may hold anything.
        let line = |key: &PublicKey| PublicKey::from(key.key_data().clone()).to_openssh().unwrap_or_default();
        match self {
            Self::Own(key) => key.public_line(),
            Self::File(FileKey { key, .. }) => line(key.public_key()),
            Self::Agent { public, .. } => line(public),
        }
    }

    /// Logs `user` in over a connection whose server has proven its key. `false` if the server refuses.
    pub(super) async fn log_in(
        &self,
        handle: &mut Handle<Gate>,
        user: &UserName,
    ) -> Result<bool, LoginError> {
        match self {
            Self::Own(key) => {
                taken(&handle.authenticate_publickey(user.as_str(), key.for_login()).await?, handle)
            }
            Self::File(FileKey { key, .. }) => {
                let hash = rsa_hash(handle, key.algorithm().is_rsa()).await?;
                let key = PrivateKeyWithHashAlg::new(Arc::clone(key), hash);
                taken(&handle.authenticate_publickey(user.as_str(), key).await?, handle)
            }
            Self::Agent { path, public } => {
                let Some(mut agent) = agent::connect().await else {
                    let cause = format!("no ssh agent answers, and {} needs one", path.display());
                    return Err(LoginError::NoSignature { cause });
                };
                let hash = rsa_hash(handle, public.algorithm().is_rsa()).await?;
                let key = PublicKey::clone(public);
                let result = handle.authenticate_publickey_with(user.as_str(), key, hash, &mut agent).await;
                match result {
                    Ok(result) => taken(&result, handle),
                    Err(cause) => Err(LoginError::NoSignature {
                        cause: format!(
                            "the ssh agent does not sign with {} ({})",
                            path.display(),
                            shown(&cause.to_string(), 120)
                        ),
                    }),
                }
            }
        }
    }
}

/// An RSA key can sign in several ways; the server says which it takes (RFC 8308, server-sig-algs).
async fn rsa_hash(handle: &Handle<Gate>, is_rsa: bool) -> Result<Option<HashAlg>, russh::Error> {
    if is_rsa { Ok(handle.best_supported_rsa_hash().await?.flatten()) } else { Ok(None) }
}

#[cfg(unix)]
mod agent {
    use russh::keys::agent::client::AgentClient;

    /// The agent that `SSH_AUTH_SOCK` names (ssh-agent(1)).
    pub async fn connect() -> Option<AgentClient<tokio::net::UnixStream>> {
        AgentClient::connect_env().await.ok()
    }
}

#[cfg(windows)]
mod agent {
    use russh::keys::agent::client::AgentClient;
    use tokio::net::windows::named_pipe::NamedPipeClient;

    /// The pipe of Windows' own OpenSSH agent.
    pub async fn connect() -> Option<AgentClient<NamedPipeClient>> {
        AgentClient::connect_named_pipe(r"\\.\pipe\openssh-ssh-agent").await.ok()
    }
}
