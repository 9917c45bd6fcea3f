import base64, getpass, glob, hmac, http.client, importlib, json, os, re, shutil, subprocess, sys, time, urllib.parse, urllib.request


# @include keys


# @include files


# @include wire


# @include news


# @include own_keys


# @include secrets


# @include environment


def find_endpoint(given):
    """The one that is given (`host:port`, or a tunnel's host name), else what an agent on this machine says."""
    place = re.fullmatch(r"(?:tcp://|https://)?([A-Za-z0-9.-]+)(?::([0-9]{1,5}))?/?", given or "")
    if place and place[2]:
        kind = "ngrok" if re.search(r"\.ngrok(-[a-z]+)?\.[a-z]+$", place[1]) else "direct"
        return {"link": kind, "host": place[1], "port": int(place[2])}
    if place:
        return {"link": "cloudflare", "host": place[1]}
    if settings["listen"]:
        return {"link": "relay", "port": settings["listen"]}
    for _ in range(60):
        for port in range(20241, 20246):
            found = cloudflare_endpoint(port)
            if found:
                return found
        found = ngrok_endpoint(4040)
        if found:
            return found
        time.sleep(1)
    raise SystemExit("Neither ngrok nor a quick tunnel runs here: say where, as in endpoint=\"host:port\".")


def host_keys(folder):
    """What sshd shows and the desktop can pin, the best first: these are not derived from the session key."""
    kinds = ["ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa"]
    keys = [read_text(path).split()[:2] for path in glob.glob(os.path.join(folder, "ssh_host_*_key.pub"))]
    keys = [key for key in keys if len(key) == 2 and key[0] in kinds]
    # The desktop takes no RSA key of less than 2048 bits, which are 279 bytes.
    keys = [key for key in keys if key[0] != "ssh-rsa" or len(key[1]) >= 372]
    if not keys:
        raise SystemExit(f"There is no Ed25519, ECDSA or RSA host key in {folder}: run this after your own cell has "
                         "started sshd.")
    return [" ".join(key) for key in sorted(keys, key=lambda key: (kinds.index(key[0]), key[1]))]


def sealed_with_keys(mac_key, body, keys):
    """With as many of the keys as fit; the last ones, which are RSA's, are the longest."""
    for count in range(len(keys), 0, -1):
        try:
            return seal(mac_key, settings["key_id"], {**body, "host_keys": keys[:count]})
        except ValueError as error:
            trouble = error
    raise SystemExit(f"No host key fits into the announcement ({trouble}): have sshd use an Ed25519 key.")


def send(channel, key, generation, home, line):
    if channel == "ntfy":
        topic = "ml-" + plain64(derive(key, generation, "ntfy-topic", 18))
        post_to_ntfy(settings["ntfy_server"], topic, line, 15)
    elif channel == "folder":
        put_into_folder(settings["folder"], settings["key_id"], line)
    elif channel == "relay":
        ssh = shutil.which("ssh")
        if not ssh:
            raise OSError("ssh is not installed here")
        way = way_to_relay(home, ssh, settings["relay"], derive(key, generation, "relay-key", 32))
        try:
            leave_at_relay(way["relay_ssh"], way["relay_login"], line, harmless_environment(), 30)
        except RuntimeError as error:
            raise OSError(f"{error}; on your desktop, `moorline cell {settings['session']} --prepare-relay` lets this runtime "
                          "leave its announcements there")


def announce(given):
    name = settings["secret"]
    key, generation = read_session_key(secret(name) or getpass.getpass(name + ": "))
    if plain64(derive(key, generation, "key-id", 9)) != settings["key_id"]:
        raise SystemExit(name + " is another session's key, or an older one.")
    home = os.path.join(os.path.expanduser("~"), ".moorline", settings["session"])
    os.makedirs(home, mode=0o700, exist_ok=True)
    keys, endpoint, now = host_keys("/etc/ssh"), find_endpoint(given), int(time.time())
    body = {"v": 1, "kind": "up", **next_of_runtime(os.path.join(home, "runtime.json"), now), "at": now,
            "endpoints": [endpoint], "user": getpass.getuser()}
    line = sealed_with_keys(derive(key, generation, "announcement-mac", 32), body, keys)
    for channel in settings["channels"]:
        try:
            send(channel, key, generation, home, line)
            print("Announced by " + channel + ".")
        except Exception as error:
            print("Not announced by " + channel + ": " + (str(error) or type(error).__name__))
    if not settings["channels"]:
        print("This session has no channel that a cell can announce over: paste the line, or choose one with "
              f"`moorline cell {settings['session']} --channel ntfy`.")
    print("To paste into Moorline, if it did not hear:\n" + line)


announce(endpoint)
