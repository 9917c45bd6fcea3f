"""Runs `true` on an alias with paramiko, strictly, from the person's own files.

usage: paramiko_client.py SSH_DIR ALIAS; prints "host key refused" for a wrong or unknown host key
"""

import os
import sys

import paramiko

ssh_dir, alias = sys.argv[1:]
found = paramiko.SSHConfig.from_path(os.path.join(ssh_dir, "config")).lookup(alias)
client = paramiko.SSHClient()
client.load_host_keys(os.path.join(ssh_dir, "known_hosts"))
client.set_missing_host_key_policy(paramiko.RejectPolicy())
proxy = paramiko.ProxyCommand(found["proxycommand"]) if "proxycommand" in found else None
try:
    client.connect(
        found["hostname"],
        port=int(found.get("port", 22)),
        username=found["user"],
        key_filename=found["identityfile"],
        allow_agent=False,
        look_for_keys=False,
        sock=proxy,
        timeout=15,
    )
except paramiko.BadHostKeyException as error:
    sys.exit(f"host key refused: {error}")
except paramiko.SSHException as error:
    unknown = "not found in known_hosts" in str(error)
    sys.exit(f"host key refused: {error}" if unknown else f"failed: {error}")
_, stdout, _ = client.exec_command("true")
status = stdout.channel.recv_exit_status()
client.close()
sys.exit(status)
