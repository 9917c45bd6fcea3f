class KeeperProcess:
    """The program beside the kernel. It holds a lock for as long as it lives, so that there is one a session."""

    # How long one may take to say who it is, one that is told to make room for that, and the channels for taking the
    # news, in seconds.
    START, ROOM, NEWS = 10, 20, 20

    def __init__(self, home, program):
        self.home, self.program, self.since = home, program, time.time()

    def tend(self, plan):
        """Starts it, or lets the one that runs announce again. An outdated one makes room; sshd stays."""
        self.since, asked, begin = time.time(), False, time.monotonic()
        lock = os.open(self.home.path("keeper.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not self.take(lock):
                status, waited = self.status(), time.monotonic() - begin
                known = status.get("pid") in self.pids()
                if known and not asked and status.get("plan") == plan["fingerprint"]:
                    self.signal(signal.SIGHUP)
                    return
                if not asked and (known or waited > self.START):
                    self.signal(signal.SIGUSR1)
                    asked = True
                if waited > self.START + self.ROOM:
                    self.signal(signal.SIGKILL)
                if waited > self.START + 2 * self.ROOM:
                    raise SystemExit(f"Something holds {self.home.path('keeper.lock')}: restart this runtime.")
                time.sleep(0.05)
            self.start(plan, lock)
        finally:
            os.close(lock)  # What was started holds it, too.

    def take(self, lock):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except OSError:
            return False

    def start(self, plan, lock):
        self.home.write("keeper.py", self.program)
        # Signals wait until it minds them: one that came earlier would end it.
        signals = {signal.SIGHUP, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT}
        before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
        try:
            with open(self.home.path("keeper.log"), "a") as log:
                process = subprocess.Popen(
                    [sys.executable, "-I", self.home.path("keeper.py")], env=self.home.environment, pass_fds=[lock],
                    stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=self.home.folder, start_new_session=True,
                )
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        with process.stdin as pipe:
            pipe.write(json.dumps(plan).encode())

    def signal(self, number):
        for pid in self.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def pids(self):
        """Found by what they run: a number that was noted may be another process's by now."""
        wanted, found = [b"-I", os.fsencode(self.home.path("keeper.py"))], []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    if file.read().split(b"\0")[1:3] == wanted:
                        found.append(int(name))
            except OSError:
                pass  # It ended, or is another's.
        return found

    def status(self):
        return read_json(self.home.path("status.json"))

    def await_news(self, plan):
        """Waits until the runtime was announced, or for a minute and a half; a channel may take longer than that."""
        deadline, patience, told, status = time.monotonic() + 90, None, None, {}
        while time.monotonic() < (patience or deadline):
            said = self.status()
            if said.get("plan") == plan["fingerprint"] and said.get("at", 0) >= self.since:
                status = said
            if status.get("endpoint") and status.get("line"):
                patience = patience or time.monotonic() + self.NEWS
                if set(plan["channels"]) <= set(status["sent"]):
                    break
            elif status.get("problem") not in (None, told):
                told = status["problem"]
                print(f"Not yet: {told}")
            time.sleep(0.1)
        return status
