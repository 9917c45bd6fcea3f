//! `ssh ALIAS` in the person's own terminal.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use moorline_model::session::RemotePath;
use moorline_ssh_files::Alias;

use super::error::EditorError;
use super::launch::Launch;
use super::programs::{Os, SearchEnv, below, find_program, is_program};

/// How a terminal program is told what to run. After each of these all that follows is the command, word by word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// `-- ssh colab`
    Dashes,
    /// `-e ssh colab`
    E,
    /// `-x ssh colab`, where `-e` would take one string and split it itself.
    X,
    /// `ssh colab`
    Bare,
    /// `start -- ssh colab`
    Start,
}

/// Debian's alternative first, since it is the person's or the distribution's choice; the rest roughly by how many
/// desktops come with them.
const KNOWN: [(&str, Form); 14] = [
    ("x-terminal-emulator", Form::E),
    ("gnome-terminal", Form::Dashes),
    ("ptyxis", Form::Dashes),
    ("kgx", Form::Dashes),
    ("konsole", Form::E),
    ("xfce4-terminal", Form::X),
    ("mate-terminal", Form::X),
    ("ghostty", Form::E),
    ("kitty", Form::Bare),
    ("alacritty", Form::E),
    ("wezterm", Form::Start),
    ("foot", Form::Bare),
    ("urxvt", Form::E),
    ("xterm", Form::E),
];

/// The terminal that [`plan`] would use.
pub(super) fn find(search: &SearchEnv) -> Option<PathBuf> {
    match search.os {
        Os::Linux => find_on_linux(search).map(|(program, _)| program),
        Os::MacOs => {
            let app = search.place("System/Applications/Utilities/Terminal.app");
            app.is_dir().then_some(app)
        }
        Os::Windows => windows_terminal(search).or_else(|| console_host(search)),
    }
}

/// Opens a terminal window, or runs ssh in place where there is a terminal but no window to open.
pub(super) fn plan(
    alias: &Alias,
    folder: Option<&RemotePath>,
    tmux: bool,
    search: &SearchEnv,
) -> Result<Launch, EditorError> {
    let ssh = ssh_argv(alias, folder, tmux);
    if !search.has_display && search.on_tty {
        return Ok(Launch::InPlace(ssh));
    }
    match search.os {
        Os::MacOs => mac_plan(alias, folder, &ssh),
        Os::Linux => match find_on_linux(search) {
            Some((program, form)) => Ok(Launch::Argv(in_terminal(&program, form, ssh))),
            None if search.on_tty => Ok(Launch::InPlace(ssh)),
            None => Err(no_terminal(&ssh)),
        },
        Os::Windows => {
            if let Some(program) = windows_terminal(search) {
                // Windows Terminal splits its own command line at semicolons.
                let words = ssh.into_iter().map(|word| word.to_string_lossy().replace(';', "\\;").into());
                let start: [OsString; 3] = [program.into(), "new-tab".into(), "--".into()];
                return Ok(Launch::Argv(start.into_iter().chain(words).collect()));
            }
            match console_host(search) {
                Some(program) => Ok(Launch::Argv([program.into()].into_iter().chain(ssh).collect())),
                None if search.on_tty => Ok(Launch::InPlace(ssh)),
                None => Err(no_terminal(&ssh)),
            }
        }
    }
}

/// The ssh command itself. With a folder or tmux, the last words are for the runtime's login shell, for which the
/// folder is quoted.
fn ssh_argv(alias: &Alias, folder: Option<&RemotePath>, tmux: bool) -> Vec<OsString> {
    let folder = folder.map(|folder| quote(folder.as_str()));
    let mut argv = vec!["ssh".to_owned()];
    match (tmux, folder) {
        (false, None) => argv.push(alias.to_string()),
        (true, None) => {
            argv.extend(["-t".to_owned(), alias.to_string()]);
            argv.extend(["tmux", "new", "-A", "-s", "main"].map(str::to_owned));
        }
        (true, Some(folder)) => {
            argv.extend(["-t".to_owned(), alias.to_string()]);
            argv.extend(["tmux", "new", "-A", "-s", "main", "-c"].map(str::to_owned));
            argv.push(folder);
        }
        (false, Some(folder)) => {
            argv.extend(["-t".to_owned(), alias.to_string()]);
            argv.push(format!("cd {folder}; exec \"${{SHELL:-/bin/sh}}\" -l"));
        }
    }
    argv.into_iter().map(OsString::from).collect()
}

/// A word for a POSIX shell: bare where that is safe, else in single quotes.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=@%:,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn in_terminal(program: &Path, form: Form, ssh: Vec<OsString>) -> Vec<OsString> {
    let between: &[&str] = match form {
        Form::Dashes => &["--"],
        Form::E => &["-e"],
        Form::X => &["-x"],
        Form::Bare => &[],
        Form::Start => &["start", "--"],
    };
    let start = [OsString::from(program)];
    start.into_iter().chain(between.iter().map(OsString::from)).chain(ssh).collect()
}

fn find_on_linux(search: &SearchEnv) -> Option<(PathBuf, Form)> {
    let chosen = search.terminal.as_deref().and_then(|chosen| {
        let given = Path::new(chosen);
        let program = if given.is_absolute() {
            is_program(given).then(|| given.to_owned())
        } else {
            find_program(chosen.to_str()?, search)
        }?;
        let form = form_of(program.file_name()?);
        Some((program, form))
    });
    chosen.or_else(|| {
        KNOWN.into_iter().find_map(|(name, form)| find_program(name, search).map(|program| (program, form)))
    })
}

/// `-e` is what xterm began with and what most others understand.
fn form_of(name: &OsStr) -> Form {
    KNOWN.into_iter().find(|(known, _)| name == *known).map_or(Form::E, |(_, form)| form)
}

/// `open` starts whatever the person has registered for `ssh:` links. A link can carry no command, so for tmux or a
/// folder Terminal is asked to type one, which is why a folder with a backslash is refused: shells differ in what one
/// means inside quotes.
fn mac_plan(alias: &Alias, folder: Option<&RemotePath>, ssh: &[OsString]) -> Result<Launch, EditorError> {
    if ssh.len() == 2 {
        return Ok(Launch::Url(format!("ssh://{alias}")));
    }
    if let Some(folder) = folder.filter(|folder| folder.as_str().contains('\\')) {
        return Err(EditorError::Folder { folder: folder.to_string() });
    }
    let typed = shown(ssh).replace('\\', "\\\\").replace('"', "\\\"");
    let script = [
        format!("tell application \"Terminal\" to do script \"{typed}\""),
        "tell application \"Terminal\" to activate".to_owned(),
    ];
    let [run, show] = script.map(OsString::from);
    Ok(Launch::Argv(vec!["/usr/bin/osascript".into(), "-e".into(), run, "-e".into(), show]))
}

fn windows_terminal(search: &SearchEnv) -> Option<PathBuf> {
    let alias = search.local_app_data.as_ref().map(|base| below(base, "Microsoft/WindowsApps/wt.exe"));
    // Windows' execution aliases cannot be opened, only started, so following the link would miss it.
    find_program("wt", search).or_else(|| alias.filter(|path| path.symlink_metadata().is_ok()))
}

fn console_host(search: &SearchEnv) -> Option<PathBuf> {
    find_program("conhost", search)
}

fn no_terminal(ssh: &[OsString]) -> EditorError {
    EditorError::NoTerminal { command: shown(ssh) }
}

/// A command as a person would type it.
pub(super) fn shown(argv: &[OsString]) -> String {
    argv.iter().map(|word| quote(&word.to_string_lossy())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::super::search::tests::Machine;
    use super::*;

    fn words(launch: Launch) -> Vec<String> {
        let (Launch::Argv(argv) | Launch::InPlace(argv)) = launch else { panic!("{launch:?} is a link") };
        argv.into_iter().map(|word| word.into_string().unwrap()).collect()
    }

    fn on(machine: &Machine, folder: Option<&str>, tmux: bool) -> Result<Launch, EditorError> {
        let folder: Option<RemotePath> = folder.map(|folder| folder.parse().unwrap());
        plan(&"colab".parse().unwrap(), folder.as_ref(), tmux, &machine.search)
    }

    #[test]
    fn each_terminal_gets_the_command_in_its_own_form() {
        for (name, between) in [
            ("x-terminal-emulator", &["-e"][..]),
            ("gnome-terminal", &["--"]),
            ("ptyxis", &["--"]),
            ("kgx", &["--"]),
            ("konsole", &["-e"]),
            ("xfce4-terminal", &["-x"]),
            ("mate-terminal", &["-x"]),
            ("ghostty", &["-e"]),
            ("kitty", &[]),
            ("alacritty", &["-e"]),
            ("wezterm", &["start", "--"]),
            ("foot", &[]),
            ("urxvt", &["-e"]),
            ("xterm", &["-e"]),
        ] {
            let machine = Machine::new(Os::Linux);
            let program = machine.program(&format!("usr/bin/{name}"));
            let argv = words(on(&machine, None, false).unwrap());
            let start = [program.to_str().unwrap()];
            let wanted: Vec<&str> = start.iter().chain(between).copied().chain(["ssh", "colab"]).collect();
            assert_eq!(argv, wanted);
        }
    }

    #[test]
    fn the_persons_own_choice_wins_if_it_exists() {
        let mut machine = Machine::new(Os::Linux);
        machine.program("usr/bin/x-terminal-emulator");
        let own = machine.program("path/foot");
        machine.search.terminal = Some("foot".into());
        assert_eq!(words(on(&machine, None, false).unwrap()), [own.to_str().unwrap(), "ssh", "colab"]);

        let odd = machine.program("home/ada/bin/st");
        machine.search.terminal = Some(odd.clone().into());
        assert_eq!(words(on(&machine, None, false).unwrap()), [odd.to_str().unwrap(), "-e", "ssh", "colab"]);

        machine.search.terminal = Some("gone".into());
        assert!(words(on(&machine, None, false).unwrap())[0].ends_with("x-terminal-emulator"));
    }

    #[test]
    fn tmux_and_folders_are_for_the_runtimes_shell() {
        let mut machine = Machine::new(Os::Linux);
        machine.search.has_display = false;
        machine.search.on_tty = true;
        let tmux = on(&machine, None, true).unwrap();
        assert_eq!(words(tmux), ["ssh", "-t", "colab", "tmux", "new", "-A", "-s", "main"]);
        let both = on(&machine, Some("/content/it's $(mine)"), true).unwrap();
        assert_eq!(words(both).last().unwrap(), "'/content/it'\\''s $(mine)'");
        let folder = on(&machine, Some("/content/a b"), false).unwrap();
        assert_eq!(words(folder), ["ssh", "-t", "colab", "cd '/content/a b'; exec \"${SHELL:-/bin/sh}\" -l"]);
    }

    #[test]
    fn ssh_runs_in_place_on_a_terminal_without_a_desktop() {
        let mut machine = Machine::new(Os::Linux);
        machine.program("usr/bin/xterm");
        machine.search.has_display = false;
        machine.search.on_tty = true;
        assert_eq!(on(&machine, None, false), Ok(Launch::InPlace(vec!["ssh".into(), "colab".into()])));
    }

    #[test]
    fn without_a_terminal_it_says_which_variable_to_set_and_what_to_type() {
        let mut machine = Machine::new(Os::Linux);
        let refusal = on(&machine, None, true).unwrap_err().to_string();
        assert!(refusal.contains("TERMINAL") && refusal.contains("ssh -t colab tmux new -A -s main"));
        machine.search.on_tty = true;
        assert!(
            matches!(on(&machine, None, false), Ok(Launch::InPlace(_))),
            "the caller's own terminal serves"
        );
    }

    #[test]
    fn mac_opens_a_link_or_has_terminal_type_the_command() {
        let machine = Machine::new(Os::MacOs);
        assert_eq!(on(&machine, None, false), Ok(Launch::Url("ssh://colab".into())));
        assert_eq!(
            words(on(&machine, None, true).unwrap())[..3],
            [
                "/usr/bin/osascript",
                "-e",
                "tell application \"Terminal\" to do script \"ssh -t colab tmux new -A -s main\""
            ]
        );
        let typed = words(on(&machine, Some("/content/\"x"), true).unwrap()).swap_remove(2);
        // Quoted once for the runtime's shell, once for the local one, then for AppleScript.
        assert!(typed.ends_with(r#"-c ''\\''/content/\"x'\\'''""#), "{typed}");
        assert!(on(&machine, Some("/content/a\\b"), true).is_err());
    }

    #[test]
    fn windows_uses_its_terminal_or_a_console_window() {
        let machine = Machine::new(Os::Windows);
        let host = machine.program("path/conhost.exe");
        assert_eq!(words(on(&machine, None, false).unwrap()), [host.to_str().unwrap(), "ssh", "colab"]);
        let wt = machine.program("home/ada/AppData/Local/Microsoft/WindowsApps/wt.exe");
        assert_eq!(
            words(on(&machine, None, false).unwrap()),
            [wt.to_str().unwrap(), "new-tab", "--", "ssh", "colab"]
        );
        let split = words(on(&machine, Some("/a;b"), true).unwrap());
        assert_eq!(split.last().unwrap(), "'/a\\;b'");
    }
}
