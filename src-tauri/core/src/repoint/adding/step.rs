//! What adding wants next.

use moorline_ssh_files::Alias;
use secrecy::SecretString;

use crate::repoint::adding::matters::{Access, Need, Question, Reason};
use crate::repoint::change::Change;

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// The person is asked.
    Ask(Question),
    /// Something must be found out.
    Find(Need),
    /// It cannot go on as it is.
    Refuse(Reason),
    /// Everything is known: it can be written.
    Done(Box<Decided>),
}

/// What is to be written, and what was settled on the way.
#[derive(Debug)]
pub struct Decided {
    /// The change.
    pub change: Change,
    /// How the login stands; `None` where nothing was reached.
    pub access: Option<Access>,
    /// Why nothing was reached, one sentence.
    pub unreachable: Option<String>,
    /// The runtime's password, to be kept for exactly this session.
    pub password: Option<SecretString>,
    /// The relay's password, likewise.
    pub relay_password: Option<SecretString>,
    /// The person's own entry of that name, which is to be commented out.
    pub take_over: Option<Alias>,
}
