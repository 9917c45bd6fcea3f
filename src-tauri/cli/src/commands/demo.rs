//! `moorline demo`: the whole story on a practice runtime, in a throw-away home, with the real code and the real ssh.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use moorline_core::repoint::adding::{TypedSecret, Wish};
use moorline_core::repoint::change::ssh_dir;
use moorline_core::ssh::context::Tools;
use moorline_core::ssh::practice::{PracticeOptions, PracticeRuntime};
use moorline_core::ssh::{SystemSsh, kept_secrets};
use moorline_core::store::dirs::Dirs;
use moorline_core::store::vault::MemoryVault;
use moorline_ssh_files::Alias;
use secrecy::ExposeSecret;
use serde_json::json;

use super::adding::Adding;
use super::forget::forget;
use super::leading::Given;
use super::mending::mend;
use crate::ending::Due;
use crate::printer::Printer;
use crate::trust_args::TrustArgs;

/// A person's config as it might be, to show that it stays.
const THEIR_CONFIG: &str = "\
# my own defaults
ServerAliveInterval 60

Host bastion
    HostName 10.0.0.1
    User me
";

/// `moorline demo`
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Keep the throw-away home and say where it is.
    #[arg(long)]
    pub keep: bool,
}

/// Runs the command.
pub fn run(args: &DemoArgs, printer: &Printer) -> anyhow::Result<ExitCode> {
    let home = tempfile::Builder::new()
        .prefix("moorline-demo-")
        .tempdir()
        .context("cannot make a throw-away home; free some space in the temporary directory")?;
    let place = home.path().to_owned();
    let due = Due::at_end(move || remove(&place));
    // Whatever is made on the way lies in the throw-away home, and goes with it.
    let scratch = home.path().join("tmp");
    std::fs::create_dir(&scratch).context("cannot write into the throw-away home")?;
    if tempfile::env::override_temp_dir(&scratch).is_err() {
        bail!("another part of this program has chosen a temporary directory; please report this");
    }
    let steps = play(home.path(), &printer.for_steps())?;
    drop(due);
    if args.keep {
        let kept = home.keep();
        printer.line(format!("The throw-away home is kept at {}", kept.display()));
    }
    printer.json(&json!({ "steps": steps, "ok": true }));
    Ok(ExitCode::SUCCESS)
}

/// The story may still be writing into it.
fn remove(home: &Path) {
    while std::fs::remove_dir_all(home).is_err_and(|error| error.kind() == ErrorKind::DirectoryNotEmpty) {}
}

struct Stage<'a> {
    tools: Arc<Tools>,
    printer: &'a Printer,
    name: Alias,
    steps: Vec<&'static str>,
}

fn play(home: &Path, printer: &Printer) -> anyhow::Result<Vec<&'static str>> {
    let dirs = Dirs::under(home);
    let ssh = SystemSsh::find(Some(home))?;
    let tools = Arc::new(Tools { vault: Box::new(MemoryVault::default()), ssh, dirs, askpass: None });
    Dirs::create_private(&tools.dirs.ssh)?;
    let config = ssh_dir(&tools).config_path();
    std::fs::write(&config, THEIR_CONFIG).context("cannot write into the throw-away home")?;
    let mut stage = Stage { tools, printer, name: "colab".parse()?, steps: Vec::new() };

    printer.heading("moorline demo");
    printer.line("A practice runtime on this machine plays the Colab VM. Your own ~/.ssh is not touched;");
    printer.line("ssh is the real one. Each step is what `moorline` does for you.");
    let mut runtime = PracticeRuntime::start(PracticeOptions::default())?;

    stage.step(
        "1. The notebook's cell has started sshd and a tunnel. You paste what it printed: moorline add colab",
    );
    stage.add(&runtime)?;
    stage.ssh_works()?;

    stage.step("2. The runtime restarts: another port, another host key, an empty disk. Plain ssh is lost:");
    runtime.restart()?;
    stage.ssh_fails()?;
    printer.line("You paste what the cell printed this time:");
    stage.add(&runtime)?;
    stage.ssh_works()?;

    stage.step("3. It restarts behind the same address (a relay, a reserved port), with a new key. Plain ssh refuses it:");
    runtime.restart_at_same_port()?;
    stage.ssh_fails()?;
    printer.line("This is where one would run ssh-keygen -R and type the password again. Instead: moorline repair colab");
    stage.mend(&runtime)?;
    stage.ssh_works()?;

    stage.step("4. `moorline forget colab` takes back what was written, to the byte:");
    forget(&stage.tools, &stage.name, printer)?;
    let after = std::fs::read_to_string(&config).context("cannot read the demo's config")?;
    if after != THEIR_CONFIG {
        bail!("the demo's config is not as it was before; please report this");
    }
    printer.done("the config is byte for byte what it was before");
    printer.line("");
    printer.line("With a real runtime: moorline add, and paste.");
    Ok(stage.steps)
}

impl Stage<'_> {
    fn step(&mut self, title: &'static str) {
        self.printer.line("");
        self.printer.heading(title);
        self.steps.push(title);
    }

    fn add(&self, runtime: &PracticeRuntime) -> anyhow::Result<()> {
        let text = runtime.banner_text();
        let hidden = text.expose_secret().replace(runtime.password().expose_secret(), "••••••••");
        self.printer.detail(hidden);
        let trust = self.compare(runtime);
        let wish = Wish { name: Some(self.name.clone()), fingerprint: trust.fingerprint, ..Wish::default() };
        super::block_on(self.adding(&trust).run(Given::Text(TypedSecret::new(text)), wish))??;
        Ok(())
    }

    fn mend(&self, runtime: &PracticeRuntime) -> anyhow::Result<()> {
        // As in life, the new machine has a new password, which the cell printed.
        let session = super::session(&self.tools, Some(&self.name))?;
        kept_secrets::keep_password(&self.tools, &session, runtime.host_key(), runtime.password())?;
        let trust = self.compare(runtime);
        super::block_on(mend(&self.adding(&trust), &session, false))??;
        Ok(())
    }

    /// Stands for the person who looks at the notebook and compares.
    fn compare(&self, runtime: &PracticeRuntime) -> TrustArgs {
        let fingerprint = runtime.host_key().fingerprint();
        self.printer.detail(format!("the notebook says: {fingerprint} (the demo compares for you)"));
        TrustArgs { fingerprint: Some(fingerprint), trust_first_use: false }
    }

    fn adding<'a>(&'a self, trust: &'a TrustArgs) -> Adding<'a> {
        Adding {
            tools: &self.tools,
            printer: self.printer,
            yes: true,
            dry_run: false,
            diffs: true,
            trust,
            named: true,
        }
    }

    fn ssh_works(&self) -> anyhow::Result<()> {
        let output = self.ssh()?;
        if !output.status.success() {
            bail!("ssh {} failed: {}", self.name, String::from_utf8_lossy(&output.stderr).trim());
        }
        self.printer.line(format!("$ ssh {} hostname", self.name));
        self.printer.detail(String::from_utf8_lossy(&output.stdout).trim());
        Ok(())
    }

    fn ssh_fails(&self) -> anyhow::Result<()> {
        let output = self.ssh()?;
        if output.status.success() {
            bail!("ssh {} reached a runtime that it must not trust; please report this", self.name);
        }
        self.printer.line(format!("$ ssh {} hostname", self.name));
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            self.printer.detail(line.trim_end());
        }
        Ok(())
    }

    fn ssh(&self) -> anyhow::Result<std::process::Output> {
        let argv = self.tools.ssh.argv(&["-o", "BatchMode=yes", self.name.as_str(), "hostname"]);
        let (program, rest) = argv.split_first().context("there is no ssh program")?;
        let mut command = Command::new(program);
        // Ctrl-C is for the demo, which then tidies up; its ssh ends with the runtime.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command
            .args(rest)
            .stdin(Stdio::null())
            .output()
            .with_context(|| format!("cannot run {program}; install the OpenSSH client"))
    }
}
