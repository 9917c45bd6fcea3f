def write_key(folder, name, seed):
    """Writes an Ed25519 key in OpenSSH's own format, and gives its public line."""
    try:
        importlib.import_module("cryptography")
    except ImportError:
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "cryptography"], check=True,
                       env=environment_of_pip(), stdin=subprocess.DEVNULL)
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    key = Ed25519PrivateKey.from_private_bytes(seed)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    line, path = public.decode(), os.path.join(folder, name)
    # Its check number is random, so that the same key is another file each time: compare what it is.
    if read_text(f"{path}.pub") != line or not read_text(path):
        write_private(path, pem.decode())
        write_private(f"{path}.pub", line)
    return line


def way_to_relay(folder, ssh, relay, seed):
    """The runtime's own way in there: its derived key, and the relay's host key as the desktop knows it."""
    write_key(folder, "relay_key", seed)
    known = os.path.join(folder, "relay_known_hosts")
    write_private(known, "".join(f"moorline-relay {key}\n" for key in relay["host_keys"]))
    options = {
        "IdentitiesOnly": "yes", "HostKeyAlias": "moorline-relay", "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": known, "GlobalKnownHostsFile": "/dev/null", "UpdateHostKeys": "no",
        "BatchMode": "yes", "ConnectTimeout": "15",
    }
    argv = [ssh, "-F", "none", "-i", os.path.join(folder, "relay_key"), "-p", str(relay["port"])]
    for name, value in options.items():
        argv += ["-o", f"{name}={value}"]
    return {"relay_ssh": argv, "relay_login": f"{relay['user']}@{relay['host']}"}
