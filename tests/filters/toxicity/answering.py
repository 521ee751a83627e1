"""An OpenAI-compatible server on this machine, which answers as a test has it answer."""

import contextlib
import json
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Endpoint(ThreadingHTTPServer):
    """`replies` says what comes back for a text: (status, body), one after the other, the last one for ever."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Conversation)
        self.replies, self.asked, self.headers, self.delay_s, self.trickle_s = {}, [], [], 0.0, 0.0
        self.url = f"http://127.0.0.1:{self.server_port}/v1"


class Conversation(BaseHTTPRequestHandler):
    def do_POST(self):
        question = json.loads(self.rfile.read(int(self.headers["content-length"])))
        text = json.loads(question["messages"][1]["content"])
        replies = self.server.replies[text]
        self.server.asked.append((self.path, question))
        self.server.headers.append(dict(self.headers))
        time.sleep(self.server.delay_s)
        status, body = replies.pop(0) if len(replies) > 1 else replies[0]
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        pieces = [body[i : i + 1] for i in range(len(body))] if self.server.trickle_s else [body]
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                self.wfile.write(piece)
                time.sleep(self.server.trickle_s)

    def log_message(self, *_):
        """Keep the tests' output clean."""


def says(content):
    return (200, json.dumps({"choices": [{"message": {"content": content}}]}).encode())
