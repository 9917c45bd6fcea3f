class Home:
    """The session's folder on this runtime, and what the programs get that are started from here."""

    def __init__(self, session):
        account = pwd.getpwuid(os.getuid())
        self.user, self.root = account.pw_name, os.getuid() == 0
        self.folder = os.path.join(account.pw_dir, ".moorline", session)
        self.environment = harmless_environment()
        self.environment.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
        self.environment["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
        self.environment.update(HOME=account.pw_dir, USER=self.user, LOGNAME=self.user)

    def make(self):
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        os.chmod(self.folder, 0o700)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        return read_text(self.path(name))

    def write(self, name, text):
        """Writes a private file; whether that changed anything."""
        changed = self.read(name) != text
        if changed:
            write_private(self.path(name), text)
        return changed

    def find(self, program):
        return shutil.which(program, path=self.environment["PATH"])

    def tool(self, program):
        found = self.find(program)
        if not found:
            raise SystemExit(f"{program} is not installed here; install it, and run this cell again.")
        return found

    def start(self, argv, env=None, **more):
        more = {"check": False, **more}
        if "input" not in more:
            more["stdin"] = subprocess.DEVNULL
        return subprocess.run(argv, env=env or self.environment, **more)
