def sshd_of(pid_file, config):
    """The sshd that a pid file names, if it is there and serves this config; the number alone may be another's by now."""
    try:
        pid = int(read_text(pid_file))
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            # sshd writes its own title there, which holds its arguments.
            return pid if config.encode() in file.read() else None
    except (OSError, ValueError):
        return None
