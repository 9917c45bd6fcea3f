use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn cell() -> Cell {
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBYSGUKsTn/8x0Xm5PrYYQPjhjoNODLwFsAyBUlW4Opr";
    Cell {
        session: "colab".parse().unwrap(),
        secret: "MOORLINE_COLAB".to_owned(),
        key_id: "--OZ09tBwwt2".parse().unwrap(),
        login_keys: vec![key.parse().unwrap()],
        link: CellLink::Relay("7423".parse().unwrap()),
        relay: Some(RelayWay {
            host: "relay.example.net".parse().unwrap(),
            port: "22".parse().unwrap(),
            user: "me".parse().unwrap(),
            host_keys: vec![key.parse().unwrap()],
        }),
        channels: CellChannels {
            ntfy: Some("https://ntfy.sh".parse().unwrap()),
            relay: true,
            folder: Some("/content/drive/MyDrive/x".parse().unwrap()),
        },
        folder: None,
        options: CellOptions::default(),
    }
}

/// Asks Python about a text.
fn python(program: &str, input: &str) -> Value {
    let mut command = Command::new("python3");
    let child = command.args(["-I", "-c", program]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = child.expect("python3 is installed");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "Python takes the text:\n{input}");
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Reads cells, a JSON list of texts, and gives what each says in its literals and its statements.
const READ_CELLS: &str = r#"
import ast, json, sys
found = []
for text in json.load(sys.stdin):
    tree = ast.parse(text)
    settings = [ast.literal_eval(s.value) for s in tree.body
                if isinstance(s, ast.Assign) and s.targets[0].id == "MOORLINE_SETTINGS"]
    if not settings:
        call = tree.body[0].value
        ast.parse(ast.literal_eval(call.args[0]))
        settings = [ast.literal_eval(call.args[1])["settings"]]
    found.append({"settings": settings, "shape": [type(s).__name__ for s in tree.body]})
print(json.dumps(found))
"#;

fn read(cells: &[String]) -> Vec<Value> {
    let found = python(READ_CELLS, &json!(cells).to_string());
    found.as_array().unwrap().clone()
}

#[test]
fn every_kind_of_cell_is_python_and_says_what_was_asked() {
    let place = Place { host: "vm.example.org".parse().unwrap(), port: "2200".parse().unwrap() };
    let links = [
        CellLink::Relay("7423".parse().unwrap()),
        CellLink::Cloudflare(None),
        CellLink::Cloudflare(Some("ssh.example.org".parse().unwrap())),
        CellLink::Ngrok,
        CellLink::Direct(place),
    ];
    let cells: Vec<Cell> = links.into_iter().map(|link| Cell { link, ..cell() }).collect();
    let setups: Vec<String> = cells.iter().map(Cell::setup).collect();
    let kinds: Vec<Value> =
        read(&setups).iter().map(|found| found["settings"][0]["link"]["kind"].clone()).collect();
    assert_eq!(json!(kinds), json!(["relay", "cloudflare", "cloudflare", "ngrok", "direct"]));
    let ports: Vec<Value> =
        read(&setups).iter().map(|found| found["settings"][0]["sshd_port"].clone()).collect();
    assert_eq!(json!(ports), json!([0, 0, 22, 0, 2200]), "what something outside names, else any");
    let lines: Vec<String> = cells.iter().map(Cell::announce_line).collect();
    for (line, found) in lines.iter().zip(read(&lines)) {
        assert_eq!(line.matches('\n').count(), 1, "it is one line: {line}");
        assert_eq!(found["shape"], json!(["Expr"]), "with nothing beside it");
        assert_eq!(found["settings"][0]["key_id"], "--OZ09tBwwt2");
    }
}

#[test]
fn the_notebook_keeps_no_name_of_the_cell() {
    let left = r"
import ast, json, sys
names = set()
for s in ast.parse(sys.stdin.read()).body:
    match s:
        case ast.ClassDef() | ast.FunctionDef(): names.add(s.name)
        case ast.Assign(): names.add(s.targets[0].id)
        case ast.Delete(): names -= {target.id for target in s.targets}
print(json.dumps(sorted(names)))
";
    assert_eq!(python(left, &cell().setup()), json!([]));
}

/// Every place that starts a program says what it gets in its environment, and none says "all": the kernel's holds the
/// session key and tokens.
#[test]
fn no_child_gets_the_kernel_s_environment() {
    let look = r#"
import ast, json, sys
found = []
for text in json.load(sys.stdin):
    starts, wrong = 0, []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module in ("os", "subprocess", "pty", "multiprocessing"):
            wrong.append(ast.unparse(node))
        if not isinstance(node, ast.Call):
            continue
        name, given = ast.unparse(node.func), {word.arg: word.value for word in node.keywords}
        if name.startswith("subprocess."):
            starts += 1
            env = ast.unparse(given.get("env", ast.Constant(None)))
            if name not in ("subprocess.run", "subprocess.Popen") or "os.environ" in env or env == "None":
                wrong.append(ast.unparse(node))
        if name == "leave_at_relay" and ast.unparse(node.args[3]) == "None":
            wrong.append(ast.unparse(node))
        if name.startswith(("os.system", "os.popen", "os.exec", "os.spawn", "os.posix_spawn", "os.fork", "pty.")):
            wrong.append(ast.unparse(node))
    found.append([starts, wrong])
print(json.dumps(found))
"#;
    let programs = json!([assembled(SETUP), assembled(KEEPER), assembled(ANNOUNCE)]);
    // The kernel starts the keeper, pip, and all else in one place; the keeper sshd, the tunnel and the relay's ssh.
    assert_eq!(python(look, &programs.to_string()), json!([[3, []], [3, []], [2, []]]));
}

#[test]
fn the_keeper_stands_in_the_cell_as_it_is() {
    let keeper = assembled(KEEPER);
    assert!(!keeper.contains("'''") && !keeper.trim_end().ends_with('\\'), "it fits between raw quotes");
    for text in [cell().setup(), cell().announce_line()] {
        assert!(!text.contains("# @include"), "every part is in its place");
    }
    assert!(cell().setup().contains(&keeper));
}

#[test]
fn a_notebook_opens_with_the_terms_and_holds_the_cell() {
    let code = cell().setup();
    let notebook: Value = serde_json::from_str(&notebook(&cell().session, &code)).unwrap();
    let source = |n: usize| {
        let lines = notebook["cells"][n]["source"].as_array().unwrap();
        lines.iter().map(|line| line.as_str().unwrap()).collect::<String>()
    };
    assert!(source(0).contains("SSH shells"), "{}", source(0));
    assert_eq!(source(1), code);
    assert_eq!(notebook["nbformat"], 4);
}

#[test]
fn an_address_with_a_token_in_it_is_refused_without_repeating_it() {
    for good in
        ["https://github.com/me/project", "https://github.com/me/project.git", "https://h.example:8443/a/b/"]
    {
        assert!(good.parse::<GitAddress>().is_ok(), "{good}");
    }
    for bad in [
        "https://hunter2@github.com/me/project",
        "https://me:hunter2@github.com/me/project",
        "http://github.com/me/project",
        "git@github.com:me/project",
        "https://github.com/",
        "https://github.com/me/..",
        "https://github.com/me/-oProxyCommand=hunter2",
        "https://github.com/me/project?token=hunter2",
        "ext::sh -c hunter2",
    ] {
        let error = bad.parse::<GitAddress>().unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 20, ..ProptestConfig::default() })]

    /// What a person may write into their config is data in the cell, whatever it looks like.
    #[test]
    fn nothing_breaks_out_of_its_literal(
        lines in proptest::collection::vec("(['\"\\\\#{}\\$]|'''|\"\"\"|\\PC|\\t){0,40}", 1..20),
        folders in proptest::collection::vec("/(['\"\\\\%#]|'''|\\PC){0,30}", 1..10),
    ) {
        let plain = read(&[cell().setup(), cell().announce_line()]);
        let cells: Vec<Cell> = folders
            .iter()
            .filter_map(|folder| folder.parse::<RemotePath>().ok())
            .map(|folder| {
                let mut hostile = cell();
                hostile.channels.folder = Some(folder.clone());
                hostile.folder = Some(folder);
                hostile.options.setup = lines.iter().filter_map(|line| line.parse().ok()).collect();
                hostile
            })
            .collect();
        let setups: Vec<String> = cells.iter().map(Cell::setup).collect();
        let announces: Vec<String> = cells.iter().map(Cell::announce_line).collect();
        for ((cell, setup), announce) in cells.iter().zip(read(&setups)).zip(read(&announces)) {
            prop_assert_eq!(&setup["shape"], &plain[0]["shape"]);
            prop_assert_eq!(&announce["shape"], &plain[1]["shape"]);
            let said: Vec<&str> = cell.options.setup.iter().map(SetupLine::as_str).collect();
            prop_assert_eq!(&setup["settings"][0]["setup"], &json!(said));
            let folder = cell.channels.folder.as_ref().unwrap().as_str();
            prop_assert_eq!(&setup["settings"][0]["folder"], folder);
            prop_assert_eq!(&announce["settings"][0]["folder"], folder);
        }
    }
}
