//! Sign-ins, other programs' files while they are rewritten, and what is kept of a runtime.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use moorline_model::clock;
use moorline_model::secret_kind::SecretKind;
use moorline_model::session::{ColabLink, Link, Session};
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::ssh::context::Tools;
use crate::ssh::{Prompts, SystemSsh};
use crate::store::dirs::Dirs;
use crate::store::vault::{MemoryVault, SecretName, Vault, VaultError};

/// Nothing here asks Google.
const LIMIT: Duration = Duration::from_secs(1);

const SIGN_IN: &str = r#"{"token":"ya29.x","refresh_token":"1//refresh-colab","token_uri":"https://elsewhere.example",
 "client_id":"id.apps.googleusercontent.com","client_secret":"secret-colab","scopes":["openid"],
 "universe_domain":"googleapis.com","account":"","expiry":"2026-01-01T00:00:00Z"}"#;

const SESSIONS: &str = r#"{
  "trainer": {"name":"trainer","token":"tok","url":"https://h.example","endpoint":"gpu-t4-s-1",
    "token_expires_at":"2026-11-21T10:00:00Z","variant":"GPU","accelerator":"T4","machine_shape":"STANDARD",
    "kernel_id":null,"session_id":null,"last_execution":["train.py","3","2026-09-28T11:54:00"],"running":null},
  "Not an alias": {"name":"x","token":"t","url":"u","endpoint":"gpu-t4-s-2"},
  "odd": {"name":"odd","token":"t","url":"u","endpoint":"../etc"},
  "364d98": {"name":"364d98","token":"t","url":"u","endpoint":"m-s-3"},
  "future": ["another", "format"]
}"#;

struct Home {
    dir: tempfile::TempDir,
    tools: Tools,
    vault: Arc<MemoryVault>,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vault = Arc::new(MemoryVault::default());
        let ssh = SystemSsh {
            program: PathBuf::from("/usr/bin/ssh"),
            config: None,
            known_hosts: None,
            prompts: Prompts::Never,
        };
        let dirs = Dirs::under(dir.path());
        let tools = Tools { dirs, vault: Box::new(Arc::clone(&vault)), ssh, askpass: None };
        Self { dir, tools, vault }
    }

    fn put(&self, path: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn places(&self) -> Vec<String> {
        let all = Credentials::all(&self.tools.dirs, &*self.tools.vault).unwrap();
        all.into_iter().map(|found| found.place.rsplit('/').next().unwrap_or_default().to_owned()).collect()
    }
}

/// A file that was written long ago.
fn age(path: &Path) {
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    fs::File::options().append(true).open(path).unwrap().set_modified(old).unwrap();
}

fn session(runtime: &str) -> Session {
    Session {
        name: "colab".parse().unwrap(),
        link: Link::Colab(ColabLink { runtime: runtime.parse().unwrap() }),
        user: "root".parse().unwrap(),
        folder: None,
        identity_file: None,
    }
}

fn way(expires: Timestamp) -> RuntimeAccess {
    let token = SecretString::from("proxy-token-7");
    RuntimeAccess { host: "h.example".parse().unwrap(), token, expires }
}

fn way_kept(tools: &Tools, session: &Session) -> Option<RuntimeAccess> {
    kept(&*tools.vault, session, clock::now()).unwrap()
}

fn in_minutes(minutes: i64) -> Timestamp {
    clock::now() + SignedDuration::from_mins(minutes)
}

#[test]
fn the_sign_ins_of_both_programs_are_found_and_the_copy_comes_first() {
    let home = Home::new();
    assert!(matches!(Credentials::all(&home.tools.dirs, &*home.tools.vault), Err(GoogleError::SignedOut)));
    let gcloud = SIGN_IN.replace(r#""token":"#, r#""type":"authorized_user","token":"#);
    home.put(".config/gcloud/application_default_credentials.json", &gcloud);
    assert_eq!(home.places(), ["application_default_credentials.json"]);
    home.put(".config/colab-cli/token.json", SIGN_IN);
    assert_eq!(home.places(), ["token.json", "application_default_credentials.json"]);
    let found = Credentials::of(&home.tools.dirs, Source::ColabCli).unwrap().unwrap();
    found.keep(&*home.tools.vault).unwrap();
    assert_eq!(home.places().first().map(String::as_str), Some("the keyring"));
    home.vault.fail_with(Some(VaultError::Locked));
    assert_eq!(home.places().len(), 2, "a locked keyring is no reason to leave the files alone");
    let shown = format!("{found:?}");
    assert!(!shown.contains("refresh-colab") && !shown.contains("secret-colab"), "{shown}");
}

/// `SIGN_IN` names another token server, as a file that was tampered with would.
#[test]
fn a_sign_in_goes_to_google_s_token_server_and_nowhere_else() {
    let home = Home::new();
    home.put(".config/colab-cli/token.json", SIGN_IN);
    let found = Credentials::of(&home.tools.dirs, Source::ColabCli).unwrap().unwrap();
    let web = crate::net::http::builder().build().unwrap();
    let request = found.token_request(&web).build().unwrap();
    assert_eq!(request.url().as_str(), "https://oauth2.googleapis.com/token");
    let body = request.body().and_then(reqwest::Body::as_bytes).unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(body.contains("refresh_token=1%2F%2Frefresh%2Dcolab"), "it is what is sent: {body}");
}

#[test]
fn a_kept_sign_in_that_was_not_given_for_google_is_not_used() {
    let home = Home::new();
    let name = SecretName::account(SecretKind::GoogleRefreshToken);
    for text in [
        SIGN_IN.to_owned(),
        serde_json::json!({ "v": 1, "for": { "host": "elsewhere.example" }, "secret": SIGN_IN }).to_string(),
    ] {
        home.vault.set(&name, &SecretString::from(text)).unwrap();
        let said = Credentials::all(&home.tools.dirs, &*home.tools.vault).unwrap_err().to_string();
        assert!(said.contains("it does not say that it was given for Google"), "{said}");
    }
    Credentials::keep_text(&*home.tools.vault, &SIGN_IN.into()).unwrap();
    assert_eq!(home.places(), ["the keyring"]);
}

#[test]
fn a_file_that_is_no_sign_in_says_so_and_shows_nothing_of_itself() {
    for text in [
        "",
        "{",
        "[]",
        "null",
        r#"{"refresh_token":"hidden"}"#,
        r#"{"client_id":"a","client_secret":"b","refresh_token":""}"#,
        r#"{"type":"service_account","client_id":"a","client_secret":"b","refresh_token":"hidden"}"#,
        &SIGN_IN[..120],
    ] {
        let home = Home::new();
        age(&home.put(".config/colab-cli/token.json", text));
        let said = Credentials::all(&home.tools.dirs, &*home.tools.vault).unwrap_err().to_string();
        assert!(said.contains("token.json cannot be used") && !said.contains("hidden"), "{text}: {said}");
        home.put(".config/gcloud/application_default_credentials.json", SIGN_IN);
        assert_eq!(home.places().len(), 1, "the other one does");
    }
}

#[test]
fn the_sessions_of_the_command_line_are_read_as_far_as_they_can_be_used() {
    let home = Home::new();
    assert_eq!(cli_sessions(&home.tools.dirs).unwrap(), [], "no file, no sessions");
    let path = home.put(".config/colab-cli/sessions.json", SESSIONS);
    let found = cli_sessions(&home.tools.dirs).unwrap();
    let found: Vec<_> = found.iter().map(|one| (one.name.as_str(), one.runtime.as_str())).collect();
    assert_eq!(found, [("364d98", "m-s-3"), ("trainer", "gpu-t4-s-1")]);
    fs::write(&path, "{}").unwrap();
    assert_eq!(cli_sessions(&home.tools.dirs).unwrap(), []);
    fs::write(&path, "{\"a\": ").unwrap();
    age(&path);
    let error = cli_sessions(&home.tools.dirs).unwrap_err();
    let said = error.to_string();
    assert!(said.contains("sessions.json cannot be used: it is not JSON, or cut off"), "{said}");
    assert!(!said.contains("sign") && !error.needs_a_person(), "a sign-in is something else: {said}");
    for empty in ["", " \n"] {
        fs::write(&path, empty).unwrap();
        age(&path);
        assert_eq!(cli_sessions(&home.tools.dirs).unwrap(), [], "an empty list has no sessions");
    }
}

/// They empty the file, then fill it; a reader may see any part of that.
#[test]
fn files_that_are_being_rewritten_are_read_whole() {
    let home = Home::new();
    let sessions = home.put(".config/colab-cli/sessions.json", SESSIONS);
    let token = home.put(".config/colab-cli/token.json", SIGN_IN);
    let (over, rewritten) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let (stop, count) = (Arc::clone(&over), Arc::clone(&rewritten));
    let writer = std::thread::spawn(move || {
        while !stop.load(Ordering::Relaxed) {
            for (path, text) in [(&sessions, SESSIONS), (&token, SIGN_IN)] {
                let mut file = fs::File::options().write(true).truncate(true).open(path).unwrap();
                for part in text.as_bytes().chunks(40) {
                    std::io::Write::write_all(&mut file, part).unwrap();
                    std::thread::sleep(Duration::from_micros(200));
                }
            }
            count.fetch_add(1, Ordering::Relaxed);
            std::thread::sleep(Duration::from_millis(8));
        }
    });
    while rewritten.load(Ordering::Relaxed) < 40 {
        assert_eq!(cli_sessions(&home.tools.dirs).unwrap().len(), 2);
        assert!(Credentials::of(&home.tools.dirs, Source::ColabCli).unwrap().is_some());
    }
    over.store(true, Ordering::Relaxed);
    writer.join().unwrap();
}

#[test]
fn a_kept_way_is_used_while_it_is_fresh_and_for_its_own_runtime() {
    let home = Home::new();
    let colab = session("gpu-t4-s-1");
    let kept = |session: &Session| way_kept(&home.tools, session);
    assert!(kept(&colab).is_none(), "nothing was kept");
    keep(&*home.tools.vault, &colab, &way(in_minutes(60))).unwrap();
    let found = kept(&colab).unwrap();
    assert_eq!((found.host.as_str(), found.token.expose_secret()), ("h.example", "proxy-token-7"));
    assert_eq!(
        access(&home.tools.dirs, &*home.tools.vault, &colab, LIMIT).unwrap().host.as_str(),
        "h.example",
        "Google need not be asked"
    );
    assert!(kept(&session("gpu-t4-s-2")).is_none(), "it opens no other runtime");
    keep(&*home.tools.vault, &colab, &way(in_minutes(5))).unwrap();
    assert!(kept(&colab).is_none(), "what ends in five minutes has ended");
    keep(&*home.tools.vault, &colab, &way(in_minutes(6))).unwrap();
    assert!(kept(&colab).is_some());
    home.vault.fail_with(Some(VaultError::Locked));
    assert!(kept(&colab).is_none(), "a locked keyring keeps nothing");
    assert!(!format!("{found:?}").contains("proxy-token-7"));
}

#[test]
fn what_is_kept_may_have_been_tampered_with() {
    let home = Home::new();
    let colab = session("gpu-t4-s-1");
    let name = SecretName::of("colab".parse().unwrap(), SecretKind::RuntimeToken);
    for text in [
        "",
        "{}",
        r#"{"runtime":"gpu-t4-s-1","host":"$(id)","token":"t","expires":"2999-01-01T00:00:00Z"}"#,
        r#"{"runtime":"gpu-t4-s-1","host":"h","token":"t","expires":"soon"}"#,
    ] {
        home.vault.set(&name, &SecretString::from(text)).unwrap();
        assert!(kept(&*home.tools.vault, &colab, clock::now()).unwrap().is_none(), "{text}");
    }
    let direct = Session { link: Link::Cloudflare("h.example".parse().unwrap()), ..session("gpu-t4-s-1") };
    assert_eq!(
        access(&home.tools.dirs, &*home.tools.vault, &direct, LIMIT).unwrap_err(),
        GoogleError::OtherLink { kind: "cloudflare" },
        "another link has no such way"
    );
}

#[test]
fn without_a_sign_in_the_way_is_not_found_and_the_next_step_is_named() {
    let home = Home::new();
    let said =
        access(&home.tools.dirs, &*home.tools.vault, &session("gpu-t4-s-1"), LIMIT).unwrap_err().to_string();
    assert!(said.contains("colab sessions") && said.contains("gcloud auth"), "{said}");
}

#[test]
fn what_was_heard_counts_until_somebody_else_is_signed_in() {
    let home = Home::new();
    home.put(".config/colab-cli/token.json", SIGN_IN);
    let client = |tools: &Tools| Client::new(Credentials::all(&tools.dirs, &*tools.vault).unwrap()).unwrap();
    let first = client(&home.tools);
    assert!(first.signs_in_with(&Credentials::all(&home.tools.dirs, &*home.tools.vault).unwrap()));
    let copy = Credentials::of(&home.tools.dirs, Source::ColabCli).unwrap().unwrap();
    copy.keep(&*home.tools.vault).unwrap();
    assert!(
        !first.signs_in_with(&Credentials::all(&home.tools.dirs, &*home.tools.vault).unwrap()),
        "there is another one"
    );
    let both = client(&home.tools);
    home.put(".config/colab-cli/token.json", &SIGN_IN.replace("refresh-colab", "refresh-other"));
    assert!(
        !both.signs_in_with(&Credentials::all(&home.tools.dirs, &*home.tools.vault).unwrap()),
        "one of them is another's"
    );
}
