"""Keeps this runtime within reach: holds the tunnel open, and announces where it leads.

Started by Moorline's setup cell, in a process of its own, so that a restarted kernel cuts nobody off. It gets what it
needs through its standard input, and never the session key: only what was derived from it.
SIGHUP: announce again. SIGUSR1: make room for another keeper, silently. SIGTERM: say goodbye, and end.
"""
import base64
import concurrent.futures
import ctypes
import fcntl
import hmac
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

# @include wire


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


LIBC = ctypes.CDLL(None)


def die_with_keeper():
    LIBC.prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG: an orphaned tunnel would keep the port from the next one.


class Tunnel:
    """One run of the program that makes the runtime reachable. `look` finds out where it leads."""

    def __init__(self, plan, line_for_metadata):
        self.plan, self.link, self.endpoint = plan, plan["link"], None
        self.api = free_port()
        self.log_path = os.path.join(plan["home"], "tunnel.log")
        argv, extra = getattr(self, self.link["kind"])(line_for_metadata)
        self.process = None
        if argv:
            with open(self.log_path, "w") as log:
                self.process = subprocess.Popen(
                    argv, env={**plan["environment"], **extra}, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    cwd=plan["home"], start_new_session=True, preexec_fn=die_with_keeper,
                )

    def direct(self, _):
        self.endpoint = {"link": "direct", "host": self.link["host"], "port": self.link["port"]}
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

    def look(self):
        """Finds the endpoint once the tunnel stands."""
        if self.endpoint:
            return
        if self.link["kind"] == "relay" and "remote forward success" in self.said():
            self.endpoint = {"link": "relay", "port": self.link["listen"]}
        elif self.link["kind"] == "ngrok":
            self.endpoint = ngrok_endpoint(self.api)
        elif self.link["kind"] == "cloudflare" and fetch_json(f"http://127.0.0.1:{self.api}/ready"):
            named = self.link.get("host")
            self.endpoint = {"link": "cloudflare", "host": named} if named else cloudflare_endpoint(self.api)

    def said(self):
        try:
            with open(self.log_path, errors="replace") as log:
                return log.read()
        except OSError:
            return ""

    def ended(self):
        return self.process is not None and self.process.poll() is not None

    def complaint(self):
        """The last line of the log that is no chatter."""
        lines = [line.strip() for line in self.said().splitlines() if not line.startswith("debug1:")]
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


class Keeper:
    def __init__(self, plan):
        self.plan = plan
        self.mac_key = bytes.fromhex(plan["mac_key"])
        self.stop, self.goodbye = threading.Event(), True
        self.tunnel, self.failures, self.retry_at = None, 0, 0.0
        self.wanted, self.unsent, self.send_at, self.beat_at = None, 0, 0.0, 0.0
        self.status = {"pid": os.getpid(), "plan": plan["fingerprint"], "endpoint": None, "line": None}

    def run(self):
        signal.signal(signal.SIGTERM, self.leave)
        signal.signal(signal.SIGINT, self.leave)
        signal.signal(signal.SIGUSR1, self.make_room)
        signal.signal(signal.SIGHUP, self.again)
        while not self.stop.is_set():
            self.mind_sshd()
            self.mind_tunnel()
            self.mind_news()
            self.stop.wait(0.25)
        if self.goodbye and self.status["endpoint"]:
            self.announce("down", patience=4)
        self.status.update(pid=None, endpoint=None)
        self.tell()
        if self.tunnel:
            self.tunnel.stop()

    def leave(self, *_):
        self.stop.set()

    def make_room(self, *_):
        self.goodbye = False
        self.stop.set()

    def again(self, *_):
        self.wanted, self.send_at = "up", 0.0

    def mind_sshd(self):
        try:
            with open(os.path.join(self.plan["home"], "sshd.pid")) as file:
                os.kill(int(file.read()), 0)
        except (OSError, ValueError):
            subprocess.run(self.plan["sshd"], env=self.plan["environment"], stdin=subprocess.DEVNULL, check=False)
            self.stop.wait(1)

    def mind_tunnel(self):
        now = time.monotonic()
        if self.tunnel and self.tunnel.ended():
            # What held for a minute was no failure to begin with.
            self.failures = 0 if self.status["endpoint"] and now - self.began > 60 else self.failures + 1
            self.retry_at = now + min(2 ** min(self.failures, 5), 30) - 1
            self.status.update(endpoint=None, problem=f"the tunnel ended: {self.tunnel.complaint()}")
            self.tell()
            self.tunnel = None
        if self.tunnel is None and now >= self.retry_at:
            self.began = now
            ngrok = self.plan["link"]["kind"] == "ngrok"
            self.tunnel = Tunnel(self.plan, self.line("up", []) if ngrok else None)
        if self.tunnel and not self.status["endpoint"]:
            self.tunnel.look()
            if self.tunnel.endpoint:
                self.status.update(endpoint=self.tunnel.endpoint, problem=None)
                self.wanted, self.send_at = "up", 0.0
            elif now - self.began > 90:
                self.tunnel.stop()

    def mind_news(self):
        now = time.monotonic()
        if not self.status["endpoint"]:
            return
        if self.wanted is None and now >= self.beat_at:
            self.wanted, self.send_at = "beat", 0.0
        if self.wanted and now >= self.send_at:
            kind, self.wanted = self.wanted, None
            self.beat_at = now + self.plan["beat"]
            if self.announce(kind, patience=15):
                self.unsent = 0
            else:
                self.unsent += 1
                self.wanted, self.send_at = kind, now + min(5 * 2 ** min(self.unsent, 6), 300)

    def line(self, kind, endpoints):
        now = int(time.time())
        me = next_of_runtime(os.path.join(self.plan["home"], "runtime.json"), now)
        body = {"v": 1, "kind": kind, **me, "at": now, "endpoints": endpoints, "user": self.plan["user"]}
        return seal(self.mac_key, self.plan["kid"], {**body, "info": self.plan["info"]})

    def announce(self, kind, patience):
        """Sends the news over every channel at once; whether each took it."""
        line = self.line(kind, [self.status["endpoint"]])
        if kind == "up":
            self.status["line"] = line
        self.status["sent"] = {}
        with concurrent.futures.ThreadPoolExecutor() as pool:
            for channel, sent in [(c, pool.submit(self.send, c, line, patience)) for c in self.plan["channels"]]:
                error = sent.exception()
                self.status["sent"][channel] = error and (str(error) or type(error).__name__)[:200]
        self.status["announced"] = kind
        self.tell()
        return not any(self.status["sent"].values())

    def send(self, channel, line, patience):
        if channel == "ntfy":
            post_to_ntfy(self.plan["ntfy_server"], self.plan["topic"], line, patience)
        elif channel == "folder":
            put_into_folder(self.plan["folder"], self.plan["kid"], line)
        elif channel == "relay":
            done = subprocess.run(
                [*self.plan["relay_ssh"], "-T", self.plan["relay_login"]], env=self.plan["environment"],
                input=line + "\n", text=True, capture_output=True, timeout=2 * patience, check=False,
            )
            if done.returncode:
                raise RuntimeError(f"the relay did not take it: {done.stderr.strip()[-160:]}")

    def tell(self):
        self.status["at"] = time.time()
        write_private(os.path.join(self.plan["home"], "status.json"), json.dumps(self.status))


def main():
    plan = json.load(sys.stdin)
    lock = open(os.path.join(plan["home"], "keeper.lock"), "a")
    fcntl.flock(lock, fcntl.LOCK_EX)
    Keeper(plan).run()


if __name__ == "__main__":
    main()
