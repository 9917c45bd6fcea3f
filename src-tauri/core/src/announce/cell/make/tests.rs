//! Wishes that come true, that are made again, and that are refused before anything is written.

use std::fs;

use moorline_model::channel_settings::ChannelKind;
use moorline_model::secret_kind::SecretKind;
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;
use crate::announce::cell::{CellWay, ToldBy, cell_text, notebook_secret};
use crate::repoint::change::Change;
use crate::repoint::write;
use crate::ssh::SystemSsh;
use crate::store::dirs::Dirs;
use crate::store::installed_programs;
use crate::store::vault::{MemoryVault, SecretName};

struct Home {
    _dir: TempDir,
    tools: Tools,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let dirs = Dirs::under(dir.path());
        Dirs::create_private(&dirs.ssh).unwrap();
        installed_programs::pretend(&dirs);
        let ssh = SystemSsh::find(Some(dir.path())).unwrap();
        Self { tools: Tools { dirs, vault: Box::new(MemoryVault::default()), ssh, askpass: None }, _dir: dir }
    }

    fn sessions(&self) -> SessionsFile {
        SessionsFile::load(&self.tools.dirs.sessions_file()).unwrap()
    }

    fn key_is_there(&self) -> bool {
        session_keys::load(&*self.tools.vault, &colab()).unwrap().is_some()
    }

    async fn refuses(&self, wish: &CellWish) -> String {
        let error = make(&self.tools, wish).await.unwrap_err().to_string();
        assert!(!error.contains("moorline ") && !error.contains("--"), "no face's own words: {error}");
        error
    }
}

fn colab() -> Alias {
    "colab".parse().unwrap()
}

fn wish(way: CellWay, told_by: ToldBy) -> CellWish {
    CellWish { name: colab(), way, told_by }
}

fn relay(host: &str) -> CellWay {
    CellWay::Relay { relay: host.parse().unwrap(), port: "7423".parse().unwrap() }
}

#[tokio::test]
async fn each_way_makes_a_session_with_a_cell_that_goes_it() {
    let named = || CellWay::NamedTunnel { host: "ssh.example.org".parse().unwrap() };
    let direct = || CellWay::Direct { host: "vm.example.org".parse().unwrap(), port: "22".parse().unwrap() };
    for (way, kind, other) in [
        (CellWay::QuickTunnel, "cloudflare", None),
        (named(), "cloudflare", Some("TUNNEL_TOKEN")),
        (CellWay::Ngrok, "ngrok", Some("NGROK_AUTHTOKEN")),
        (direct(), "direct", None),
    ] {
        let home = Home::new();
        let made = make(&home.tools, &wish(way, ToldBy::Ntfy)).await.unwrap();
        assert_eq!((made.secret_name.as_str(), made.other_secret.as_deref()), ("MOORLINE_COLAB", other));
        let file = home.sessions();
        assert_eq!(file.get(&colab()).unwrap().link.kind(), kind);
        assert_eq!(file.channels(&colab()).channels, [ChannelKind::Ntfy]);
        let text = cell_text(&home.tools, &colab()).await.unwrap();
        assert_eq!(
            made.secret_stays,
            SECRET_STAYS.as_secs(),
            "what is said of the clipboard is what it does"
        );
        let secret = notebook_secret(&home.tools, &colab()).unwrap();
        let told = format!("{text}{}{secret:?}", serde_json::to_string(&made).unwrap());
        assert!(!told.contains(secret.expose_secret()), "the secret is in none of it");
    }
}

#[tokio::test]
async fn the_same_wish_again_gives_the_same_cell_also_after_a_runtime_came() {
    let home = Home::new();
    for way in [CellWay::QuickTunnel, CellWay::Ngrok] {
        let wish = CellWish {
            name: if way == CellWay::Ngrok { "other".parse().unwrap() } else { colab() },
            ..wish(way, ToldBy::Ntfy)
        };
        let first = make(&home.tools, &wish).await.unwrap();
        let written = fs::read_to_string(home.tools.dirs.sessions_file()).unwrap();
        assert_eq!(make(&home.tools, &wish).await.unwrap(), first);
        assert_eq!(fs::read_to_string(home.tools.dirs.sessions_file()).unwrap(), written, "nothing changed");

        let mut file = home.sessions();
        let came = match &wish.way {
            CellWay::Ngrok => {
                Link::Ngrok(Place { host: "0.tcp.ngrok.io".parse().unwrap(), port: "15873".parse().unwrap() })
            }
            _ => Link::Cloudflare("a-b-c.trycloudflare.com".parse().unwrap()),
        };
        let session = file.get(&wish.name).unwrap().clone();
        file.upsert(Session { link: came.clone(), ..session });
        file.save().unwrap();
        assert_eq!(make(&home.tools, &wish).await.unwrap(), first, "a runtime announced itself");
        assert_eq!(home.sessions().get(&wish.name).unwrap().link, came, "and is still followed");
    }
}

#[tokio::test]
async fn announcements_come_as_they_are_wished_for_now() {
    let home = Home::new();
    let folder = home.tools.dirs.home.join("Drive");
    let in_folder =
        ToldBy::Folder { folder: folder.clone(), runtime_folder: "/content/drive/x".parse().unwrap() };
    make(&home.tools, &wish(CellWay::QuickTunnel, in_folder)).await.unwrap();
    let settings = home.sessions().channels(&colab());
    assert_eq!((settings.channels, settings.folder), (vec![ChannelKind::Folder], Some(folder)));
    assert!(cell_text(&home.tools, &colab()).await.unwrap().contains("/content/drive/x"));
    make(&home.tools, &wish(CellWay::QuickTunnel, ToldBy::Paste)).await.unwrap();
    assert!(home.sessions().channels(&colab()).channels.is_empty(), "by pasting alone");
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_leaves_nothing() {
    let home = Home::new();
    let half = ToldBy::Folder { folder: "Drive".into(), runtime_folder: "/content/x".parse().unwrap() };
    assert!(home.refuses(&wish(CellWay::Ngrok, half)).await.contains("not a whole path"));
    let refused = home.refuses(&wish(CellWay::Ngrok, ToldBy::RelayFile)).await;
    assert!(refused.contains("goes through no relay"), "{refused}");

    let config = home.tools.dirs.ssh.join("config");
    fs::write(&config, "Host bastion colab\n").unwrap();
    let refused = home.refuses(&wish(CellWay::Ngrok, ToldBy::Ntfy)).await;
    assert!(refused.contains("line 1"), "{refused}");

    // Nothing listens on port 1.
    let closed = "Host relay\n    HostName 127.0.0.1\n    Port 1\n";
    fs::write(&config, closed).unwrap();
    home.refuses(&wish(relay("relay"), ToldBy::RelayFile)).await;
    assert!(!home.tools.dirs.sessions_file().exists(), "no session was made");
    assert_eq!(fs::read_to_string(&config).unwrap(), closed);
    assert!(!home.key_is_there(), "and no key");
    let gone = cell_text(&home.tools, &colab()).await.unwrap_err();
    assert!(matches!(gone, MakeCellError::NoSession(_)), "{gone}");
    assert!(matches!(notebook_secret(&home.tools, &colab()), Err(MakeCellError::NoSession(_))));
}

#[tokio::test]
async fn a_key_that_is_none_is_left_alone_and_not_repeated() {
    let home = Home::new();
    let name = SecretName::of(colab(), SecretKind::SessionKey);
    home.tools.vault.set(&name, &"geheim".into()).unwrap();
    let refused = home.refuses(&wish(CellWay::QuickTunnel, ToldBy::Ntfy)).await;
    assert!(refused.contains("left alone") && !refused.contains("geheim"), "{refused}");
    assert!(!home.tools.dirs.sessions_file().exists());
    assert_eq!(home.tools.vault.get(&name).unwrap().unwrap().expose_secret(), "geheim");
}

#[tokio::test]
async fn a_session_that_is_there_in_another_way_stays_as_it_is() {
    let home = Home::new();
    make(&home.tools, &wish(CellWay::Ngrok, ToldBy::Ntfy)).await.unwrap();
    let written = fs::read_to_string(home.tools.dirs.sessions_file()).unwrap();
    let refused = home.refuses(&wish(CellWay::QuickTunnel, ToldBy::Paste)).await;
    assert!(refused.contains("by ngrok"), "{refused}");
    assert_eq!(fs::read_to_string(home.tools.dirs.sessions_file()).unwrap(), written);

    // A tunnel that was pasted is another session, although it has the same kind of link.
    let pasted = Session {
        name: "pasted".parse().unwrap(),
        link: Link::Cloudflare("a-b-c.trycloudflare.com".parse().unwrap()),
        user: UserName::root(),
        folder: None,
        identity_file: None,
    };
    write::settle(&home.tools, &Change::of(pasted.clone(), clock::moment())).await.unwrap();
    let same_name = CellWish { name: pasted.name.clone(), ..wish(CellWay::QuickTunnel, ToldBy::Ntfy) };
    assert!(home.refuses(&same_name).await.contains("by cloudflare"));
}
