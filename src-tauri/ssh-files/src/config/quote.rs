//! The two values whose text ssh takes apart again: a path and a command line.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::names::InvalidName;

const PATH_RULE: &str = "an identity file is an absolute path or starts with `~/`, without quotation marks, `${` or control characters";
const COMMAND_RULE: &str = "a proxy command starts with a program, which has no leading dash, and no argument has control characters";

/// The private key that an entry logs in with: an absolute path, or one that starts with `~/`.
///
/// Held as given, except that the backslashes of a Windows path become slashes, which ssh takes everywhere and
/// no quoting rule touches.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdentityFile(String);

impl IdentityFile {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path as it stands in the config: `%` doubled (`ssh_config(5)`, TOKENS), in double quotes if needed.
    pub(super) fn rendered(&self) -> String {
        let doubled = self.0.replace('%', "%%");
        if doubled.bytes().all(|b| b.is_ascii_alphanumeric() || b"/~._-+@%:,=".contains(&b)) {
            return doubled;
        }
        // Inside double quotes OpenSSH's reader unescapes a backslash before a backslash or a quote.
        format!("\"{}\"", doubled.replace('\\', "\\\\"))
    }
}

impl FromStr for IdentityFile {
    type Err = InvalidName;

    fn from_str(value: &str) -> Result<Self, InvalidName> {
        let drive = matches!(value.as_bytes(), [b'A'..=b'Z' | b'a'..=b'z', b':', b'\\' | b'/', ..]);
        let windows = drive || value.starts_with("~\\") || value.starts_with("\\\\");
        let path = if windows { value.replace('\\', "/") } else { value.to_owned() };
        let anchored = drive || path.starts_with('/') || path.starts_with("~/");
        if !anchored || path.contains("${") || path.contains('"') || path.chars().any(char::is_control) {
            return Err(InvalidName::new("identity file", value, PATH_RULE));
        }
        Ok(Self(path))
    }
}

impl TryFrom<&Path> for IdentityFile {
    type Error = InvalidName;

    fn try_from(path: &Path) -> Result<Self, InvalidName> {
        let Some(text) = path.to_str() else {
            let rule = "a path in ssh's config must be UTF-8 text";
            return Err(InvalidName::new("path", &path.to_string_lossy(), rule));
        };
        text.parse()
    }
}

#[cfg(feature = "serde")]
impl serde::Serialize for IdentityFile {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

#[cfg(feature = "serde")]
impl<'de> serde::Deserialize<'de> for IdentityFile {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for IdentityFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A `ProxyCommand`, built from an argument list only.
///
/// ssh expands `%` tokens and hands the text to the person's shell (`ssh_config(5)`, `ProxyCommand`), so `%` is
/// doubled and each argument that needs it stands in single quotes. Other clients (paramiko, asyncssh) split the
/// same text by the shell's quoting rules without running a shell, and get the same arguments. On Windows OpenSSH
/// starts the command by `CreateProcess` or `cmd`, so arguments stand in double quotes there, and what `cmd` would
/// expand is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProxyCommand(String);

impl ProxyCommand {
    /// Quotes a program and its arguments.
    ///
    /// # Errors
    /// [`InvalidName`] for an empty list, a program that is empty, `none` or starts with `-`, and control
    /// characters anywhere; on Windows also for `"` and `%`.
    pub fn from_argv<I: IntoIterator<Item = S>, S: AsRef<str>>(argv: I) -> Result<Self, InvalidName> {
        Self::quoted_by(
            argv,
            if cfg!(windows) { quote_for_cmd } else { |a, first| Some(quote_for_sh(a, first)) },
        )
    }

    /// The text as it stands in the config.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn quoted_by<I: IntoIterator<Item = S>, S: AsRef<str>>(
        argv: I,
        quote: fn(&str, bool) -> Option<String>,
    ) -> Result<Self, InvalidName> {
        let mut text = String::new();
        for argument in argv {
            let argument = argument.as_ref();
            let first = text.is_empty();
            // `none` switches proxying off; a leading dash would be an option of the shell's `exec`.
            let bad_program =
                first && (argument.is_empty() || argument.starts_with('-') || argument == "none");
            let control = argument.chars().any(char::is_control);
            let quoted = if bad_program || control { None } else { quote(argument, first) };
            let Some(quoted) = quoted else {
                return Err(InvalidName::new("proxy command", argument, COMMAND_RULE));
            };
            if !first {
                text.push(' ');
            }
            text.push_str(&quoted);
        }
        if text.is_empty() {
            return Err(InvalidName::new("proxy command", "", COMMAND_RULE));
        }
        Ok(Self(text))
    }
}

fn quote_for_sh(argument: &str, first: bool) -> String {
    let doubled = argument.replace('%', "%%");
    // A leading `=` is an expansion in zsh, and one in the first word an assignment.
    let equals = argument.starts_with('=') || (first && argument.contains('='));
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"@%_+=:,./-".contains(&b);
    if !doubled.is_empty() && !equals && doubled.bytes().all(plain) {
        return doubled;
    }
    format!("'{}'", doubled.replace('\'', r#"'"'"'"#))
}

fn quote_for_cmd(argument: &str, _first: bool) -> Option<String> {
    // cmd would expand `%NAME%` after ssh has halved the signs.
    if argument.contains(['"', '%']) {
        return None;
    }
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"@_+=:,./\\-".contains(&b);
    if !argument.is_empty() && argument.bytes().all(plain) {
        return Some(argument.to_owned());
    }
    // The C runtime reads backslashes before a quote as escapes.
    let trailing = argument.len() - argument.trim_end_matches('\\').len();
    Some(format!("\"{argument}{}\"", "\\".repeat(trailing)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identity_files_are_anchored_and_quoted_for_ssh() {
        for (given, rendered) in [
            ("~/.ssh/moorline_ed25519", "~/.ssh/moorline_ed25519"),
            ("/home/Bob Smith/.ssh/id", "\"/home/Bob Smith/.ssh/id\""),
            ("/home/o'hara/id#1", "\"/home/o'hara/id#1\""),
            ("/odd/back\\slash", "\"/odd/back\\\\slash\""),
            ("/100%/id", "/100%%/id"),
            (r"C:\Users\Bob Smith\.ssh\id", "\"C:/Users/Bob Smith/.ssh/id\""),
            (r"~\.ssh\id", "~/.ssh/id"),
            ("/home/jürgen/id", "\"/home/jürgen/id\""),
        ] {
            assert_eq!(given.parse::<IdentityFile>().unwrap().rendered(), rendered, "{given}");
        }
        for bad in
            ["", "id", "~root/id", "./id", "-x", "/a\nHost *", "/a\"b", "/a\r", "/${HOME}/id", "/a\0", "none"]
        {
            assert!(bad.parse::<IdentityFile>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_command_comes_out_of_a_shell_as_it_went_in() {
        let long = "it's; $(x) `y` | & > \\ \" # ~ * %h";
        let argv = ["/opt/my app/moorline", "proxy", "colab", "", "a=b", "=x", long, "100%"];
        let command = ProxyCommand::from_argv(argv).unwrap();
        // ssh halves the percent signs before the shell sees the text.
        assert_eq!(split_like_sh(&command.as_str().replace("%%", "%")), argv);
        assert!(!command.as_str().replace("%%", "").contains('%'), "no token is left for ssh to expand");
        let plain = "ssh -o StrictHostKeyChecking=yes -W 127.0.0.1:7423 me@relay";
        assert_eq!(ProxyCommand::from_argv(plain.split(' ')).unwrap().as_str(), plain);
    }

    #[cfg(unix)]
    #[test]
    fn a_real_shell_agrees() {
        let argv = [
            "printf",
            "%s\\n",
            "it's",
            "",
            "a b",
            "$(id)",
            "`id`",
            "back\\slash",
            "\"",
            "*",
            "~",
            "a'b'c",
            "!x",
        ];
        let text = ProxyCommand::from_argv(argv).unwrap().as_str().replace("%%", "%");
        let out = std::process::Command::new("sh").args(["-c", &format!("exec {text}")]).output().unwrap();
        let expected = argv[2..].iter().fold(String::new(), |all, a| all + a + "\n");
        assert_eq!(String::from_utf8(out.stdout).unwrap(), expected);
    }

    #[test]
    fn commands_that_are_more_than_one_command_are_refused() {
        for argv in [&[][..], &[""], &["-x"], &["none"], &["a\nHost *"], &["a", "b\r"], &["a", "b\0"]] {
            assert!(ProxyCommand::from_argv(argv).is_err(), "{argv:?}");
        }
    }

    #[test]
    fn windows_gets_double_quotes() {
        let quoted = |argv: &[&str]| ProxyCommand::quoted_by(argv, quote_for_cmd).map(|c| c.0);
        assert_eq!(
            quoted(&[r"C:\Program Files\m.exe", "proxy", "colab"]).unwrap(),
            r#""C:\Program Files\m.exe" proxy colab"#
        );
        assert_eq!(quoted(&["m", r"a b\"]).unwrap(), r#"m "a b\\""#);
        assert!(quoted(&["m", "%PATH%"]).is_err() && quoted(&["m", "a\"b"]).is_err());
    }

    /// Quotes and blanks only, as POSIX `sh` and Python's `shlex.split` read them.
    fn split_like_sh(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut quote = None;
        for c in text.chars() {
            match (c, quote) {
                ('\'' | '"', None) => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (_, Some(open)) if c == open => quote = None,
                (' ', None) => words.extend(word.take()),
                _ => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        words
    }
}
