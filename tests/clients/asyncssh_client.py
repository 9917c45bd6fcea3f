"""Runs `true` on an alias with asyncssh, strictly, from the person's own files.

usage: asyncssh_client.py SSH_DIR ALIAS; prints "host key refused" for a wrong or unknown host key
"""

import asyncio
import os
import sys

import asyncssh


async def main(ssh_dir: str, alias: str) -> int:
    known_hosts = os.path.join(ssh_dir, "known_hosts")
    try:
        async with asyncssh.connect(
            alias,
            config=[os.path.join(ssh_dir, "config")],
            known_hosts=known_hosts,
            agent_path=None,
            connect_timeout=15,
        ) as connection:
            return (await connection.run("true")).exit_status
    except asyncssh.HostKeyNotVerifiable as error:
        sys.exit(f"host key refused: {error}")


sys.exit(asyncio.run(main(*sys.argv[1:])))
