//! A conversation that runs, up to where the network would begin.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use secrecy::SecretString;
use tempfile::TempDir;

use super::*;
use crate::repoint::adding::TypedSecret;
use crate::repoint::adding::clipboard::{Clipboard, ReadClipboard};
use crate::repoint::adding::matters::{Answer, Question, Reason};
use crate::repoint::adding::surroundings::EXPIRES;
use crate::repoint::adding::view::Copy;
use crate::ssh::SystemSsh;
use crate::ssh::context::Tools;
use crate::store::dirs::Dirs;
use crate::store::vault::MemoryVault;

const PASSWORD: &str = "b7Tq9ZxR2mW4kLp8VnYs";
const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Default)]
struct Board {
    text: Mutex<Option<String>>,
}

impl Clipboard for Board {
    fn text(&self) -> ReadClipboard<'_> {
        let text = self.text.lock().unwrap().clone();
        Box::pin(async { text.map(SecretString::from).ok_or_else(|| "it is empty".to_owned()) })
    }

    fn put(&self, text: String) {
        *self.text.lock().unwrap() = Some(text);
    }

    fn put_secret(&self, _secret: SecretString) {
        panic!("nothing of a conversation is put there as a secret");
    }
}

struct House {
    home: TempDir,
    board: Arc<Board>,
    talk: Talk,
}

impl House {
    fn new(expires: Duration) -> Self {
        let home = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(home.path());
        let ssh = SystemSsh::find(Some(home.path())).unwrap();
        let tools = Arc::new(Tools { vault: Box::new(MemoryVault::default()), ssh, dirs, askpass: None });
        let board = Arc::new(Board::default());
        let (written, _) = mpsc::unbounded_channel();
        let clipboard: Arc<dyn Clipboard> = Arc::clone(&board) as _;
        let around = Surroundings { tools, clipboard, ssh_may_ask: false, expires, written };
        Self { home, board, talk: Talk::begin(around, Wish::default()) }
    }

    /// Says something to what is asked now.
    async fn say(&self, say: Say) -> Result<AddingView, String> {
        self.talk.say(self.talk.now().question, say).await.map(Heard::view)
    }

    /// The next view in which the person, or nobody, has to do something.
    async fn settled(&self) -> AddingView {
        loop {
            let view = self.talk.now();
            if !matches!(view.stage, Stage::Looks { .. }) {
                return view;
            }
            self.talk.next(view.revision, PATIENCE).await;
        }
    }
}

fn shown(view: &AddingView) -> String {
    serde_json::to_string(view).unwrap()
}

#[tokio::test]
async fn what_was_pasted_is_read_here_and_shown_without_its_secrets() {
    let house = House::new(EXPIRES);
    house.settled().await;
    house.board.put(format!("ssh -p15873 root@0.tcp.eu.ngrok.io\nRoot password: {PASSWORD}\n"));
    let at_once = house.say(Say::Paste).await.unwrap();
    assert!(!shown(&at_once).contains(PASSWORD));
    let view = house.settled().await;
    let Stage::Asks { question: Question::GoAhead(summary) } = &view.stage else { panic!("{view:?}") };
    assert!(summary.has_password && summary.diff.contains("Host colab"), "{summary:?}");
    assert!(view.echo.as_ref().is_some_and(|echo| echo.contains("15873")), "{view:?}");
    assert!(!shown(&view).contains(PASSWORD) && !format!("{:?}", house.talk).contains(PASSWORD));

    // Somebody goes on typing in the echo.
    let edited = format!("{}# mine", view.echo.unwrap());
    house.say(Say::Edited(TypedSecret::from(edited.as_str()))).await.unwrap();
    let view = house.settled().await;
    let Stage::Asks { question: Question::GoAhead(summary) } = &view.stage else { panic!("{view:?}") };
    assert!(summary.has_password, "the password was read once, and is kept");

    house.say(Say::StartAgain).await.unwrap();
    let view = house.settled().await;
    assert!(matches!(view.stage, Stage::Asks { question: Question::Where { has_password: false, .. } }));
    assert_eq!((view.echo, view.read), (None, None), "thrown away");
}

#[tokio::test]
async fn an_empty_clipboard_and_an_overlong_text_are_refused_and_the_talk_goes_on() {
    let house = House::new(EXPIRES);
    house.settled().await;
    assert_eq!(house.say(Say::Paste).await.unwrap_err(), "it is empty");
    let long = "x".repeat(moorline_paste::LONGEST + 1);
    assert!(house.say(Say::Text(TypedSecret::from(long.as_str()))).await.unwrap_err().contains("256 KiB"));
    assert!(house.say(Say::Copy(Copy::Line)).await.is_err(), "there is no line yet");
    assert!(house.say(Say::PasteAnswer).await.is_err());
    house.say(Say::Text(TypedSecret::from("bore.pub:4242"))).await.unwrap();
    assert!(matches!(house.settled().await.stage, Stage::Asks { question: Question::GoAhead(_) }));
}

#[tokio::test]
async fn a_conversation_that_nobody_answers_ends_and_keeps_nothing() {
    let house = House::new(Duration::ZERO);
    let view = house.talk.next(0, PATIENCE).await;
    assert!(view.revision > 0);
    while !house.talk.is_over() {
        tokio::task::yield_now().await;
    }
    let Stage::Refuses { why, .. } = house.talk.now().stage else { panic!("{:?}", house.talk.now()) };
    assert_eq!(why, Reason::Expired);
    assert!(house.say(Say::Paste).await.unwrap_err().contains("begin again"));
}

#[tokio::test]
async fn an_entry_that_switches_checking_off_is_taken_over_by_what_it_says() {
    let house = House::new(EXPIRES);
    house.settled().await;
    let ssh = house.home.path().join(".ssh");
    std::fs::create_dir_all(&ssh).unwrap();
    let entry = "Host colab\n    HostName 0.tcp.ngrok.io\n    Port 15873\n    User root\n    StrictHostKeyChecking no\n    UserKnownHostsFile /dev/null\n";
    std::fs::write(ssh.join("config"), format!("Host home\n    Port 2222\n{entry}")).unwrap();
    house.say(Say::Answer(Answer::TakeOver("colab".parse().unwrap()))).await.unwrap();
    let view = house.settled().await;
    let Stage::Asks { question: Question::GoAhead(summary) } = &view.stage else { panic!("{view:?}") };
    assert_eq!(summary.endpoint, "0.tcp.ngrok.io:15873");
    assert!(summary.diff.contains("+#moorline colab# Host colab"), "it is commented out: {}", summary.diff);
    let gone = Say::Answer(Answer::TakeOver("gone".parse().unwrap()));
    house.say(Say::StartAgain).await.unwrap();
    house.settled().await;
    assert!(house.say(gone).await.unwrap_err().contains("no entry gone"));
}

#[tokio::test]
async fn what_the_question_asks_is_no_doubt_besides() {
    for text in [
        "Root password: b7Tq9ZxR2mW4kLp8VnYs",
        "ssh -p 7423 root@127.0.0.1",
        "tcp://0.tcp.ngrok.io:1111\nssh -p 2222 root@bore.pub",
    ] {
        let house = House::new(EXPIRES);
        house.settled().await;
        house.say(Say::Text(TypedSecret::from(text))).await.unwrap();
        let view = house.settled().await;
        assert_eq!(view.read.unwrap().doubts, Vec::<String>::new(), "{text}: {:?}", view.stage);
    }
}

#[tokio::test]
async fn an_answer_to_an_earlier_question_is_not_taken_for_the_next_one() {
    let house = House::new(EXPIRES);
    let first = house.settled().await;
    house.say(Say::Text(TypedSecret::from("ssh -p 7423 root@127.0.0.1"))).await.unwrap();
    let whose = house.settled().await;
    assert!(matches!(whose.stage, Stage::Asks { question: Question::WhosePort { .. } }), "{whose:?}");
    assert!(whose.question > first.question);

    let here = || Say::Answer(Answer::ThisComputer);
    let stale = house.talk.say(first.question, here()).await.unwrap();
    assert_eq!(stale, Heard::Stale(whose.clone()), "nothing changed, and what is asked comes back");

    // A click that came twice: the second one reaches what the first one led to.
    let (once, twice) =
        tokio::join!(house.talk.say(whose.question, here()), house.talk.say(whose.question, here()));
    assert!(matches!((once, twice), (Ok(Heard::Taken(_)), Ok(Heard::Stale(_)))));
    let ahead = house.settled().await;
    assert!(matches!(ahead.stage, Stage::Asks { question: Question::GoAhead(_) }), "{ahead:?}");
    house.board.put("root".to_owned());
    let pasted = house.talk.say(whose.question, Say::PasteAnswer).await.unwrap();
    assert_eq!(pasted, Heard::Stale(ahead), "nor is a pasted one");
}

#[tokio::test]
async fn the_same_question_keeps_its_number_until_it_is_answered() {
    let house = House::new(EXPIRES);
    house.settled().await;
    house.say(Say::Text(TypedSecret::from("ssh -p 7423 root@127.0.0.1"))).await.unwrap();
    let whose = house.settled().await;
    house.say(Say::Edited(TypedSecret::from("ssh -p 7423 root@127.0.0.1 "))).await.unwrap();
    let again = house.settled().await;
    assert!(again.revision > whose.revision && again.question == whose.question, "{again:?}");
}
