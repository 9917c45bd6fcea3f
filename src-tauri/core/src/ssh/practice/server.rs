//! The SSH server of a practice runtime.

use std::collections::HashMap;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use moorline_ssh_files::UserName;
use russh::keys::{PrivateKey, PublicKey};
use russh::server::{
    Auth, ChannelOpenHandle, Config, Handler, Msg, PublicKeyOffer, Response, Session, VerifiedPublicKey,
    run_stream,
};
use russh::{Channel, ChannelId, MethodKind, MethodSet, Pty, SshId};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::oneshot;

use super::exec;
use super::house::{PasswordBy, PracticeEvent, Seen, home};

/// What every connection shares.
#[derive(Debug, Clone)]
pub(super) struct House {
    pub(super) user: UserName,
    pub(super) password: SecretString,
    pub(super) password_by: PasswordBy,
    pub(super) disk: PathBuf,
    pub(super) seen: Seen,
}

/// Serves `listener` from a thread with a runtime of its own, until the sender of `stopped` is dropped.
pub(super) fn spawn(
    listener: TcpListener,
    key: PrivateKey,
    house: House,
    stopped: oneshot::Receiver<()>,
) -> std::io::Result<JoinHandle<()>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let config = Arc::new(config(key, house.password_by));
    std::thread::Builder::new().name("practice-runtime".to_owned()).spawn(move || {
        runtime.block_on(serve(listener, config, house, stopped));
        // Open connections and running commands end with their tasks.
        runtime.shutdown_timeout(Duration::from_secs(1));
    })
}

async fn serve(listener: TcpListener, config: Arc<Config>, house: House, mut stopped: oneshot::Receiver<()>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => return tracing::error!(%error, "the practice runtime cannot serve its port"),
    };
    loop {
        let stream = tokio::select! {
            _ = &mut stopped => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "the practice runtime cannot accept a connection");
                    continue;
                }
            },
        };
        let (config, guest) = (Arc::clone(&config), Guest { house: house.clone(), open: HashMap::new() });
        guest.note(PracticeEvent::Connected);
        tokio::spawn(async move {
            let ended = async { run_stream(config, stream, guest).await?.await }.await;
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection to the practice runtime ended early");
            }
        });
    }
}

fn config(key: PrivateKey, password_by: PasswordBy) -> Config {
    let mut methods = vec![MethodKind::PublicKey];
    match password_by {
        PasswordBy::Password => methods.push(MethodKind::Password),
        PasswordBy::KeyboardInteractive => methods.push(MethodKind::KeyboardInteractive),
        PasswordBy::Nothing => {}
    }
    Config {
        server_id: SshId::Standard("SSH-2.0-MoorlinePractice".into()),
        methods: MethodSet::from(methods.as_slice()),
        keys: vec![key],
        // The password is random and long; nothing is gained by slowing down a person who tries the demo.
        auth_rejection_time: Duration::from_millis(50),
        auth_rejection_time_initial: Some(Duration::ZERO),
        max_auth_attempts: 6,
        nodelay: true,
        ..Config::default()
    }
}

/// One connection.
struct Guest {
    house: House,
    open: HashMap<ChannelId, Channel<Msg>>,
}

impl Guest {
    fn note(&self, event: PracticeEvent) {
        self.house.seen.lock().unwrap_or_else(PoisonError::into_inner).push(event);
    }

    fn knows(&self, user: &str, key: &PublicKey) -> bool {
        let path = home(&self.house.disk).join(".ssh").join("authorized_keys");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let held = text.lines().filter_map(|line| PublicKey::from_openssh(line.trim()).ok());
        user == self.house.user.as_str() && held.into_iter().any(|held| held.key_data() == key.key_data())
    }

    fn check_password(&self, user: &str, password: &[u8]) -> Auth {
        let right =
            user == self.house.user.as_str() && password == self.house.password.expose_secret().as_bytes();
        self.note(PracticeEvent::Password { user: user.to_owned(), right });
        if right { Auth::Accept } else { Auth::reject() }
    }

    fn run(
        &mut self,
        id: ChannelId,
        line: Option<String>,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let Some(channel) = self.open.remove(&id) else { return session.channel_failure(id) };
        self.note(PracticeEvent::Ran(line.clone()));
        session.channel_success(id)?;
        tokio::spawn(exec::run(channel, self.house.disk.clone(), self.house.user.clone(), line));
        Ok(())
    }
}

impl Handler for Guest {
    type Error = russh::Error;

    async fn auth_none(&mut self, _: &str) -> Result<Auth, russh::Error> {
        self.note(PracticeEvent::AskedMethods);
        Ok(Auth::reject())
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, russh::Error> {
        if self.house.password_by != PasswordBy::Password {
            return Ok(Auth::reject());
        }
        Ok(self.check_password(user, password.as_bytes()))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        user: &str,
        _: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        if self.house.password_by != PasswordBy::KeyboardInteractive {
            return Ok(Auth::reject());
        }
        match response {
            None => Ok(Auth::Partial {
                name: "".into(),
                instructions: "".into(),
                prompts: vec![("Password: ".into(), false)].into(),
            }),
            Some(mut answers) => {
                let answer = answers.next().unwrap_or_default();
                Ok(self.check_password(user, &answer))
            }
        }
    }

    async fn auth_publickey_offered(
        &mut self,
        user: &str,
        offer: PublicKeyOffer<'_>,
    ) -> Result<Auth, russh::Error> {
        let known = self.knows(user, offer.public_key);
        if !known {
            self.note(PracticeEvent::Key { user: user.to_owned(), known });
        }
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, russh::Error> {
        let known = self.knows(user, key.public_key);
        self.note(PracticeEvent::Key { user: user.to_owned(), known });
        Ok(if known { Auth::Accept } else { Auth::reject() })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _: &mut Session,
    ) -> Result<(), russh::Error> {
        self.open.insert(channel.id(), channel);
        reply.accept().await;
        Ok(())
    }

    async fn pty_request(
        &mut self,
        id: ChannelId,
        _: &str,
        _: u32,
        _: u32,
        _: u32,
        _: u32,
        _: &[(Pty, u32)],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }

    async fn shell_request(&mut self, id: ChannelId, session: &mut Session) -> Result<(), russh::Error> {
        self.run(id, None, session)
    }

    async fn exec_request(
        &mut self,
        id: ChannelId,
        line: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        let Ok(line) = String::from_utf8(line.to_vec()) else { return session.channel_failure(id) };
        self.run(id, Some(line), session)
    }

    async fn subsystem_request(
        &mut self,
        id: ChannelId,
        _: &str,
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        session.channel_failure(id)
    }
}
