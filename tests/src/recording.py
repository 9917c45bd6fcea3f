# SSH servers that note every password they are offered. One process holds all of them; it is asked in JSON lines.
import asyncio, json, sys
import asyncssh

taken = []
servers = {}


class Server(asyncssh.SSHServer):
    def __init__(self, own):
        self.own = own

    def begin_auth(self, username):
        return True

    def public_key_auth_supported(self):
        return True

    def validate_public_key(self, username, key):
        return False

    def password_auth_supported(self):
        return True

    def validate_password(self, username, password):
        taken.append({'port': self.own['port'], 'key': self.own['print'], 'user': username, 'password': password})
        return password.startswith('right')


def nothing_is_stored(process):
    process.exit(1)


async def listen(own):
    key = asyncssh.generate_private_key('ssh-ed25519')
    own['print'] = key.get_fingerprint()
    own['public'] = key.export_public_key().decode().strip()
    own['acceptor'] = await asyncssh.listen('127.0.0.1', own['port'], server_factory=lambda: Server(own), server_host_keys=[key],
                                            process_factory=nothing_is_stored, reuse_address=True)


async def answer(asked):
    if asked['do'] == 'taken':
        return taken
    if asked['do'] == 'open':
        own = servers[asked['port']] = {'port': asked['port']}
    else:
        own = servers[asked['port']]
        own['acceptor'].close()
        await own['acceptor'].wait_closed()
    if asked['do'] != 'close':
        await listen(own)
    return {'print': own['print'], 'public': own['public']}


async def main():
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(await answer(json.loads(line))), flush=True)


asyncio.run(main())
