//! Telling a notebook cell's source from what it prints, and filling in the literals that a cell gives its variables:
//! `port = 7423` and then `ssh -R {port}:localhost:22 …`. Nothing is evaluated; what is computed stays as it is.

use super::line::Line;

/// More variables than this are no cell that a person wrote.
const MOST_VARIABLES: usize = 64;
/// The longest literal that is filled in, in bytes.
const LONGEST_LITERAL: usize = 256;
/// What filling in may add to a whole text, in bytes.
const MOST_ADDED: usize = 64 * 1024;
/// How many lines a call may go on for.
const LONGEST_CALL: usize = 32;

/// What lines of a cell contain.
const HOLDS: [&str; 15] = [
    "get_ipython()",
    "launch_ssh(",
    "launch_ssh_cloudflared(",
    "init_git(",
    "init_git_cloudflared(",
    "subprocess.",
    "os.system(",
    "os.environ",
    "ngrok.connect(",
    "getpass(",
    "| chpasswd",
    "|chpasswd",
    "chpasswd <<<",
    ">> /etc/ssh/sshd_config",
    ">>/etc/ssh/sshd_config",
];
/// What lines of a cell begin with.
const BEGINS: [&str; 16] = [
    "print(",
    "with open(",
    "def ",
    "%env ",
    "%pip ",
    "%cd ",
    "%shell ",
    "apt install ",
    "apt-get ",
    "mkdir -p ",
    "chmod +x ",
    "export ",
    "/usr/sbin/sshd",
    "service ssh ",
    "pip install ",
    "#!/",
];

/// The literals that a cell gives its variables.
#[derive(Debug, Default)]
pub struct Variables(Vec<(String, String)>);

impl Variables {
    /// The literal that the variable holds.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// Marks the lines that are source and fills in variables.
pub fn mark(lines: &mut [Line]) -> Variables {
    for line in lines.iter_mut() {
        line.source = is_source(&line.text);
    }
    if lines.iter().all(|line| !line.source) {
        return Variables::default();
    }
    for line in lines.iter_mut() {
        // What a cell prints says `Port = 22` too, but seldom in Python's own lower case.
        line.source |= assignment(&line.text).is_some_and(|(name, value, spaced)| {
            (spaced && name.starts_with(|c: char| c.is_ascii_lowercase()))
                || value.starts_with(['"', '\''])
                || value.contains(['(', '['])
        }) || is_block(&line.text);
    }
    mark_calls(lines);
    fill_in(lines)
}

fn is_source(text: &str) -> bool {
    let shell = |c: char| c.is_ascii_alphabetic() || matches!(c, '.' | '/' | '~');
    text.strip_prefix('!').is_some_and(|rest| rest.trim_start().starts_with(shell))
        || text.strip_prefix("%%").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_lowercase()))
        || BEGINS.iter().any(|mark| text.starts_with(mark))
        || HOLDS.iter().any(|mark| text.contains(mark))
        || is_import(text)
}

/// The head of a block of Python.
fn is_block(text: &str) -> bool {
    let head = text.split_whitespace().next().unwrap_or_default();
    text.ends_with(':') && ["if", "elif", "for", "while", "with", "class"].contains(&head)
}

/// `import a, b.c as d` and `from a import b`, and no sentence.
fn is_import(text: &str) -> bool {
    let name = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'*'))
    };
    let names = |list: &str| {
        list.split(',').all(|one| match one.split_whitespace().collect::<Vec<_>>()[..] {
            [only] => name(only),
            [first, "as", second] => name(first) && name(second),
            _ => false,
        })
    };
    let of_module = |rest: &str| {
        rest.split_once(" import ")
            .is_some_and(|(module, list)| name(module) && names(list.trim_matches(['(', ')'])))
    };
    text.strip_prefix("import ").is_some_and(names) || text.strip_prefix("from ").is_some_and(of_module)
}

/// A line after an open bracket belongs to the call before it.
fn mark_calls(lines: &mut [Line]) {
    let mut open = 0_usize;
    let mut since = 0;
    for line in lines.iter_mut() {
        if open > 0 && since < LONGEST_CALL {
            line.source = true;
            since += 1;
        } else {
            (open, since) = (0, 0);
        }
        if line.source {
            open = still_open(&line.text, open);
        }
    }
}

/// How many brackets are open after a line, those in quotes aside.
fn still_open(text: &str, mut open: usize) -> usize {
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '(' | '[' | '{') => open += 1,
            (None, ')' | ']' | '}') => open = open.saturating_sub(1),
            _ => {}
        }
    }
    open
}

/// `name = value`: the names, the value, and whether blanks stand around the sign.
fn assignment(text: &str) -> Option<(&str, &str, bool)> {
    let (names, value) = text.split_once('=')?;
    let name = |name: &str| {
        let name = name.trim();
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.bytes().all(is_name)
    };
    let is_one = !value.starts_with('=') && names.split(',').all(name);
    let spaced = names.ends_with(' ') && value.starts_with(' ');
    is_one.then(|| (names.trim(), value.trim(), spaced))
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn fill_in(lines: &mut [Line]) -> Variables {
    let mut known = Variables::default();
    let mut left = MOST_ADDED;
    for line in lines {
        if line.text.contains(['$', '{']) && !known.0.is_empty() {
            let filled = filled(&line.text, &known);
            let added = filled.len().saturating_sub(line.text.len());
            if added <= left {
                left -= added;
                line.text = filled;
            }
        }
        let shell = ["export ", "!export ", "%env "].iter().find_map(|p| line.text.strip_prefix(p));
        let Some((name, value, spaced)) = assignment(shell.unwrap_or(&line.text)) else { continue };
        let in_shell = !spaced && (shell.is_some() || name.bytes().all(|b| !b.is_ascii_lowercase()));
        if let Some(value) = literal(value, in_shell).filter(|_| known.0.len() < MOST_VARIABLES) {
            known.0.push((name.to_owned(), value.to_owned()));
        }
    }
    known
}

/// A quoted text, a number, or a bare word of the shell.
fn literal(value: &str, in_shell: bool) -> Option<&str> {
    let word = |b: u8| is_name(b) || matches!(b, b'.' | b'-');
    let found = if value.starts_with(['"', '\'']) {
        quoted(value)?
    } else {
        let number = value.bytes().all(|b| b.is_ascii_digit());
        (number || (in_shell && value.bytes().all(word))).then_some(value)?
    };
    let plain = !found.is_empty() && found.len() <= LONGEST_LITERAL && !found.contains(['\\', '{', '$']);
    plain.then_some(found)
}

/// The text of a literal that stands at the beginning, when nothing is done with it there.
pub fn quoted(value: &str) -> Option<&str> {
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (inner, after) = value[1..].split_once(quote)?;
    let after = after.trim_start();
    (after.is_empty() || after.starts_with([',', ')', ';', '}', ']', '#', '|', '&', '\\'])).then_some(inner)
}

/// The line with `{name}`, `${name}` and `$name` replaced by the literals that are known.
fn filled(text: &str, known: &Variables) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['$', '{']) {
        out.push_str(&rest[..at]);
        let tail = &rest[at..];
        let (mark, closed) = if tail.starts_with("${") {
            (2, true)
        } else if tail.starts_with('{') {
            (1, true)
        } else {
            (1, false)
        };
        let end = tail.bytes().skip(mark).position(|b| !is_name(b)).map_or(tail.len(), |end| end + mark);
        let whole = if closed { tail[end..].starts_with('}').then_some(end + 1) } else { Some(end) };
        let known = whole.and_then(|whole| Some((whole, known.get(&tail[mark..end])?)));
        let (length, value) = known.unwrap_or((mark, &tail[..mark]));
        out.push_str(value);
        rest = &tail[length..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::super::Text;

    /// The lines that are source, by number.
    fn source(raw: &str) -> Vec<usize> {
        Text::new(raw).lines.iter().filter(|l| l.source).map(|l| l.number).collect()
    }

    #[test]
    fn source_is_told_from_what_is_printed() {
        assert_eq!(
            source("!pip install x\nimport a, b.c as d\nfrom a import b\nprint(1)\n%%sh"),
            [1, 2, 3, 4, 5]
        );
        assert_eq!(source("import os\nhost, port = f(x)\nPort = 22\nif a == b:"), [1, 2, 4]);
        assert_eq!(source("print(a,\n  username=\"me\",\n)\nUser: me"), [1, 2, 3]);
        for printed in [
            "import failed, try again",
            "from 10.0.0.1 import of keys",
            "Host: vm.example.org\nPort = 40022",
            "SSH_HOST=vm.example.org",
            "!!! warning",
            "100% done",
            "host = 'vm.example.org'",
        ] {
            assert_eq!(source(printed), [0; 0], "{printed}");
        }
    }

    #[test]
    fn literals_are_filled_in_and_nothing_else() {
        let last = |raw: &str| Text::new(raw).lines.pop().unwrap().text;
        assert_eq!(
            last("import os\nport = 7423\nh='a.b'\n!x -R {port}:l:22 ${h} $h."),
            "!x -R 7423:l:22 a.b a.b."
        );
        assert_eq!(last("!export P=22\n!x $P $PP {P:d}"), "!x 22 $PP {P:d}");
        for kept in ["a = f('x')", "a = 'x' + b", "a = \"{b}\"", "a = b", "a == 'x'", "a = '$b'", "a=b"] {
            assert_eq!(last(&format!("import os\n{kept}\n!x $a {{a}}")), "!x $a {a}", "{kept}");
        }
        assert_eq!(last("a = 'x'\n$a"), "$a", "without a cell nothing is filled in");
    }

    #[test]
    fn filling_in_is_bounded() {
        let raw = format!("import os\na = '{}'\n{}", "x".repeat(250), "$a\n".repeat(50_000));
        let grown: usize = Text::new(&raw).lines.iter().map(|l| l.text.len()).sum();
        assert!(grown < raw.len() + 65 * 1024, "{grown}");
    }
}
