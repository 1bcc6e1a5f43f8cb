# SPDX-License-Identifier: Apache-2.0
"""A little web server that answers every GET with its name.

usage: web_server.py ADDRESS PORT NAME
"""

import http.server
import sys


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"{sys.argv[3]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Health checks would fill the log."""


http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Answer).serve_forever()
