//! Finding `ssh` command lines in text and reading their options, as `ssh(1)` does, without running anything.

use super::text::line::Line;

/// Options without a value (OpenSSH ssh(1)).
const FLAGS: &str = "46AaCfGgKkMNnqsTtVvXxYy";
/// Options with a value.
const VALUED: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// An `ssh` command line, split into what matters here; values are not yet believed.
#[derive(Debug, Default, Clone)]
pub struct SshCommand {
    /// The line, from 1.
    pub line: usize,
    /// `[user@]host` or an `ssh://` URL.
    pub destination: String,
    /// `-p` or `-o Port`.
    pub port: Option<String>,
    /// `-l` or `-o User`.
    pub user: Option<String>,
    /// `-J` or `-o ProxyJump`.
    pub jump: Option<String>,
    /// `-R`, as often as given.
    pub remote_forwards: Vec<String>,
    /// `-L`, as often as given.
    pub local_forwards: Vec<String>,
    /// Whether `-N` or `-f` gives the person no shell there.
    pub no_shell: bool,
    /// What is run there, after the destination.
    pub remote_command: Option<String>,
    /// `-W`.
    pub stdio_forward: Option<String>,
    /// `-o ProxyCommand`; read for what it names, never run.
    pub proxy_command: Option<String>,
    /// `-o HostName`.
    pub host_name: Option<String>,
    /// Whether checking of host keys is turned off.
    pub checking_off: bool,
    /// Whether it stands at the start of a line, after a prompt or in backticks, and not in a sentence.
    pub stands_alone: bool,
}

/// A command that was given as a text of its own, such as a `ProxyCommand`.
pub fn parse(command: &str, line: usize) -> Option<SshCommand> {
    in_line(&Line { number: line, text: command.to_owned(), source: false }).into_iter().next()
}

pub(super) fn in_line(line: &Line) -> Vec<SshCommand> {
    let mut found = Vec::new();
    let mut from = 0;
    // A line with very many commands is noise.
    while found.len() < 8
        && let Some(at) = line.text[from..].find("ssh").map(|at| at + from)
    {
        from = at + 3;
        let Some((before, after)) = around_word(&line.text, at) else { continue };
        // `autossh -M port`: there the option has a value.
        let own_valued = if line.text[..at].ends_with("auto") { "M" } else { "" };
        let Some(command) = read_options(&shell_words(after), own_valued) else { continue };
        found.push(SshCommand { line: line.number, stands_alone: stands_alone(before), ..command });
        // What follows belongs to this command, an inner `ProxyCommand="ssh …"` too, unless the shell begins another.
        let next =
            ["`", "; ", " && ", " || ", " | "].iter().filter_map(|end| line.text[from..].find(end)).min();
        let Some(next) = next else { break };
        from += next;
    }
    found
}

/// What stands before and after the word `ssh` at `at`; `None` when it is part of another word.
fn around_word(text: &str, at: usize) -> Option<(&str, &str)> {
    let (before, after) = (&text[..at], &text[at + 3..]);
    let after = after.strip_prefix(".exe").unwrap_or(after);
    let before = before.strip_suffix("auto").unwrap_or(before);
    let starts =
        before.chars().next_back().is_none_or(|c| c.is_whitespace() || "`!$\"'(/\\;&|>:".contains(c));
    if !starts || !after.starts_with([' ', '\t']) {
        return None;
    }
    // The folder of `/usr/bin/ssh` is part of the command.
    let before = if before.ends_with(['/', '\\']) {
        before.trim_end_matches(|c: char| !c.is_whitespace() && c != '`')
    } else {
        before
    };
    let after = if before.ends_with('`') { after.split('`').next().unwrap_or(after) } else { after };
    Some((before, after))
}

/// Whether what stands before is a prompt, a list mark, an assignment or another command, and not a sentence.
fn stands_alone(before: &str) -> bool {
    const PREFIXES: [&str; 6] = ["nohup", "sudo", "exec", "time", "sshpass", "setsid"];
    let before = before.trim_end();
    let command = before.trim_start_matches('!');
    !before.contains(char::is_alphabetic)
        || before.ends_with(['$', '#', '%', '>', ':', '`', '!', ';', '&', '|', '"', '\''])
        || command.starts_with("sshpass ")
        || command.split_whitespace().all(|w| w.contains('=') || w.starts_with('-') || PREFIXES.contains(&w))
}

fn read_options(words: &[String], own_valued: &str) -> Option<SshCommand> {
    let mut command = SshCommand::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let options = match word.strip_prefix('-') {
            None | Some("") if command.destination.is_empty() => {
                command.destination.clone_from(word);
                continue;
            }
            Some("-") if command.destination.is_empty() => {
                words.next()?.clone_into(&mut command.destination);
                break;
            }
            // The first word after the destination that is no option begins the remote command.
            None | Some("" | "-") => {
                let rest: Vec<&str> =
                    std::iter::once(word).chain(words.by_ref()).map(String::as_str).collect();
                command.remote_command = Some(rest.join(" "));
                break;
            }
            Some(options) => options,
        };
        for (at, option) in options.char_indices() {
            if FLAGS.contains(option) && !own_valued.contains(option) {
                command.no_shell |= matches!(option, 'N' | 'f');
                continue;
            }
            if !VALUED.contains(option) && !own_valued.contains(option) {
                return None;
            }
            let rest = &options[at + option.len_utf8()..];
            let value = if rest.is_empty() { words.next()?.clone() } else { rest.to_owned() };
            command.set(option, value);
            break;
        }
    }
    (!command.destination.is_empty()).then_some(command)
}

impl SshCommand {
    fn set(&mut self, option: char, value: String) {
        match option {
            'p' => self.port = self.port.take().or(Some(value)),
            'l' => self.user = self.user.take().or(Some(value)),
            'J' => self.jump = self.jump.take().or(Some(value)),
            'R' => self.remote_forwards.push(value),
            'L' => self.local_forwards.push(value),
            'W' => self.stdio_forward = Some(value),
            'o' => {
                let Some((key, value)) = value.split_once(['=', ' ']) else { return };
                let value = value.trim();
                match key.trim().to_ascii_lowercase().as_str() {
                    "port" => self.set('p', value.to_owned()),
                    "user" => self.set('l', value.to_owned()),
                    "proxyjump" => self.set('J', value.to_owned()),
                    "remoteforward" => self.set('R', value.replace(' ', ":")),
                    "hostname" => self.host_name = Some(value.to_owned()),
                    "proxycommand" => self.proxy_command = Some(value.to_owned()),
                    "stricthostkeychecking" => {
                        self.checking_off |=
                            ["no", "off", "accept-new"].contains(&value.to_ascii_lowercase().as_str());
                    }
                    "userknownhostsfile" => self.checking_off |= value == "/dev/null",
                    _ => {}
                }
            }
            _ => {}
        }
    }

    /// The user that `-l` or the destination names, and the rest of the destination.
    pub fn login_and_place(&self) -> (Option<&str>, &str) {
        let place = self.destination.strip_prefix("ssh://").unwrap_or(&self.destination);
        let place = place.trim_end_matches([',', ';', ')', '.', '`', '\'', '"']);
        match place.rsplit_once('@') {
            Some((user, place)) => (self.user.as_deref().or(Some(user)), place),
            None => (self.user.as_deref(), place),
        }
    }
}

/// Splits as a shell does, with quotes and backslashes, and expands nothing. A quote that never closes reaches to the end.
fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut open = false;
    let mut quote = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some(_), c) => word.push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                open = true;
            }
            (None, '\\') => {
                word.extend(chars.next_if(|c| matches!(c, ' ' | '"' | '\'' | '\\')).or(Some('\\')));
                open = true;
            }
            (None, c) if c.is_whitespace() => {
                if open {
                    words.push(std::mem::take(&mut word));
                    open = false;
                }
            }
            (None, c) => {
                word.push(c);
                open = true;
            }
        }
    }
    if open {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::{Text, commands};

    fn only(line: &str) -> SshCommand {
        let text = Text::new(line);
        let found = commands(&text);
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        found[0].clone()
    }

    #[test]
    fn options_are_read_in_all_their_spellings() {
        for line in [
            "ssh -p15873 root@0.tcp.ngrok.io",
            "!ssh -p 15873 root@0.tcp.ngrok.io",
            "$ ssh root@0.tcp.ngrok.io -p 15873",
            "alice@laptop:~$ ssh -vNp 15873 root@0.tcp.ngrok.io ls -p 1",
            "run `ssh -o Port=15873 -l root 0.tcp.ngrok.io` now",
            "ssh -oPort=15873 -- root@0.tcp.ngrok.io",
            "/usr/bin/ssh -p '15873' \"root@0.tcp.ngrok.io\"",
            "sshpass -p x ssh -p 15873 root@0.tcp.ngrok.io",
        ] {
            let command = only(line);
            assert_eq!(command.port.as_deref(), Some("15873"), "{line}");
            assert_eq!(command.login_and_place(), (Some("root"), "0.tcp.ngrok.io"), "{line}");
            assert!(command.stands_alone, "{line}");
        }
    }

    #[test]
    fn forwards_and_jumps_are_read() {
        let command = only("autossh -M 0 -fNT -R 7423:127.0.0.1:22 -J a,b user@relay");
        assert_eq!(command.remote_forwards, ["7423:127.0.0.1:22"]);
        assert_eq!(command.jump.as_deref(), Some("a,b"));
        assert_eq!(command.destination, "user@relay");
    }

    #[test]
    fn sentences_are_not_commands() {
        for line in [
            "the openssh server runs",
            "ssh-keygen -A",
            "kex: ssh: connect to host x",
            "Command to connect to the ssh server:",
        ] {
            assert!(commands(&Text::new(line)).iter().all(|c| !c.stands_alone), "{line}");
        }
    }
}
