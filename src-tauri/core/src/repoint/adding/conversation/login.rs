//! How this computer gets in.

use moorline_model::session::Session;
use moorline_ssh_files::HostKey;

use super::Conversation;
use crate::repoint::adding::lines;
use crate::repoint::adding::matters::{Access, LoginQuestion, Need, Question, Reason};
use crate::repoint::adding::step::Step;

impl Conversation {
    pub(super) fn login_key(&self) -> Result<&str, Step> {
        match &self.login_key {
            Some(Ok(line)) => Ok(line),
            Some(Err(why)) => Err(Step::Refuse(Reason::NotWritable(why.clone()))),
            None => Err(Step::Find(Need::LoginKey)),
        }
    }

    pub(super) fn login(&self, session: &Session, key: &HostKey) -> Result<Access, Step> {
        let found = self.access.as_ref().filter(|(of, with, _)| of == session && with == key);
        let Some((_, _, access)) = found else {
            return Err(Step::Find(Need::Login(key.clone())));
        };
        let problem = match access {
            Access::Works | Access::Installed | Access::OwnKey => return Ok(access.clone()),
            _ if self.login_later => return Ok(access.clone()),
            Access::Missing => None,
            Access::Refused(why) | Access::WrongPassword(why) | Access::NotTried(why) => Some(why.clone()),
        };
        let line = lines::let_in(&session.user, self.login_key()?);
        Err(Step::Ask(Question::Login(Box::new(LoginQuestion {
            name: session.name.clone(),
            user: session.user.to_string(),
            line,
            problem,
        }))))
    }
}
