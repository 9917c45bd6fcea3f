//! All that the program says: text for people, one JSON object for machines. Nothing else prints.

use std::cell::Cell;
use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::rc::Rc;

use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use moorline_model::text::visible;
use serde::Serialize;

const GOOD: Style = AnsiColor::Green.on_default();
const BAD: Style = AnsiColor::Red.on_default();
const WARN: Style = AnsiColor::Yellow.on_default();
const FAINT: Style = Style::new().dimmed();
const STRONG: Style = Style::new().bold();

/// Where output goes and in which form. Text goes to standard output, errors to standard error; colour only on
/// a terminal (and by `NO_COLOR` and its like, never).
pub struct Printer {
    form: Form,
    lost: Rc<Cell<bool>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Json,
    Nothing,
}

impl Printer {
    /// With `json`, only [`Printer::json`] and [`Printer::error`] print.
    pub fn new(json: bool) -> Self {
        Self { form: if json { Form::Json } else { Form::Text }, lost: Rc::default() }
    }

    /// For steps inside a command that prints one JSON object for all of them.
    pub fn for_steps(&self) -> Self {
        let form = if self.form == Form::Json { Form::Nothing } else { self.form };
        Self { form, lost: Rc::clone(&self.lost) }
    }

    /// Whether machines read along.
    pub fn is_json(&self) -> bool {
        self.form != Form::Text
    }

    /// A plain line.
    pub fn line(&self, text: impl Display) {
        self.out(format_args!("{}", visible(&text.to_string())));
    }

    /// A heading.
    pub fn heading(&self, text: impl Display) {
        self.out(format_args!("{STRONG}{}{STRONG:#}", visible(&text.to_string())));
    }

    /// Something that was done.
    pub fn done(&self, text: impl Display) {
        self.out(format_args!("{GOOD}✓{GOOD:#} {}", visible(&text.to_string())));
    }

    /// Something that failed, in a list of results.
    pub fn problem(&self, text: impl Display) {
        self.out(format_args!("{BAD}✗{BAD:#} {}", visible(&text.to_string())));
    }

    /// Something a person should know.
    pub fn note(&self, text: impl Display) {
        self.out(format_args!("{WARN}!{WARN:#} {}", visible(&text.to_string())));
    }

    /// Something a person should know beside what goes to standard output, which may go into a file.
    pub fn aside(&self, text: impl Display) {
        if self.form == Form::Text {
            let _ = writeln!(anstream::stderr(), "{WARN}!{WARN:#} {}", visible(&text.to_string()));
        }
    }

    /// A detail under the last line.
    pub fn detail(&self, text: impl Display) {
        for line in text.to_string().lines() {
            self.out(format_args!("  {FAINT}{}{FAINT:#}", visible(line)));
        }
    }

    /// A unified diff, coloured by line.
    pub fn diff(&self, text: &str) {
        for line in text.lines() {
            let style = match line.as_bytes().first() {
                Some(b'+') => GOOD,
                Some(b'-') => BAD,
                _ => FAINT,
            };
            self.out(format_args!("    {style}{}{style:#}", visible(line)));
        }
    }

    /// What is being waited for; shown on a terminal only, on standard error, and wiped when dropped.
    pub fn waiting(&self, text: impl Display) -> Waiting {
        let shown = self.form == Form::Text && std::io::stderr().is_terminal();
        if shown {
            let _ = write!(anstream::stderr(), "{FAINT}{}…{FAINT:#}", visible(&text.to_string()));
            let _ = std::io::stderr().flush();
        }
        Waiting { shown }
    }

    /// The one JSON object of a successful run.
    pub fn json<T: Serialize>(&self, value: &T) {
        if self.form == Form::Json
            && let Ok(text) = serde_json::to_string_pretty(value)
        {
            self.check(writeln!(std::io::stdout(), "{text}"));
        }
    }

    /// One JSON object on one line, in any form, at once; `false` when nobody reads any more.
    #[expect(clippy::unused_self, reason = "who prints has the printer")]
    pub fn json_line<T: Serialize>(&self, value: &T) -> bool {
        let Ok(text) = serde_json::to_string(value) else { return true };
        let mut out = std::io::stdout().lock();
        writeln!(out, "{text}").and_then(|()| out.flush()).is_ok()
    }

    /// Why the run failed: one sentence on standard error, and under it the command that helps, if there is one; or
    /// `{"error": …, "next_step": …}` on standard output.
    pub fn error(&self, text: impl Display, command: Option<String>) {
        let text = visible(&text.to_string());
        if self.form == Form::Json {
            let mut error = serde_json::json!({ "error": text });
            if let Some(command) = command {
                error["next_step"] = command.into();
            }
            self.json(&error);
            return;
        }
        let mut stderr = anstream::stderr();
        let _ = writeln!(stderr, "{BAD}moorline:{BAD:#} {text}");
        if let Some(command) = command {
            let _ = writeln!(stderr, "  {}", visible(&command));
        }
    }

    /// Text exactly as given (completions, links), in either form.
    pub fn raw(&self, text: &str) {
        self.check(std::io::stdout().write_all(text.as_bytes()));
    }

    /// Whether some of the output could not be written, for all printers of a run; says so on standard error.
    pub fn lost_output(&self) -> bool {
        self.check(std::io::stdout().flush());
        self.lost.get()
    }

    fn out(&self, text: std::fmt::Arguments<'_>) {
        if self.form == Form::Text {
            let mut out = AutoStream::auto(std::io::stdout());
            self.check(writeln!(out, "{text}"));
        }
    }

    fn check(&self, written: std::io::Result<()>) {
        let Err(error) = written else { return };
        // A closed pipe (`moorline status | head -1`) is the reader's choice.
        if error.kind() != std::io::ErrorKind::BrokenPipe && !self.lost.replace(true) {
            let text = format!("cannot write the output: {error}; give it a place that takes it");
            let _ = writeln!(anstream::stderr(), "{BAD}moorline:{BAD:#} {text}");
        }
    }
}

/// Wipes the waiting line when dropped.
pub struct Waiting {
    shown: bool,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\u{1b}[2K");
            let _ = std::io::stderr().flush();
        }
    }
}
