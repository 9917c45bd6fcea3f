//! The task that leads a conversation: it finds facts, waits for answers, carries the outcome out, and shows all of it.

use std::sync::Arc;

use moorline_model::clock;
use moorline_model::secret_kind::SecretKind;
use moorline_model::session::Session;
use moorline_ssh_files::Alias;
use secrecy::SecretString;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::carry_out;
use super::conversation::Conversation;
use super::find::Finder;
use super::known::Known;
use super::matters::{Access, Answer, Fact, Need, NotSeen, Question, Reason};
use super::showing::{checks, looking, understood};
use super::step::{Decided, Step};
use super::surroundings::{Spoken, Surroundings};
use super::typed_secret::TypedSecret;
use super::view::{AddingView, Copy, Looking, Outcome, Say, Stage};

use super::wish::Wish;
use crate::repoint::unchecked_entries;
use crate::ssh::kept_secrets::{self, Kept};
use crate::ssh::reach::relay_ssh;

/// The task that leads one conversation.
pub(super) struct Task {
    around: Surroundings,
    finder: Finder,
    talk: Conversation,
    show: watch::Sender<AddingView>,
    echo: Option<String>,
    typed_last: bool,
    /// A relay's password that was tried, for which session, and what lay there before.
    tried: Option<(Session, Option<SecretString>)>,
    outcome: Option<Outcome>,
    /// What was asked last, until it is answered.
    asked: Option<Stage>,
}

/// What follows from what was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Follows {
    /// Something else comes next.
    News,
    /// Nothing.
    Nothing,
    /// It answers what is not asked.
    Stale,
}

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum From {
    /// The person typed it.
    Typed,
    /// It is what became of the last one.
    Edited,
    /// The clipboard, or a file: no face has seen it.
    Clipboard,
}

type Hears = mpsc::Receiver<Spoken>;

impl Task {
    /// Nothing is known yet.
    pub(super) fn new(around: Surroundings, wish: Wish, show: watch::Sender<AddingView>) -> Self {
        let finder = Finder { tools: Arc::clone(&around.tools), ssh_may_ask: around.ssh_may_ask };
        Self {
            around,
            finder,
            talk: Conversation::new(wish, Known::default()),
            show,
            echo: None,
            typed_last: false,
            tried: None,
            outcome: None,
            asked: None,
        }
    }

    /// Leads it to its end.
    pub(super) async fn run(mut self, mut hears: Hears) {
        self.lead(&mut hears).await;
        self.untry().await;
    }

    /// Puts back what lay in the keyring before a relay's password was tried.
    async fn untry(&mut self) {
        let Some((session, before)) = self.tried.take() else { return };
        let tools = Arc::clone(&self.around.tools);
        let name = session.name.clone();
        let put_back = tokio::task::spawn_blocking(move || match before {
            Some(password) => kept_secrets::keep_relay_password(&tools, &session, &password),
            None => kept_secrets::delete(&*tools.vault, &session.name, SecretKind::RelayPassword).map(drop),
        });
        if let Ok(Err(error)) = put_back.await {
            tracing::warn!(%error, session = %name, "a relay's password that was tried stays in the keyring");
        }
    }

    /// Keeps a relay's password where ssh, which asks a program of ours for it, finds it: in the keyring alone.
    async fn try_relay_password(&mut self, session: &Session) -> Result<(), String> {
        let wanted = self.talk.relay_password().filter(|_| !self.talk.wish().dry_run).cloned();
        let Some(password) = wanted else { return Ok(()) };
        if self.tried.as_ref().is_none_or(|(of, _)| of.name != session.name || of.link != session.link) {
            self.untry().await;
            let (tools, of) = (Arc::clone(&self.around.tools), session.clone());
            let before =
                tokio::task::spawn_blocking(move || kept_secrets::relay_password_for(&tools, &of)).await;
            let before = match before {
                Ok(Ok(Kept::Here(before))) => Some(before),
                _ => None,
            };
            self.tried = Some((session.clone(), before));
        }
        let (tools, of) = (Arc::clone(&self.around.tools), session.clone());
        let kept =
            tokio::task::spawn_blocking(move || kept_secrets::keep_relay_password(&tools, &of, &password))
                .await;
        kept.unwrap_or(Ok(())).map_err(|error| error.to_string())
    }

    async fn lead(&mut self, hears: &mut Hears) {
        if let Err(why) = self.know().await {
            self.present(Stage::refuses(Reason::NotWritable(why)));
            if !self.wait(hears).await {
                return;
            }
        }
        loop {
            match self.talk.step(clock::now()) {
                Step::Find(need) => {
                    self.present(Stage::Looks { at: looking(&need) });
                    if !self.find(need, hears).await {
                        return;
                    }
                }
                Step::Ask(question) => {
                    self.present(Stage::Asks { question });
                    if !self.wait(hears).await {
                        return;
                    }
                }
                Step::Refuse(why) => {
                    self.present(Stage::refuses(why));
                    if !self.wait(hears).await {
                        return;
                    }
                }
                Step::Done(decided) => match self.carry_out(*decided).await {
                    Ok(outcome) => {
                        self.outcome = Some(outcome.clone());
                        self.present(Stage::Done { outcome });
                        // Nothing that was pasted is needed any more.
                        self.talk.start_again(Known::default());
                        // It stays to be looked at, and a line may still be copied.
                        while self.hear_last(hears).await {}
                        return;
                    }
                    Err(why) => {
                        self.present(Stage::refuses(why));
                        if !self.wait(hears).await {
                            return;
                        }
                        let _ = self.know().await;
                    }
                },
            }
        }
    }

    /// Reads the sessions and pins as they are now.
    async fn know(&mut self) -> Result<(), String> {
        let tools = Arc::clone(&self.around.tools);
        let known = tokio::task::spawn_blocking(move || Known::load(&tools)).await;
        match known {
            Ok(Ok(known)) => {
                self.talk.refresh(known);
                Ok(())
            }
            Ok(Err(error)) => Err(error.to_string()),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Finds out, and hears meanwhile: who says something else does not have to wait. `false` when nobody is there.
    async fn find(&mut self, need: Need, hears: &mut Hears) -> bool {
        if let Need::Runtime(session) = &need
            && let Err(why) = self.try_relay_password(session).await
        {
            self.learn(&need, Fact::NotSeen(NotSeen::Other(why)));
            return true;
        }
        let finder = self.finder.clone();
        loop {
            let said = {
                let finding = finder.find(&need, &self.talk);
                tokio::select! {
                    fact = finding => Err(fact),
                    said = hears.recv() => Ok(said),
                }
            };
            match said {
                Err(fact) => {
                    self.learn(&need, fact);
                    return true;
                }
                Ok(None) => return false,
                Ok(Some(spoken)) => {
                    let done = self.hear(spoken.question, spoken.say).await;
                    let changed = done == Ok(Follows::News);
                    let _ = spoken.answer.send(done.map(|follows| follows != Follows::Stale));
                    if changed {
                        return true;
                    }
                }
            }
        }
    }

    fn learn(&mut self, need: &Need, fact: Fact) {
        self.talk.learn(need, fact);
    }

    /// Waits for something that changes what comes next. `false` when nobody is there, or for too long.
    async fn wait(&mut self, hears: &mut Hears) -> bool {
        let end = Instant::now() + self.around.expires;
        loop {
            let said = tokio::select! {
                said = hears.recv() => said,
                () = sleep_until(end) => {
                    self.untry().await;
                    self.talk.start_again(Known::default());
                    self.echo = None;
                    self.present(Stage::refuses(Reason::Expired));
                    return false;
                }
            };
            let Some(spoken) = said else { return false };
            let done = self.hear(spoken.question, spoken.say).await;
            let changed = done == Ok(Follows::News);
            if changed {
                // Whoever asked sees that something goes on, and not the question that was just answered.
                self.present(Stage::Looks { at: Looking::Here });
            }
            let _ = spoken.answer.send(done.map(|follows| follows != Follows::Stale));
            if changed {
                return true;
            }
        }
    }

    /// After the end, lines can still be copied.
    async fn hear_last(&mut self, hears: &mut Hears) -> bool {
        let end = Instant::now() + self.around.expires;
        let said = tokio::select! {
            said = hears.recv() => said,
            () = sleep_until(end) => None,
        };
        let Some(spoken) = said else { return false };
        let done = match spoken.say {
            Say::Copy(what) => self.copy(what).map(|()| true),
            // The last question was answered twice.
            say if say.is_answer() => Ok(false),
            _ => Err("this is done; begin again for another one".to_owned()),
        };
        let _ = spoken.answer.send(done);
        true
    }

    /// Takes what was said.
    async fn hear(&mut self, question: u64, say: Say) -> Result<Follows, String> {
        if say.is_answer() && !self.asks(question) {
            return Ok(Follows::Stale);
        }
        let is_answer = say.is_answer();
        let changes = self.take(say).await?;
        if is_answer {
            self.asked = None;
        }
        Ok(if changes { Follows::News } else { Follows::Nothing })
    }

    /// Whether the question of this number is asked just now.
    fn asks(&self, question: u64) -> bool {
        let view = self.show.borrow();
        view.question == question && self.asked.as_ref() == Some(&view.stage)
    }

    /// Takes what was said. `Ok(true)` if it changes what comes next.
    async fn take(&mut self, say: Say) -> Result<bool, String> {
        match say {
            Say::Text(text) => self.take_text(&text, From::Typed).await,
            Say::Edited(text) => self.take_text(&text, From::Edited).await,
            Say::Paste => {
                let text = self.around.clipboard.text().await?;
                self.take_text(&TypedSecret::new(text), From::Clipboard).await
            }
            Say::StartAgain => {
                self.echo = None;
                self.untry().await;
                self.talk.start_again(Known::default());
                self.know().await?;
                Ok(true)
            }
            Say::Rename(name) => {
                self.talk.rename(name);
                Ok(true)
            }
            Say::Answer(answer) => {
                if matches!(answer, Answer::TryAgain) {
                    self.know().await?;
                }
                if let Answer::TakeOver(name) = &answer
                    && self.talk.texts().is_empty()
                {
                    // Where it leads stands in the entry itself.
                    self.take_entry(name.clone()).await?;
                }
                self.talk.answer(answer);
                Ok(true)
            }
            Say::PasteAnswer => {
                let text = self.around.clipboard.text().await?;
                let answer = self.pasted_answer(&TypedSecret::new(text))?;
                self.talk.answer(answer);
                Ok(true)
            }
            Say::Copy(what) => self.copy(what).map(|()| false),
        }
    }

    async fn take_text(&mut self, text: &TypedSecret, from: From) -> Result<bool, String> {
        if text.text().len() > moorline_paste::LONGEST {
            return Err("that is more than 256 KiB; paste only what the cell printed, or the cell".to_owned());
        }
        if text.text().trim().is_empty() && from != From::Edited {
            return Err("there is no text in it; copy what the cell printed, or the cell itself".to_owned());
        }
        let shown = text.clone();
        // A long text takes its time, and the agent has one thread.
        let echo = tokio::task::spawn_blocking(move || match from {
            From::Clipboard => moorline_paste::echo(shown.text()),
            From::Typed | From::Edited => moorline_paste::redacted(shown.text()),
        });
        self.echo = Some(echo.await.unwrap_or_else(|_| moorline_paste::REDACTED.to_owned()));
        // The echo of a paste is not all of it: what becomes of that is one more text, and the newest counts.
        let replaces = from == From::Edited && self.typed_last;
        self.typed_last = from != From::Clipboard;
        self.talk.take_text(text.secret().clone(), replaces);
        Ok(true)
    }

    async fn take_entry(&mut self, name: Alias) -> Result<(), String> {
        let tools = Arc::clone(&self.around.tools);
        let asked = name.clone();
        let dirs = move || unchecked_entries::text_of(&tools.dirs.ssh, &tools.dirs.home, &asked);
        let text = tokio::task::spawn_blocking(dirs).await.ok().flatten();
        let text =
            text.ok_or_else(|| format!("there is no entry {name} any more that could be taken over"))?;
        self.take_text(&TypedSecret::from(text.as_str()), From::Clipboard).await?;
        self.talk.rename(name);
        Ok(())
    }

    /// What a pasted text answers, by what is asked.
    fn pasted_answer(&self, text: &TypedSecret) -> Result<Answer, String> {
        match &self.show.borrow().stage {
            Stage::Asks { question: Question::Key(_) } => Ok(Answer::Notebook(text.text().to_owned())),
            Stage::Asks { question: Question::Login(_) } => Ok(Answer::Password(trimmed(text))),
            Stage::Asks { question: Question::RelayLogin { .. } } => Ok(Answer::RelayPassword(trimmed(text))),
            _ => Err("nothing is asked that a pasted text could answer".to_owned()),
        }
    }

    fn copy(&self, what: Copy) -> Result<(), String> {
        let view = self.show.borrow();
        let line = match (&view.stage, what) {
            (Stage::Asks { question: Question::Key(key) }, Copy::Line) => key.line.clone(),
            (Stage::Asks { question: Question::Login(login) }, Copy::Line) => login.line.clone(),
            (Stage::Done { outcome }, Copy::Command) => format!("ssh {}", outcome.name),
            _ => return Err("there is no such line to copy now".to_owned()),
        };
        drop(view);
        self.around.clipboard.put(line);
        Ok(())
    }

    async fn carry_out(&mut self, decided: Decided) -> Result<Outcome, Reason> {
        let tools = Arc::clone(&self.around.tools);
        self.present(Stage::Looks { at: Looking::Writing });
        if self.talk.wish().dry_run {
            return carry_out::foresee(&tools, &decided).await;
        }
        let mut outcome = carry_out::write(&tools, &decided).await?;
        let _ = self.around.written.send(());
        let session = decided.change.session.clone();
        let access = decided.access.clone();
        // It is kept for good now.
        self.tried = None;
        self.outcome = Some(outcome.clone());
        if matches!(access, Some(Access::Works | Access::Installed | Access::OwnKey)) {
            self.present(Stage::Looks { at: Looking::Ssh });
        }
        let ssh = {
            let (tools, session) = (Arc::clone(&tools), session.clone());
            tokio::task::spawn_blocking(move || relay_ssh(&tools, &session)).await
        };
        let ssh = ssh.unwrap_or_else(|_| tools.ssh.clone());
        let (works, remark) = carry_out::try_ssh(&ssh, &session, access.as_ref()).await;
        outcome.ssh_works = works;
        outcome.remarks.extend(remark);
        Ok(outcome)
    }

    /// Shows how it is.
    fn present(&mut self, stage: Stage) {
        // A runtime that was chosen is understood without a text.
        let known = !self.talk.texts().is_empty() || self.talk.reading().link.is_some();
        let read = known.then(|| understood(&self.talk));
        let draft = self.talk.draft();
        let checks = checks(&self.talk, self.outcome.as_ref(), &stage);
        let waits = matches!(stage, Stage::Asks { .. } | Stage::Refuses { .. });
        let another = waits && self.asked.as_ref() != Some(&stage);
        if another {
            self.asked = Some(stage.clone());
        }
        self.show.send_modify(|view| {
            view.revision += 1;
            view.question += u64::from(another);
            view.echo.clone_from(&self.echo);
            view.read = read;
            view.draft = draft;
            view.stage = stage;
            view.checks = checks;
        });
    }
}

/// A password is one word; what a selection took along is not part of it.
fn trimmed(text: &TypedSecret) -> TypedSecret {
    TypedSecret::from(text.text().trim())
}
