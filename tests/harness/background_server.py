# SPDX-License-Identifier: Apache-2.0
"""A server of Python's socketserver that serves in a thread of its own, until it is stopped."""

import threading


class BackgroundServer:
    """Serves once made. A context manager; start() after stop() brings it back at the same place.
    Whoever inherits has make_server(), which listens."""

    def __init__(self):
        self._server = None
        self.start()

    def start(self):
        self._server = self.make_server()
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self):
        """Who asks is refused from now on."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
