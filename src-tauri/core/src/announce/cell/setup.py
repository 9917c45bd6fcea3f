import base64
import fcntl
import getpass
import hashlib
import hmac
import http.client
import importlib
import json
import os
import platform
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request


class Moorline:
    """Makes this runtime reachable: `Moorline(settings, keeper).run()`. Running it again is harmless."""

    def __init__(self, settings, keeper_program):
        self.settings, self.home = settings, Home(settings["session"])
        self.keeper = KeeperProcess(self.home, keeper_program)

    def run(self):
        self.home.make()
        with open(self.home.path("setup.lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            key, generation = self.session_key()
            host_key = write_key(self.home.folder, "host_key", derive(key, generation, "host-key", 32))
            sshd = Sshd(self.home, self.settings, host_key)
            port = sshd.serve()
            plan = self.plan(key, generation, sshd.argv(), port)
            self.keeper.tend(plan)
            self.say(self.keeper.await_news(plan), host_key)
            # Only what can be reached is furnished.
            Comforts(self.home, self.settings).bring()
            if self.settings["drive"] and "folder" in self.settings["channels"]:
                self.keeper.signal(signal.SIGHUP)  # That folder may be Drive's, which is there now.

    def session_key(self):
        name = self.settings["secret"]
        text = secret(name) or getpass.getpass(f"{name} (put it into the Secrets panel to be asked no more): ")
        key, generation = read_session_key(text)
        if plain64(derive(key, generation, "key-id", 9)) != self.settings["key_id"]:
            raise SystemExit(f"{name} is another session's key, or an older one: this cell wants the key of "
                             f"{self.settings['session']} that has the id {self.settings['key_id']}.")
        return key, generation

    def plan(self, key, generation, sshd, sshd_port):
        """All that the keeper needs, and no more of the session key than follows from it."""
        settings, link = self.settings, self.settings["link"]
        plan = {
            "home": self.home.folder, "user": self.home.user, "environment": self.home.environment, "link": link,
            "channels": settings["channels"], "ntfy_server": settings["ntfy_server"], "folder": settings["folder"],
            "beat": settings["beat"], "reading": settings["reading"], "kid": settings["key_id"], "info": self.info(),
            "mac_key": derive(key, generation, "announcement-mac", 32).hex(),
            "topic": "ml-" + plain64(derive(key, generation, "ntfy-topic", 18)),
            "sshd": sshd, "sshd_port": sshd_port, "program": None, "token": None,
        }
        if settings["relay"]:
            seed = derive(key, generation, "relay-key", 32)
            plan.update(way_to_relay(self.home.folder, self.home.tool("ssh"), settings["relay"], seed))
        if link["kind"] in ("cloudflare", "ngrok"):
            plan["program"] = Programs(self.home).program(link["kind"])
        wanted = {"ngrok": "NGROK_AUTHTOKEN", "cloudflare": link.get("host") and "TUNNEL_TOKEN"}.get(link["kind"])
        if wanted:
            plan["token"] = secret(wanted)
            if not plan["token"]:
                raise SystemExit(f"{wanted} is missing: put it into the Secrets panel, and run this cell again.")
        whole = json.dumps([plan, self.keeper.program], sort_keys=True).encode()
        plan["fingerprint"] = hmac.digest(bytes.fromhex(plan["mac_key"]), whole, "sha256").hex()
        return plan

    def info(self):
        found = {"release": os.environ.get("COLAB_RELEASE_TAG") or platform.platform(terse=True)}
        if shutil.which("nvidia-smi"):
            try:
                asked = self.home.start(
                    ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True,
                    timeout=20, env={**self.home.environment, "LD_LIBRARY_PATH": "/usr/lib64-nvidia"},
                )
                found["gpu"] = asked.stdout.split("\n")[0]
            except (OSError, subprocess.TimeoutExpired):
                pass  # It is for people to read, and no more.
        return {name: re.sub(r"[^ -~]", "", text)[:80] for name, text in found.items() if text}

    def say(self, status, host_key):
        session, endpoint = self.settings["session"], status.get("endpoint")
        if not endpoint:
            why = " The disk is full." if shutil.disk_usage(self.home.folder).free < 65536 else ""
            log = self.home.path("tunnel.log")
            print(f"{session} has no tunnel yet; this runtime goes on trying.{why} Its log: {log}")
            return
        place = ":".join(str(endpoint[part]) for part in ("host", "port") if part in endpoint)
        print(f"{session} is up, by {endpoint['link']} {place} as {self.home.user}.")
        print(f"Its host key: {host_key}")
        for channel in self.settings["channels"]:
            problem = status["sent"].get(channel, "it has not answered yet")
            print(f"Not announced by {channel}, still trying: {problem}" if problem else f"Announced by {channel}.")
        print(f"To paste into Moorline, if it did not hear:\n{status['line']}")
        link = f"vscode://vscode-remote/ssh-remote+{session}{self.settings['open']}"
        print(f"Open it in VS Code: {link}")
        if "ipykernel" in sys.modules:
            from IPython.display import HTML, display
            display(HTML(f'<a href="{link}" target="_blank">Open {session} in VS Code</a>'))


# @include secrets


# @include keys


# @include environment


# @include home


# @include own_keys


# @include sshd


# @include programs


# @include keeping


# @include comforts


# @include processes


# @include files
