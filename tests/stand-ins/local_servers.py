"""Plays the local servers of tunnel agents: the first argument is {port: {path: answer}} as JSON. An answer that is a text
is sent as it is, without HTTP."""
import json
import re
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer


def serve(port, answers):
    class Agent(BaseHTTPRequestHandler):
        def do_GET(self):
            if isinstance(answers.get(self.path), str):
                self.wfile.write(answers[self.path].encode())
                return
            self.send_response(200 if self.path in answers else 404)
            self.end_headers()
            self.wfile.write(json.dumps(answers.get(self.path)).encode())

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", int(port)), Agent)
    threading.Thread(target=server.serve_forever, daemon=True).start()


for port, answers in json.loads(sys.argv[1]).items():
    serve(port, answers)
