"""Keeps this runtime within reach: holds the tunnel open, and announces where it leads.

Started by Moorline's setup cell, in a process of its own, so that a restarted kernel cuts nobody off. It gets what it
needs through its standard input, and never the session key: only what was derived from it. It is given a locked file,
too, and holds that lock for as long as it lives: there is one keeper a session.
SIGHUP: announce again. SIGUSR1: make room for another keeper, silently. SIGTERM: say goodbye, and end.
"""
import base64
import ctypes
import hmac
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request


class Keeper:
    # A tunnel that says that it leads nowhere gets this many readings to mend itself, as cloudflared does by a new
    # connection under the old name.
    UNREADY = 8

    def __init__(self, plan):
        self.plan = plan
        self.mac_key = bytes.fromhex(plan["mac_key"])
        self.stop, self.goodbye = threading.Event(), True
        self.sshd_due = 0.0
        self.tunnel, self.failures, self.retry_at, self.look_at, self.unready = None, 0, 0.0, 0.0, 0
        self.channels = [Channel(name, getattr(self, f"send_by_{name}")) for name in plan["channels"]]
        self.me, self.wanted, self.asked, self.beat_at = None, None, False, 0.0
        self.troubles, self.untold = {}, True
        self.status = {"pid": os.getpid(), "plan": plan["fingerprint"], "endpoint": None, "line": None, "problem": None}

    def run(self):
        handlers = {signal.SIGTERM: self.leave, signal.SIGINT: self.leave, signal.SIGUSR1: self.make_room,
                    signal.SIGHUP: self.again}
        for number, handler in handlers.items():
            signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, handlers)
        while not self.stop.is_set():
            for step in (self.mind_sshd, self.mind_tunnel, self.mind_news, self.mind_status):
                self.attempt(step)
            self.stop.wait(0.25)
        self.attempt(self.end)
        self.attempt(self.mind_status)
        if self.tunnel:
            self.tunnel.stop()

    def attempt(self, step):
        """Takes a step. One that fails is said once and taken again: no full disk ends the keeper."""
        name, trouble = step.__name__, None
        try:
            step()
        except Exception as error:
            trouble = f"{type(error).__name__}: {error}"
        before = self.troubles.get(name)
        if trouble != before:
            self.troubles[name], self.untold = trouble, True
            try:
                said = trouble or f"works again, after {before}"
                print(time.strftime("%F %T"), f"{name}: {said}", file=sys.stderr, flush=True)
            except OSError:
                pass  # The log lies on the same disk.

    # --- what others want ----------------------------------------------------------------------------------------

    def leave(self, *_):
        self.stop.set()

    def make_room(self, *_):
        self.goodbye = False
        self.stop.set()

    def again(self, *_):
        self.wanted, self.asked = "up", True

    # --- the steps -----------------------------------------------------------------------------------------------

    def mind_sshd(self):
        now, home = time.monotonic(), self.plan["home"]
        if now < self.sshd_due or sshd_of(os.path.join(home, "sshd.pid"), os.path.join(home, "sshd_config")):
            return
        # It goes to the background before it says who it is.
        self.sshd_due = now + 5
        subprocess.run(self.plan["sshd"], env=self.plan["environment"], stdin=subprocess.DEVNULL, timeout=20, check=True)

    def mind_tunnel(self):
        now = time.monotonic()
        if self.tunnel and self.tunnel.ended():
            self.lose(f"the tunnel ended: {self.tunnel.complaint()}")
        if not self.tunnel:
            if now < self.retry_at:
                return
            self.began, self.retry_at, self.look_at, self.unready = now, now + 1, 0.0, 0
            ngrok = self.plan["link"]["kind"] == "ngrok"
            self.tunnel = Tunnel(self.plan, self.sealed("up", []) if ngrok else None)
        if now < self.look_at:
            return
        found, known = self.tunnel.look(), self.status["endpoint"]
        self.look_at = now + self.plan["reading"] if found or known else 0.0
        if found:
            self.unready = 0
            if found != known:
                self.status.update(endpoint=found, problem=None)
                self.wanted, self.untold = "up", True
        elif known:
            self.unready += 1
            if self.unready >= self.UNREADY:
                self.lose(f"the tunnel led nowhere any more: {self.tunnel.complaint()}")
        elif now - self.began > 90:
            self.lose(f"the tunnel does not come up: {self.tunnel.complaint()}")

    def lose(self, why):
        """The tunnel is of no use. Another one comes after a pause, which grows where none is of any."""
        self.tunnel.stop()
        now, self.tunnel = time.monotonic(), None
        # What held for a minute was no failure to begin with.
        self.failures = 0 if self.status["endpoint"] and now - self.began > 60 else self.failures + 1
        self.retry_at = now + min(2 ** min(self.failures, 5), 30) - 1
        self.status.update(endpoint=None, problem=why)
        self.untold = True

    def mind_news(self):
        now = time.monotonic()
        if not self.status["endpoint"]:
            if self.asked:
                self.asked, self.untold = False, True
            return
        if now >= self.beat_at and not self.wanted:
            self.wanted = "beat"
        if self.wanted:
            self.announce(self.wanted)
            self.beat_at = now + self.plan["beat"]
        if any([channel.mind(now) for channel in self.channels]):
            self.untold = True

    def announce(self, kind):
        # Who has not heard yet that it is there gets no mere sign of life.
        if any(channel.owed == "up" for channel in self.channels):
            kind = "up"
        line = self.sealed(kind, [self.status["endpoint"]])
        self.wanted, self.asked, self.untold = None, False, True
        self.status.update(announced=kind, line=line if kind == "up" else self.status["line"])
        for channel in self.channels:
            channel.offer(kind, line)

    def mind_status(self):
        if not self.untold:
            return
        self.status["at"] = time.time()
        self.status["sent"] = {channel.name: channel.problem for channel in self.channels if channel.answered}
        troubles = [trouble for trouble in self.troubles.values() if trouble]
        said = {**self.status, "problem": self.status["problem"] or (troubles or [None])[0]}
        write_private(os.path.join(self.plan["home"], "status.json"), json.dumps(said))
        self.untold = False

    def end(self):
        endpoint = self.status["endpoint"]
        self.status.update(pid=None, endpoint=None)
        self.untold = True
        if not self.goodbye or not endpoint:
            return
        self.attempt(self.mind_status)
        line, deadline = self.sealed("down", [endpoint]), time.monotonic() + 5
        for sending in [Sending(channel.send, line, 4) for channel in self.channels]:
            sending.join(max(0, deadline - time.monotonic()))

    # --- news ----------------------------------------------------------------------------------------------------

    def sealed(self, kind, endpoints):
        now = int(time.time())
        self.me = next_of_runtime(os.path.join(self.plan["home"], "runtime.json"), now, self.me)
        body = {"v": 1, "kind": kind, **self.me, "at": now, "endpoints": endpoints, "user": self.plan["user"]}
        return seal(self.mac_key, self.plan["kid"], {**body, "info": self.plan["info"]})

    def send_by_ntfy(self, line, patience):
        post_to_ntfy(self.plan["ntfy_server"], self.plan["topic"], line, patience)

    def send_by_folder(self, line, _):
        put_into_folder(self.plan["folder"], self.plan["kid"], line)

    def send_by_relay(self, line, patience):
        leave_at_relay(self.plan["relay_ssh"], self.plan["relay_login"], line, self.plan["environment"], 2 * patience)


# @include channel


# @include tunnel


# @include processes


# @include news


# @include wire


# @include files


def main():
    Keeper(json.load(sys.stdin)).run()


if __name__ == "__main__":
    main()
