# Where Colab mounts Google Drive.
DRIVE = "/content/drive"


def post_to_ntfy(server, topic, line, patience):
    """Sends a line to an ntfy topic. Whoever reads along learns where the runtime is, and can forge nothing."""
    request = urllib.request.Request(f"{server}/{topic}", data=line.encode(), method="POST")
    urllib.request.urlopen(request, timeout=patience).close()


def put_into_folder(folder, kid, line):
    """A folder that the desktop sees too, such as one of Drive's. Its synchroniser never sees half a line."""
    if f"{folder}/".startswith(f"{DRIVE}/") and not os.path.ismount(DRIVE):
        # Where a file lies already, Drive cannot be mounted any more.
        raise OSError("Google Drive is not mounted")
    os.makedirs(folder, exist_ok=True)
    fresh = os.path.join(folder, f".moorline-{kid}.{os.getpid()}")
    with open(fresh, "w") as file:
        file.write(line + "\n")
    os.replace(fresh, os.path.join(folder, f"moorline-{kid}.txt"))


def leave_at_relay(ssh, login, line, environment, limit):
    """Gives a line to the one command that the relay runs for this key."""
    done = subprocess.run([*ssh, "-T", login], env=environment, input=line + "\n", text=True, capture_output=True,
                          timeout=limit, check=False)
    if done.returncode:
        raise RuntimeError(f"the relay did not take it: {done.stderr.strip()[-160:]}")
