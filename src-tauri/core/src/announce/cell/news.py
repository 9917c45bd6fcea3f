# Where Colab mounts Google Drive.
DRIVE = "/content/drive"


def post_to_ntfy(server, topic, line, patience):
    """Sends a line to an ntfy topic. Whoever reads along learns where the runtime is, and can forge nothing."""
    request = urllib.request.Request(f"{server}/{topic}", data=line.encode(), method="POST")
    host = urllib.parse.urlsplit(server).hostname
    # A server on this very machine is behind no proxy, which would read the topic's name.
    here = host in ("localhost", "::1") or re.fullmatch(r"127(\.[0-9]+){3}", host)
    opener = urllib.request.build_opener(*[urllib.request.ProxyHandler({})] * bool(here))
    opener.open(request, timeout=patience).close()


def put_into_folder(folder, kid, line):
    """A folder that the desktop sees too, such as one of Drive's. Its synchroniser never sees half a line."""
    if f"{folder}/".startswith(f"{DRIVE}/") and not os.path.ismount(DRIVE):
        # Where a file lies already, Drive cannot be mounted any more.
        raise OSError("Google Drive is not mounted")
    os.makedirs(folder, exist_ok=True)
    replace_file(os.path.join(folder, f"moorline-{kid}.txt"), f"{line}\n".encode(), 0o666)


def leave_at_relay(ssh, login, line, environment, limit):
    """Gives a line to the one command that the relay runs for this key."""
    done = subprocess.run([*ssh, "-T", login], env=environment, input=line + "\n", text=True, capture_output=True,
                          timeout=limit, check=False)
    if done.returncode:
        raise RuntimeError(f"the relay did not take it: {done.stderr.strip()[-160:]}")
