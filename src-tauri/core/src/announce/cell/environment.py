def harmless_environment(*more):
    """Of the kernel's environment, children get what finds programs and the way out, and nothing else: among the rest
    are the session key and tokens."""
    kept = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "TZ", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy",
            "SSL_CERT_FILE", "SSL_CERT_DIR")
    return {name: os.environ[name] for name in kept + more if name in os.environ}


def environment_of_pip():
    """What pip needs besides, to find its index as the person's own pip does."""
    return harmless_environment(
        "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT",
        "PIP_CONFIG_FILE", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_PROXY", "PIP_NO_INDEX",
        "PIP_FIND_LINKS", "PIP_CACHE_DIR", "PIP_BREAK_SYSTEM_PACKAGES", "PIP_USER", "PYTHONPATH", "PYTHONUSERBASE",
        "PYTHONHOME", "VIRTUAL_ENV", "LD_LIBRARY_PATH", "TMPDIR",
    )
