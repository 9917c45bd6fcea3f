class Comforts:
    """What a person wants besides. The runtime is reachable without, and none of it keeps another from being done."""

    def __init__(self, home, settings):
        self.home, self.settings = home, settings

    def bring(self):
        for what, comfort in (
            ("The GPU's libraries are not set up for login shells", self.offer_gpu_libraries),
            ("Google Drive was not mounted", self.mount_drive),
            (f"{self.settings['git']} was not cloned", self.clone),
            ("Your own set-up lines did not run", self.run_own_lines),
        ):
            try:
                comfort()
            except (Exception, SystemExit) as error:
                why = (str(error) or type(error).__name__).rstrip(".")
                print(f"{what}: {why}. Run this cell again to try that again; the rest of it stands.")

    def offer_gpu_libraries(self):
        """For login shells alone: in the environment of every program these libraries shadow others."""
        if self.home.root and os.path.isdir("/usr/lib64-nvidia") and os.path.isdir("/etc/profile.d"):
            with open("/etc/profile.d/moorline-gpu.sh", "w") as file:
                file.write('export LD_LIBRARY_PATH="/usr/lib64-nvidia${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"\n')

    def mount_drive(self):
        if not self.settings["drive"]:
            return
        try:
            from google.colab import drive
        except ImportError:
            print("Drive can be mounted on Colab only; going on without it.")
            return
        drive.mount("/content/drive")

    def clone(self):
        """Clones once. The token goes to git's own helper, which keeps it in memory, and into no address or file."""
        address = self.settings["git"]
        if not address:
            return
        places = ("/content", "/kaggle/working", self.home.environment["HOME"])
        base = next(place for place in places if os.path.isdir(place))
        folder = os.path.join(base, re.sub(r"\.git$", "", address.rstrip("/").rsplit("/", 1)[1]))
        if os.path.isdir(folder):
            return
        git, helper = self.home.tool("git"), "cache --timeout=43200"
        token = secret(self.settings["git_secret"])
        quiet = {**self.home.environment, "GIT_TERMINAL_PROMPT": "0"}
        if token:
            # Any user name does for GitHub and GitLab; the token is what counts.
            host = address.split("/")[2]
            known = f"protocol=https\nhost={host}\nusername=x-access-token\npassword={token}\n\n"
            self.home.start([git, "credential-cache", "--timeout=43200", "store"], input=known, text=True, env=quiet,
                            cwd=self.home.folder)
        done = self.home.start([git, "clone", "--config", f"credential.helper={helper}", "--", address, folder], env=quiet)
        if done.returncode:
            print(f"{address} was not cloned; a private one needs a token named {self.settings['git_secret']} in the "
                  "Secrets panel.")

    def run_own_lines(self):
        """The person's own set-up lines, once a runtime, and again when they were changed."""
        lines = "\n".join(self.settings["setup"])
        mark = hashlib.sha256(lines.encode()).hexdigest()
        if not lines or self.home.read("setup.done") == mark:
            return
        done = self.home.start([self.home.tool("bash"), "-e", "-c", lines], cwd=self.home.environment["HOME"])
        if done.returncode:
            print(f"Your own set-up lines ended with {done.returncode}; they run again with the next run of this cell.")
        else:
            self.home.write("setup.done", mark)
