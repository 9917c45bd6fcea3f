//! An ngrok account behind its API: agents that were left behind, stopping them, and what ngrok refuses.
#![cfg(target_os = "linux")]

use moorline_tests::internet::Internet;
use moorline_tests::ngrok_api::NgrokApi;
use moorline_tests::{Outcome, Story};

/// Like an API key, which begins otherwise than an authtoken.
const KEY: &str = "3AbCdEfGhIjKlMnOpQrStUvWxYz_1234567890abcdef";

/// Like an authtoken.
const AUTHTOKEN: &str = "2AbCdEfGhIjKlMnOpQrStUvWxYz_1234567890abcdef";

struct Account {
    story: Story,
    internet: Internet,
    api: NgrokApi,
}

impl Account {
    /// A session over ngrok, and an account whose key is stored.
    fn new() -> Self {
        let story = Story::begin();
        let internet = Internet::start(&story.stage);
        let api = NgrokApi::start(&internet, KEY);
        story.stage.knows_host("127.0.0.1", "0.tcp.eu.ngrok.io");
        let cell =
            format!("tcp://0.tcp.eu.ngrok.io:{}\nuser {}\n", story.runtime.port(), story.runtime.user());
        story.paste(&["add", "colab"], &cell).works("it is added");
        let account = Self { story, internet, api };
        account.keeps(KEY);
        account
    }

    fn keeps(&self, key: &str) {
        self.story.stage.hide(key);
        self.story.stage.moorline_reads(&["secret", "set", "ngrok-api-key"], key).works("the key is stored");
    }

    fn stop_agents(&self) -> Outcome {
        self.story.stage.moorline(&["repair", "colab", "--stop-agents", "--yes"])
    }

    /// An agent that holds what the session leads to.
    fn in_use(&self) -> String {
        let agent = self.api.agent();
        self.api.tcp(&agent, "0.tcp.eu.ngrok.io", self.story.runtime.port(), "");
        agent
    }
}

#[test]
fn agents_that_hold_nothing_are_shown_and_stopped_and_others_are_not() {
    let account = Account::new();
    let (used, forgotten, web, stale) =
        (account.in_use(), account.api.agent(), account.api.agent(), account.api.agent());
    account.api.endpoint(&web, "https", "x.ngrok.app:443", "");
    account.api.tcp(&stale, "1.tcp.eu.ngrok.io", 20001, "");
    // Several pages, as of a large account.
    account.api.pages_of(1);

    let status = account.story.stage.moorline(&["status", "colab", "--check"]).works("it is looked at");
    status.says(&forgotten).says("--stop-agents");
    let stopped = account.stop_agents().works("they are stopped");
    let stopped = stopped.says(&format!("stopped ngrok agent {forgotten}"));
    stopped.says(&format!("left running: ngrok agent {stale}")).says("tcp://1.tcp.eu.ngrok.io:20001");
    assert_eq!(account.api.agents(), [used, web, stale], "the one that held nothing, and no other");
    let asked = account.api.asked();
    assert_eq!(asked.iter().filter(|line| line.starts_with("POST ")).count(), 1, "{asked:?}");
    assert!(account.internet.asked().iter().all(|host| host.starts_with("api.ngrok.com")));
}

#[test]
fn what_ngrok_refuses_is_a_sentence_with_the_next_step() {
    let account = Account::new();
    for (status, code, says) in [
        (429, 226, "asked too often"),
        (403, 123, "e-mail address confirmed"),
        (400, 4027, "traffic is used up"),
        (400, 9999, "err_ngrok_9999"),
        (500, 0, "ERR_NGROK_0"),
    ] {
        account.api.refuses(Some((status, code, "no")));
        account.stop_agents().fails("ngrok refuses").says(says);
    }
    account.api.refuses(None);
    account.keeps(AUTHTOKEN);
    account.stop_agents().fails("that is no API key").says("an authtoken was used as an API key");
    account.keeps("9nonsense");
    account.stop_agents().fails("that is no key at all").says("does not take the API key");
    account.internet.forget(moorline_tests::ngrok_api::HOST);
    account.stop_agents().fails("the API is not there").says("api.ngrok.com cannot be reached");
}

#[test]
fn without_a_key_it_is_said_where_to_get_one() {
    let story = Story::begin();
    let cell = format!("ssh -p {} {}@127.0.0.1\n", story.runtime.port(), story.runtime.user());
    story.paste(&["add", "colab"], &cell).works("it is added");
    let refused =
        story.stage.moorline(&["repair", "colab", "--stop-agents", "--yes"]).fails("there is no key");
    refused.says("\n  moorline secret set ngrok-api-key\n");
}
