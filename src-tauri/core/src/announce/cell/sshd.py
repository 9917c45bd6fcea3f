class Sshd:
    """An own sshd beside whatever runs here: one user, one key, no password."""

    def __init__(self, home, settings, host_key):
        self.home, self.settings = home, settings
        self.port_given, self.direct = settings["sshd_port"], settings["link"]["kind"] == "direct"
        # Stands in what it greets with, so that another sshd on its port is not taken for it.
        self.mark = hashlib.sha256(host_key.encode()).hexdigest()[:8]

    def serve(self):
        """Has it answer, and gives its port."""
        self.program()
        self.home.write("authorized_keys", "".join(key + "\n" for key in self.settings["authorized_keys"]))
        pam = False
        if self.home.root:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
            pam = self.unlock_account()
        for _ in range(3):
            port = self.port()
            self.start(port, pam)
            if self.answers(port):
                return port
            if self.port_given:
                break
            # Whoever took it since may keep it.
            os.unlink(self.home.path("sshd_port"))
        advice = "" if self.direct else f"; another port is set by sshd_port in [session.{self.settings['session']}.cell]"
        half = self.running()
        if half:
            os.kill(half, signal.SIGTERM)
        raise SystemExit(f"The cell's sshd does not answer on port {port} of 127.0.0.1: {self.complaint()}{advice}.")

    def argv(self):
        return [self.program(), "-f", self.home.path("sshd_config"), "-E", self.home.path("sshd.log")]

    def program(self):
        if not self.home.find("sshd") and self.home.root and self.home.find("apt-get"):
            quiet = {**self.home.environment, "DEBIAN_FRONTEND": "noninteractive"}
            print("Installing openssh-server ...")
            for step in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", "openssh-server"]):
                self.home.start(["apt-get", *step], env=quiet, stdout=subprocess.DEVNULL)
        return self.home.tool("sshd")

    def port(self):
        """The one that was asked for, else one that was free when this runtime was set up."""
        if self.port_given:
            return self.port_given
        try:
            return int(self.home.read("sshd_port"))
        except ValueError:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            self.home.write("sshd_port", str(port))
            return port

    def config(self, port, pam):
        # A tunnel set up elsewhere may say `localhost`, which can be ::1.
        addresses = ["0.0.0.0", "[::]"] if self.direct else ["127.0.0.1"] + ["[::1]"] * bool(self.port_given)
        six = socket.has_ipv6 and os.path.exists("/proc/net/if_inet6")
        lines = [f"ListenAddress {address}:{port}" for address in addresses if six or not address.startswith("[")]
        return "\n".join([
            *lines,
            f"HostKey {self.home.path('host_key')}",
            f"PidFile {self.home.path('sshd.pid')}",
            f"AuthorizedKeysFile {self.home.path('authorized_keys')}",
            f"AllowUsers {self.home.user}",
            f"VersionAddendum {self.mark}",
            "AuthenticationMethods publickey",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "PermitUserEnvironment no",
            # PAM's session rules fail in many containers; keys need none of it.
            f"UsePAM {'yes' if pam else 'no'}",
            # Its keys lie in a folder made 0700 here; a home that a group may write to is Jupyter's habit.
            "StrictModes no",
            "X11Forwarding no",
            "AllowAgentForwarding no",
            "AllowTcpForwarding yes",
            "GatewayPorts no",
            "MaxSessions 64",
            "MaxStartups 30:30:100",
            "ClientAliveInterval 30",
            "ClientAliveCountMax 6",
            "UseDNS no",
            "PrintMotd no",
            "AcceptEnv LANG LC_*",
            "Subsystem sftp internal-sftp",
        ]) + "\n"

    def start(self, port, pam):
        changed = self.home.write("sshd_config", self.config(port, pam))
        tried = self.home.start([*self.argv()[:3], "-t"], capture_output=True, text=True)
        if tried.returncode:
            raise SystemExit(f"sshd does not take its settings: {tried.stderr.strip()}")
        running = self.running()
        if running and changed:
            os.kill(running, signal.SIGHUP)  # It reads its files anew, and drops nobody.
        elif not running:
            write_private(self.home.path("sshd.log"), "")
            self.home.start(self.argv(), check=True)

    def running(self):
        return sshd_of(self.home.path("sshd.pid"), self.home.path("sshd_config"))

    def answers(self, port):
        """Whether this sshd greets there within a while: it goes to the background first, and binds then."""
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            if self.running() and self.greeting(port).endswith(self.mark):
                return True
            if "Cannot bind any address" in self.home.read("sshd.log"):
                return False
            time.sleep(0.02)
        return False

    def greeting(self, port):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=3) as stream, stream.makefile("rb") as lines:
                return lines.readline(256).decode(errors="replace").rstrip()
        except OSError:
            return ""

    def complaint(self):
        lines = self.home.read("sshd.log").strip().splitlines()
        loud = [line for line in lines if re.search("failed|rror", line)]
        return (loud or lines or ["it said nothing"])[-1].rstrip(".")

    def unlock_account(self):
        """Without PAM, sshd lets nobody in whose account is locked (`!`). Where no password stands behind the lock, `*`
        is as good, and is no lock; where one does, it stays as it is, and PAM is asked. Whether it is to be asked."""
        entries = [line.split(":") for line in read_text("/etc/shadow").splitlines()]
        password = next((entry[1] for entry in entries if entry[0] == self.home.user and len(entry) > 1), "")
        if not password.startswith("!"):
            return False
        usermod = self.home.find("usermod")
        if password.strip("!*") or not usermod:
            return True
        return self.home.start([usermod, "-p", "*", self.home.user]).returncode != 0
