//! What a person is advised to do: the next step of an error, of a remark, of the doctor.

use std::error::Error;
use std::fmt::Display;

use moorline_core::announce::cell::{CellError, ListenError};
use moorline_core::doctor::Next;
use moorline_core::net::error::CarryError;
use moorline_core::net::google::GoogleError;
use moorline_core::net::ngrok::NgrokError;
use moorline_core::repoint::change::SettleError;
use moorline_core::ssh::ensure_login::EnsureLoginError;
use moorline_core::ssh::hub::JoinError;
use moorline_core::ssh::proxy::ProxyError;
use moorline_core::ssh::reach::ReachError;
use moorline_core::ssh::relay_setup::{PrepareError, PrepareSessionError};
use moorline_core::ssh::{LoginError, ProbeError, RemoteFileError, SshRunError, VerifyError};
use moorline_core::store::config_toml::UnknownSession;
use moorline_core::store::session_keys::SessionKeyError;
use moorline_core::store::vault::VaultError;
use moorline_model::colab_runtime::InvalidEndpointId;
use moorline_model::next_step::NextStep;
use moorline_model::session_key::InvalidSessionKey;
use moorline_ssh_files::Alias;

use crate::steps::command;

/// A sentence, with the command in brackets if there is one.
pub fn with_command(sentence: impl Display, step: Option<NextStep>) -> String {
    match step {
        Some(step) => format!("{sentence} (`{}`)", command(&step)),
        None => sentence.to_string(),
    }
}

/// What the doctor advises.
pub fn of_doctor(next: &Next) -> String {
    match next {
        Next::Step(step) => command(step),
        Next::Words(words) => words.clone(),
        Next::WordsThenStep(words, step) => format!("{words}: {}", command(step)),
    }
}

/// The step that an error, or the first of its causes that has one, leads to; `about` is the session that the person
/// named.
pub fn of_error(error: &anyhow::Error, about: Option<&Alias>) -> Option<NextStep> {
    let step = error.chain().find_map(of_cause)?;
    Some(match about {
        Some(name) => step.of(name),
        None => step,
    })
}

fn of_cause(cause: &(dyn Error + 'static)) -> Option<NextStep> {
    fn ask<E: Error + 'static>(
        cause: &(dyn Error + 'static),
        step: impl Fn(&E) -> Option<NextStep>,
    ) -> Option<NextStep> {
        cause.downcast_ref().and_then(step)
    }
    ask(cause, CarryError::next_step)
        .or_else(|| ask(cause, CellError::next_step))
        .or_else(|| ask(cause, EnsureLoginError::next_step))
        .or_else(|| ask(cause, GoogleError::next_step))
        .or_else(|| ask(cause, JoinError::next_step))
        .or_else(|| ask(cause, ListenError::next_step))
        .or_else(|| ask(cause, LoginError::next_step))
        .or_else(|| ask(cause, NgrokError::next_step))
        .or_else(|| ask(cause, PrepareError::next_step))
        .or_else(|| ask(cause, PrepareSessionError::next_step))
        .or_else(|| ask(cause, ProbeError::next_step))
        .or_else(|| ask(cause, ProxyError::next_step))
        .or_else(|| ask(cause, ReachError::next_step))
        .or_else(|| ask(cause, RemoteFileError::next_step))
        .or_else(|| ask(cause, SessionKeyError::next_step))
        .or_else(|| ask(cause, SettleError::next_step))
        .or_else(|| ask(cause, SshRunError::next_step))
        .or_else(|| ask(cause, UnknownSession::next_step))
        .or_else(|| ask(cause, VaultError::next_step))
        .or_else(|| ask(cause, VerifyError::next_step))
        .or_else(|| ask(cause, |_: &InvalidEndpointId| Some(InvalidEndpointId::NEXT_STEP)))
        .or_else(|| ask(cause, |_: &InvalidSessionKey| Some(InvalidSessionKey::NEXT_STEP)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_step_of_an_error_is_found_under_what_was_said_around_it() {
        let colab: Alias = "colab".parse().unwrap();
        let token = CarryError::WantsLogin("ssh.example.org".parse().unwrap());
        let error = anyhow::Error::new(ReachError::from(Box::new(token))).context("it cannot be reached");
        let step = of_error(&error, Some(&colab)).unwrap();
        assert_eq!(command(&step), "moorline secret set colab service-token");
        let unreadable = SettleError::SessionKey(SessionKeyError::Unreadable(colab.clone()));
        let step = of_error(&unreadable.into(), None).unwrap();
        assert!(command(&step).starts_with("moorline secret set colab session-key, or "), "{step:?}");
        assert_eq!(of_error(&anyhow::anyhow!("something else"), Some(&colab)), None);
    }

    #[test]
    fn the_doctor_s_words_come_before_the_command() {
        let repair = NextStep::Repair { session: None };
        assert_eq!(of_doctor(&Next::REPAIR), "moorline repair");
        assert_eq!(of_doctor(&Next::from("chmod 600 x")), "chmod 600 x");
        let both = Next::WordsThenStep("Mend it, then repair".to_owned(), repair);
        assert_eq!(of_doctor(&both), "Mend it, then repair: moorline repair");
    }
}
