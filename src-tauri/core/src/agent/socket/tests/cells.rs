//! Making a session with a cell through the door, and copying what belongs into the notebook.

use std::sync::{Arc, Mutex};

use moorline_ssh_files::Alias;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::mpsc;

use super::*;
use crate::agent::adding_host::AddingHost;
use crate::agent::effect::FileJob;
use crate::announce::cell::{CellCopy, CellWay, CellWish, ToldBy};
use crate::repoint::adding::clipboard::{Clipboard, ReadClipboard};
use crate::ssh::SystemSsh;
use crate::ssh::context::Tools;
use crate::store::config_toml::SessionsFile;
use crate::store::dirs::Dirs;
use crate::store::vault::MemoryVault;
use crate::store::{installed_programs, session_keys};

/// A world that tells when the sessions are to be read.
struct Readings(mpsc::UnboundedSender<()>);

impl World for Readings {
    fn carry_out(&mut self, effect: Effect) {
        if matches!(effect, Effect::File(FileJob::Reload)) {
            let _ = self.0.send(());
        }
    }
    fn woke(&mut self) {}
    fn network_changed(&mut self) {}
    async fn finish(self) {}
}

/// What was put there, and whether it was marked as a secret.
#[derive(Default)]
struct Pad(Mutex<Vec<(bool, String)>>);

impl Clipboard for Pad {
    fn text(&self) -> ReadClipboard<'_> {
        Box::pin(std::future::ready(Err("nothing is read here".to_owned())))
    }

    fn put(&self, text: String) {
        self.0.lock().unwrap().push((false, text));
    }

    fn put_secret(&self, secret: SecretString) {
        self.0.lock().unwrap().push((true, secret.expose_secret().to_owned()));
    }
}

struct Desk {
    house: House,
    tools: Arc<Tools>,
    pad: Arc<Pad>,
    readings: mpsc::UnboundedReceiver<()>,
    _agent: AgentHandle,
}

impl Desk {
    async fn new() -> Self {
        let house = House::new();
        Dirs::create_private(&house.dirs.ssh).unwrap();
        let ssh = SystemSsh::find(Some(house.home.path())).unwrap();
        let vault = Box::new(MemoryVault::default());
        installed_programs::pretend(&house.dirs);
        let tools = Arc::new(Tools { dirs: house.dirs.clone(), vault, ssh, askpass: None });
        let pad = Arc::new(Pad::default());
        let host = AddingHost::new(
            Arc::clone(&tools),
            Arc::clone(&pad) as Arc<dyn Clipboard>,
            mpsc::unbounded_channel().0,
        );
        let door = Door::open(&house.dirs).unwrap();
        let (out, mut readings) = mpsc::unbounded_channel();
        let (agent, _) = start(|_| Readings(out), clock::moment);
        let agent = agent.with_adding(Arc::new(host));
        tokio::spawn(door.serve(agent.clone(), Limits::default()));
        readings.recv().await.unwrap();
        assert!(readings.try_recv().is_err(), "once, when it starts");
        Self { house, tools, pad, readings, _agent: agent }
    }
}

#[tokio::test]
async fn a_cell_is_made_and_copied_and_its_secret_is_told_to_nobody() {
    let mut desk = Desk::new().await;
    let mut stream = greeted(&desk.house, "window").await;
    let mut heard = String::new();
    for (said, answer) in [
        (r#"{"id":1,"call":"follow"}"#, r#"{"say":"answer","id":1,"answer":{"snapshot":"#),
        (
            r#"{"id":2,"call":"first-look"}"#,
            r#"{"say":"answer","id":2,"answer":{"first-look":{"loose":[],"google":[],"google_sign_in":false,"google_problem":null}}}"#,
        ),
        (
            r#"{"id":3,"call":"copy-cell","session":"colab","what":"secret"}"#,
            r#"{"say":"refused","id":3,"error":"there is no session colab"#,
        ),
        (
            r#"{"id":4,"call":"make-cell","wish":{"name":"colab","way":{"way":"relay","relay":"-oX","port":1},"told_by":{"by":"ntfy"}}}"#,
            r#"{"say":"refused","id":4,"error":"that is no call"#,
        ),
        (
            r#"{"id":5,"call":"make-cell","wish":{"name":"colab","way":{"way":"quick-tunnel"},"told_by":{"by":"paste"}}}"#,
            r#"{"say":"answer","id":5,"answer":{"cell-made":{"session":"colab","secret_name":"MOORLINE_COLAB","other_secret":null,"secret_stays":30"#,
        ),
        (
            r#"{"id":6,"call":"copy-cell","session":"colab","what":"cell"}"#,
            r#"{"say":"answer","id":6,"answer":"done"}"#,
        ),
        (
            r#"{"id":7,"call":"copy-cell","session":"colab","what":"secret"}"#,
            r#"{"say":"answer","id":7,"answer":"done"}"#,
        ),
    ] {
        tell(&mut stream, said).await;
        let said_back = line(&mut stream).await;
        assert!(said_back.starts_with(answer), "{said} -> {said_back}");
        heard.push_str(&said_back);
    }
    desk.readings.recv().await.expect("the agent reads its sessions again");
    let colab: Alias = "colab".parse().unwrap();
    assert!(SessionsFile::load(&desk.house.dirs.sessions_file()).unwrap().get(&colab).is_some());
    let secret = session_keys::load(&*desk.tools.vault, &colab).unwrap().unwrap().text();
    let pad = desk.pad.0.lock().unwrap();
    let [(false, cell), (true, copied)] = &pad[..] else { panic!("the cell open, the secret concealed") };
    assert_eq!(copied, secret.expose_secret());
    assert!(cell.contains("MOORLINE_COLAB") && !cell.contains(secret.expose_secret()));
    assert!(!heard.contains(secret.expose_secret()), "no answer holds it: {heard}");
}

#[tokio::test]
async fn a_proxy_makes_and_copies_nothing() {
    let desk = Desk::new().await;
    let mut proxy = Caller::connect(&desk.house.dirs, Role::Proxy).await.unwrap().unwrap();
    let colab: Alias = "colab".parse().unwrap();
    for call in [
        Call::FirstLook,
        Call::CopyCell { session: colab.clone(), what: CellCopy::Secret },
        Call::MakeCell { wish: CellWish { name: colab, way: CellWay::Ngrok, told_by: ToldBy::Paste } },
    ] {
        let refused = proxy.call(call).await.unwrap_err();
        assert!(refused.to_string().contains("may look"), "{refused}");
    }
    assert!(!desk.house.dirs.sessions_file().exists());
}
