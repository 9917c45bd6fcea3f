import base64
import fcntl
import getpass
import hashlib
import hmac
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


# @include keys


class Moorline:
    """Makes this runtime reachable: `Moorline(settings, keeper).run()`. Running it again is harmless."""

    # The makers' own builds, pinned: version, address, and SHA-256 where it could be looked up.
    CLOUDFLARED = "https://github.com/cloudflare/cloudflared/releases/download/2026.8.2/cloudflared-linux-"
    NGROK = "https://bin.ngrok.com/a/"
    PROGRAMS = {
        ("cloudflare", "x86_64"): (
            CLOUDFLARED + "amd64", "fcfb02b575a52ca1af2e3267af4e1517bcdeb30ac48c834c69abaed3c0576ad2"
        ),
        # No checksum of this one was found: that it comes from its maker, only HTTPS vouches for.
        ("cloudflare", "aarch64"): (CLOUDFLARED + "arm64", None),
        ("ngrok", "x86_64"): (
            NGROK + "jhBAuesrzKn/ngrok-v3-3.39.10-linux-amd64",
            "b475c31b409ed3426091bde78b60fae27edee470c2320cb3065743c159b9b27b",
        ),
        ("ngrok", "aarch64"): (
            NGROK + "55PuHLixvyF/ngrok-v3-3.39.10-linux-arm64",
            "a2d1d4d8daebcdae054153befba96f0fabc7859f049f6d166ef2526ef6620abe",
        ),
    }
    # Of the kernel's environment, children get what finds programs and the way out, and nothing else.
    KEPT = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
            "SSL_CERT_FILE", "SSL_CERT_DIR")

    def __init__(self, settings, keeper):
        self.settings, self.keeper_program = settings, keeper
        account = pwd.getpwuid(os.getuid())
        self.user, self.root = account.pw_name, os.getuid() == 0
        self.home = os.path.join(account.pw_dir, ".moorline", settings["session"])
        self.environment = {name: os.environ[name] for name in self.KEPT if name in os.environ}
        self.environment.setdefault("PATH", "/usr/local/bin:/usr/bin:/bin")
        self.environment["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
        self.environment.update(HOME=account.pw_dir, USER=self.user, LOGNAME=self.user)

    def run(self):
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        os.chmod(self.home, 0o700)
        with open(self.path("setup.lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            key, generation = self.session_key()
            plan = self.plan(key, generation)
            host_key = self.write_key("host_key", derive(key, generation, "host-key", 32))
            self.serve_ssh(plan["sshd_port"])
            self.offer_gpu_libraries()
            self.mount_drive()
            self.clone()
            self.run_own_lines()
            self.keep(plan)
            self.say(self.await_tunnel(plan), host_key)

    # --- secrets ---------------------------------------------------------------------------------------------

    def secret(self, name):
        """From Colab's or Kaggle's secrets, else the environment; None where it is in none of them."""
        try:
            from google.colab import userdata
            return userdata.get(name)
        except ImportError:
            pass
        except Exception as error:
            print(f"Colab's Secrets panel does not give {name} ({type(error).__name__}).")
        try:
            from kaggle_secrets import UserSecretsClient
            return UserSecretsClient().get_secret(name)
        except ImportError:
            pass
        except Exception as error:
            print(f"Kaggle's secrets do not give {name} ({type(error).__name__}).")
        return os.environ.get(name)

    def session_key(self):
        name = self.settings["secret"]
        text = self.secret(name) or getpass.getpass(f"{name} (put it into the Secrets panel to be asked no more): ")
        key, generation = read_session_key(text)
        if plain64(derive(key, generation, "key-id", 9)) != self.settings["key_id"]:
            raise SystemExit(f"{name} is another session's key, or an older one: this cell wants the key of "
                             f"{self.settings['session']} that has the id {self.settings['key_id']}.")
        return key, generation

    # --- what the keeper needs -------------------------------------------------------------------------------

    def plan(self, key, generation):
        settings = self.settings
        link = settings["link"]
        plan = {
            "home": self.home, "user": self.user, "environment": self.environment, "link": link,
            "channels": settings["channels"], "ntfy_server": settings["ntfy_server"], "folder": settings["folder"],
            "beat": settings["beat"], "kid": settings["key_id"], "info": self.info(),
            "mac_key": derive(key, generation, "announcement-mac", 32).hex(),
            "topic": "ml-" + plain64(derive(key, generation, "ntfy-topic", 18)),
            "sshd_port": self.sshd_port(), "program": None, "token": None,
        }
        plan["sshd"] = [self.sshd(), "-f", self.path("sshd_config")]
        if settings["relay"]:
            plan.update(self.way_to_relay(settings["relay"], derive(key, generation, "relay-key", 32)))
        if link["kind"] in ("cloudflare", "ngrok"):
            plan["program"] = self.program(link["kind"])
        wanted = {"ngrok": "NGROK_AUTHTOKEN", "cloudflare": link.get("host") and "TUNNEL_TOKEN"}.get(link["kind"])
        if wanted:
            plan["token"] = self.secret(wanted)
            if not plan["token"]:
                raise SystemExit(f"{wanted} is missing: put it into the Secrets panel, and run this cell again.")
        whole = json.dumps([plan, self.keeper_program], sort_keys=True).encode()
        plan["fingerprint"] = hmac.digest(bytes.fromhex(plan["mac_key"]), whole, "sha256").hex()
        return plan

    def info(self):
        found = {"release": os.environ.get("COLAB_RELEASE_TAG") or platform.platform(terse=True)}
        if shutil.which("nvidia-smi"):
            asked = subprocess.run(
                ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, check=False,
                env={**self.environment, "LD_LIBRARY_PATH": "/usr/lib64-nvidia"},
            )
            found["gpu"] = asked.stdout.split("\n")[0]
        return {name: re.sub(r"[^ -~]", "", text)[:80] for name, text in found.items() if text}

    def way_to_relay(self, relay, seed):
        """The runtime's own way in there: its derived key, and the relay's host key as the desktop knows it."""
        self.write_key("relay_key", seed)
        known = "".join(f"moorline-relay {key}\n" for key in relay["host_keys"])
        self.write("relay_known_hosts", known)
        options = {
            "IdentitiesOnly": "yes", "HostKeyAlias": "moorline-relay", "StrictHostKeyChecking": "yes",
            "UserKnownHostsFile": self.path("relay_known_hosts"), "GlobalKnownHostsFile": "/dev/null",
            "UpdateHostKeys": "no", "BatchMode": "yes", "ConnectTimeout": "15",
        }
        argv = [self.tool("ssh"), "-F", "none", "-i", self.path("relay_key"), "-p", str(relay["port"])]
        for name, value in options.items():
            argv += ["-o", f"{name}={value}"]
        return {"relay_ssh": argv, "relay_login": f"{relay['user']}@{relay['host']}"}

    # --- sshd ------------------------------------------------------------------------------------------------

    def sshd_port(self):
        if self.settings["sshd_port"]:
            return self.settings["sshd_port"]
        try:
            with open(self.path("sshd_port")) as file:
                return int(file.read())
        except (OSError, ValueError):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            self.write("sshd_port", str(port))
            return port

    def sshd(self):
        if not shutil.which("sshd", path=self.environment["PATH"]) and self.root and shutil.which("apt-get"):
            quiet = {**self.environment, "DEBIAN_FRONTEND": "noninteractive"}
            print("Installing openssh-server ...")
            subprocess.run(["apt-get", "update", "-qq"], env=quiet, check=False, stdout=subprocess.DEVNULL)
            subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", "openssh-server"],
                           env=quiet, check=False, stdout=subprocess.DEVNULL)
        return self.tool("sshd")

    def serve_ssh(self, port):
        """An own sshd beside whatever runs here: one user, one key, no password."""
        self.write("authorized_keys", "".join(key + "\n" for key in self.settings["authorized_keys"]))
        direct = self.settings["link"]["kind"] == "direct"
        # A tunnel set up elsewhere may say `localhost`, which can be ::1.
        addresses = ["0.0.0.0", "[::]"] if direct else ["127.0.0.1"]
        if self.settings["sshd_port"] and not direct:
            addresses.append("[::1]")
        config = [f"ListenAddress {address}:{port}" for address in addresses if self.can_listen(address)]
        config += [
            f"HostKey {self.path('host_key')}",
            f"PidFile {self.path('sshd.pid')}",
            f"AuthorizedKeysFile {self.path('authorized_keys')}",
            f"AllowUsers {self.user}",
            "AuthenticationMethods publickey",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "PermitUserEnvironment no",
            # PAM's session rules fail in many containers; keys need none of it.
            "UsePAM no",
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
        ]
        changed = self.write("sshd_config", "\n".join(config) + "\n")
        if self.root:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
            self.unlock_account()
        sshd = self.sshd()
        tried = subprocess.run([sshd, "-t", "-f", self.path("sshd_config")], env=self.environment, capture_output=True,
                               text=True, check=False)
        if tried.returncode:
            raise SystemExit(f"sshd does not take its settings: {tried.stderr.strip()}")
        running = self.running("sshd.pid")
        if running and changed:
            os.kill(running, signal.SIGHUP)  # It reads its files anew, and drops nobody.
        elif not running:
            subprocess.run([sshd, "-f", self.path("sshd_config"), "-E", self.path("sshd.log")], env=self.environment,
                           stdin=subprocess.DEVNULL, check=True)
        # It goes to the background first, and says who it is then.
        deadline = time.monotonic() + 10
        while not self.running("sshd.pid") and time.monotonic() < deadline:
            time.sleep(0.02)

    def can_listen(self, address):
        return not address.startswith("[") or (socket.has_ipv6 and os.path.exists("/proc/net/if_inet6"))

    def unlock_account(self):
        """Without PAM, sshd lets nobody in whose account is locked (`!`); `*` has no password, and is not locked."""
        try:
            with open("/etc/shadow") as file:
                locked = any(line.startswith(f"{self.user}:!") for line in file)
        except OSError:
            return
        if locked:
            subprocess.run(["usermod", "-p", "*", self.user], env=self.environment, check=False)

    # --- what a person wants besides -------------------------------------------------------------------------

    def offer_gpu_libraries(self):
        """For login shells alone: in the environment of every program these libraries shadow others."""
        if self.root and os.path.isdir("/usr/lib64-nvidia") and os.path.isdir("/etc/profile.d"):
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
        base = next((place for place in ("/content", "/kaggle/working") if os.path.isdir(place)), self.environment["HOME"])
        folder = os.path.join(base, re.sub(r"\.git$", "", address.rstrip("/").rsplit("/", 1)[1]))
        if os.path.isdir(folder):
            return
        host = address.split("/")[2]
        token = self.secret(self.settings["git_secret"])
        helper = "cache --timeout=43200"
        quiet = {**self.environment, "GIT_TERMINAL_PROMPT": "0"}
        if token:
            # Any user name does for GitHub and GitLab; the token is what counts.
            known = f"protocol=https\nhost={host}\nusername=x-access-token\npassword={token}\n\n"
            subprocess.run(["git", "credential-cache", "--timeout=43200", "store"], input=known, text=True, env=quiet,
                           cwd=self.home, check=False)
        done = subprocess.run(["git", "clone", "--config", f"credential.helper={helper}", "--", address, folder],
                              env=quiet, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            print(f"{address} was not cloned; a private one needs a token named {self.settings['git_secret']} in the "
                  "Secrets panel.")

    def run_own_lines(self):
        """The person's own set-up lines, once a runtime, and again when they were changed."""
        lines = "\n".join(self.settings["setup"])
        mark = hashlib.sha256(lines.encode()).hexdigest()
        if not lines or self.read("setup.done") == mark:
            return
        done = subprocess.run(["bash", "-e", "-c", lines], env=self.environment, stdin=subprocess.DEVNULL, check=False,
                              cwd=self.environment["HOME"])
        if done.returncode:
            print(f"Your own set-up lines ended with {done.returncode}; they run again with the next run of this cell.")
        else:
            self.write("setup.done", mark)

    # --- programs --------------------------------------------------------------------------------------------

    def tool(self, name):
        found = shutil.which(name, path=self.environment["PATH"])
        if not found:
            raise SystemExit(f"{name} is not installed here; install OpenSSH's client and server, and run this again.")
        return found

    def program(self, kind):
        """cloudflared or ngrok: the one that is here, else its maker's."""
        name = {"cloudflare": "cloudflared", "ngrok": "ngrok"}[kind]
        found = shutil.which(name, path=self.environment["PATH"])
        own = self.path(name)
        if found or os.access(own, os.X_OK):
            return found or own
        if (kind, platform.machine()) not in self.PROGRAMS:
            raise SystemExit(f"{name} is not installed, and its maker has no build for {platform.machine()}.")
        address, checksum = self.PROGRAMS[kind, platform.machine()]
        print(f"Fetching {address} ...")
        content = self.fetch(address)
        if checksum and hashlib.sha256(content).hexdigest() != checksum:
            raise SystemExit(f"{address} is not the file that it was (its checksum differs); nothing was installed.")
        with open(own + ".new", "wb") as file:
            file.write(content)
        os.chmod(own + ".new", 0o755)
        os.replace(own + ".new", own)
        return own

    def fetch(self, address):
        for wait in (1, 4, None):
            try:
                with urllib.request.urlopen(address, timeout=60) as answer:
                    return answer.read()
            except OSError as error:
                if wait is None:
                    raise SystemExit(f"{address} could not be fetched ({error}); run this cell again.") from None
                time.sleep(wait)

    # --- the keeper ------------------------------------------------------------------------------------------

    def keep(self, plan):
        """Starts the keeper, or lets the one that runs announce again. An outdated one makes room; sshd stays."""
        status = self.status()
        self.started = time.time()
        running = self.keeper()
        if running and status.get("plan") == plan["fingerprint"]:
            os.kill(running, signal.SIGHUP)
            return
        if running:
            os.kill(running, signal.SIGUSR1)
        self.write("keeper.py", self.keeper_program)
        with open(self.path("keeper.log"), "a") as log:
            process = subprocess.Popen(
                [sys.executable, "-I", self.path("keeper.py")], env=self.environment, stdin=subprocess.PIPE, stdout=log,
                stderr=log, cwd=self.home, start_new_session=True,
            )
        process.stdin.write(json.dumps(plan).encode())
        process.stdin.close()

    def keeper(self):
        """The keeper's process, if there is one: it holds its lock as long as it lives."""
        with open(self.path("keeper.lock"), "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return None
            except OSError:
                return self.status().get("pid")

    def status(self):
        try:
            return json.loads(self.read("status.json"))
        except ValueError:
            return {}

    def await_tunnel(self, plan):
        """Waits until the runtime was announced, or for a minute and a half."""
        deadline = time.monotonic() + 90
        told = None
        while time.monotonic() < deadline:
            status = self.status()
            fresh = status.get("plan") == plan["fingerprint"] and status.get("at", 0) >= self.started
            if fresh and status.get("endpoint") and "sent" in status:
                return status
            if fresh and status.get("problem") not in (None, told):
                told = status["problem"]
                print(f"Not yet: {told}")
            time.sleep(0.1)
        return self.status()

    def say(self, status, host_key):
        session, endpoint = self.settings["session"], status.get("endpoint")
        if not endpoint:
            print(f"{session} has no tunnel yet; this runtime goes on trying. Its log: {self.path('tunnel.log')}")
            return
        place = ":".join(str(endpoint[part]) for part in ("host", "port") if part in endpoint)
        print(f"{session} is up, by {endpoint['link']} {place} as {self.user}.")
        print(f"Its host key: {host_key}")
        for channel, problem in status["sent"].items():
            print(f"Announced by {channel}." if not problem else f"Not announced by {channel}, still trying: {problem}")
        print(f"To paste into Moorline, if it did not hear:\n{status['line']}")
        link = f"vscode://vscode-remote/ssh-remote+{session}{self.settings['open']}"
        print(f"Open it in VS Code: {link}")
        if "ipykernel" in sys.modules:
            from IPython.display import HTML, display
            display(HTML(f'<a href="{link}" target="_blank">Open {session} in VS Code</a>'))

    # --- files -----------------------------------------------------------------------------------------------

    def path(self, name):
        return os.path.join(self.home, name)

    def read(self, name):
        try:
            with open(self.path(name)) as file:
                return file.read()
        except OSError:
            return ""

    def write(self, name, text):
        """Writes a private file; whether that changed anything."""
        if self.read(name) == text:
            return False
        fresh = self.path(f".{name}.new")
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(text)
        os.replace(fresh, self.path(name))
        return True

    def write_key(self, name, seed):
        """Writes an Ed25519 key in OpenSSH's own format, and gives its public line."""
        try:
            importlib.import_module("cryptography")
        except ImportError:
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "cryptography"], check=True)
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        key = Ed25519PrivateKey.from_private_bytes(seed)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        line = public.decode()
        # Its check number is random, so that the same key is another file each time: compare what it is.
        if self.read(f"{name}.pub") != line or not self.read(name):
            self.write(name, pem.decode())
            self.write(f"{name}.pub", line)
        return line

    def running(self, name):
        """The process of a pid file, if it is there and is an sshd."""
        try:
            pid = int(self.read(name))
            with open(f"/proc/{pid}/comm") as file:
                return pid if file.read().strip() == "sshd" else None
        except (OSError, ValueError):
            return None
