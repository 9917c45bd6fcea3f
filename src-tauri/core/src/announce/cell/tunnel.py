LIBC = ctypes.CDLL(None)


def die_with_keeper():
    LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: an orphaned tunnel would keep the port from the next one.


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Tunnel:
    """One run of the program that makes the runtime reachable."""

    def __init__(self, plan, line_for_metadata):
        self.plan, self.link = plan, plan["link"]
        self.api, self.forwards = free_port(), False
        self.log_path = os.path.join(plan["home"], "tunnel.log")
        argv, extra = getattr(self, self.link["kind"])(line_for_metadata)
        self.process = None
        if argv:
            with open(self.log_path, "w") as log:
                self.process = subprocess.Popen(
                    argv, env={**plan["environment"], **extra}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=plan["home"], start_new_session=True, preexec_fn=die_with_keeper,
                )

    def look(self):
        """Where it leads now, by what the program itself says; None while it leads nowhere."""
        kind = self.link["kind"]
        if kind == "direct":
            return self.link_to(host=self.link["host"], port=self.link["port"])
        if kind == "relay":
            # ssh ends by itself when the relay is gone.
            self.forwards = self.forwards or "remote forward success" in read_text(self.log_path)
            return self.link_to(port=self.link["listen"]) if self.forwards else None
        if kind == "ngrok":
            return ngrok_endpoint(self.api)
        if not cloudflare_ready(self.api):
            return None
        return self.link_to(host=self.link["host"]) if self.link.get("host") else cloudflare_endpoint(self.api)

    def ended(self):
        return self.process is not None and self.process.poll() is not None

    def complaint(self):
        """The last line of the log that is no chatter."""
        lines = [line.strip() for line in read_text(self.log_path).splitlines() if not line.startswith("debug1:")]
        loud = [line for line in lines if re.search(r"ERR|rror|denied|refused|fail|not |lvl=(eror|crit)", line)]
        return (loud or lines or ["it said nothing"])[-1][:300]

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def link_to(self, **place):
        return {"link": self.link["kind"], **place}

    # --- the programs: what to run, and what it gets in its environment ------------------------------------------

    def direct(self, _):
        return None, {}

    def relay(self, _):
        forward = f"127.0.0.1:{self.link['listen']}:127.0.0.1:{self.plan['sshd_port']}"
        return [
            *self.plan["relay_ssh"], "-v", "-N", "-o", "ExitOnForwardFailure=yes", "-o", "ServerAliveInterval=15",
            "-o", "ServerAliveCountMax=3", "-R", forward, self.plan["relay_login"],
        ], {}

    def cloudflare(self, _):
        target = ["--metrics", f"127.0.0.1:{self.api}", "--no-autoupdate"]
        if self.link.get("host"):
            return [self.plan["program"], "tunnel", *target, "run"], {"TUNNEL_TOKEN": self.plan["token"]}
        return [self.plan["program"], "tunnel", *target, "--url", f"ssh://127.0.0.1:{self.plan['sshd_port']}"], {}

    def ngrok(self, line):
        config = os.path.join(self.plan["home"], "ngrok.yml")
        endpoint = {
            "name": "moorline", "url": "tcp://", "metadata": line,
            "upstream": {"url": f"tcp://127.0.0.1:{self.plan['sshd_port']}"},
        }
        agent = {"web_addr": f"127.0.0.1:{self.api}", "update_check": False}
        # JSON is YAML; the authtoken is in the environment of this one program.
        write_private(config, json.dumps({"version": 3, "agent": agent, "endpoints": [endpoint]}))
        argv = [self.plan["program"], "start", "--config", config, "--log", "stdout", "moorline"]
        return argv, {"NGROK_AUTHTOKEN": self.plan["token"]}
