# SPDX-License-Identifier: LGPL-2.1-or-later
"""The build service in a directory of its own, and browsers that visit it."""

import http.client
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.parse
from pathlib import Path

from page import Page
from particleos import BUILD, WORK, environment
from users import open_to_user, user_command

KITCHEN = Path(os.environ.get("PARTICLEOS_KITCHEN", BUILD / "src/kitchen/program/particleos-kitchen")).resolve()


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    def page(self):
        """The page, judged: it is well-formed and accessible as far as a parser can tell."""
        return Page(self.text)

    def __repr__(self):
        return f"{self.status} {self.text[:600]}"


class Kitchen:
    """A running service. HASTE divides its times of connections. USER (as of users.need_user()): it runs as somebody else."""

    def __init__(self, name, haste=1, config="", user=None):
        self.runs_as = user
        self.directory = WORK / name
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.store = self.directory / "store"
        self.config = self.directory / "kitchen.conf"
        self.config.write_text(f"[Web]\nListen=127.0.0.1:0\n[Store]\nDirectory={self.store}\n[Executor]\nKind=none\n{config}")
        self.start(haste)

    def start(self, haste=1):
        self.log = open(self.directory / "log", "ab")
        words = [KITCHEN, f"--config={self.config}", "serve"]
        env = environment(PARTICLEOS_KITCHEN_HASTE=str(haste))
        if self.runs_as:
            open_to_user(self.directory, self.runs_as)
            words, env = user_command(self.runs_as, *words, cwd=self.directory)
        self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=env)
        deadline = time.monotonic() + 30
        while not (found := re.findall(r"Listening at (http://127\.0\.0\.1:(\d+))", self.said())):
            assert self.process.poll() is None and time.monotonic() < deadline, f"it does not start:\n{self.said()}"
            time.sleep(0.02)
        self.url, self.port = found[-1][0], int(found[-1][1])
        self.host = f"127.0.0.1:{self.port}"
        # The link comes before that line, if there is nobody yet.
        link = re.search(r"(/link/\S+)\n", self.said())
        self.link = link[1] if link else None

    def said(self):
        return (self.directory / "log").read_text(errors="replace")

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        self.log.close()
        return self.process.returncode

    def alive(self):
        assert self.process.poll() is None, f"the service ended:\n{self.said()[-4000:]}"

    def memory(self):
        """Bytes that it has in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024

    def sql(self, text, *values):
        """Runs SQL on the database of the service; the rows, or the new ID."""
        database = sqlite3.connect(self.store / "kitchen.sqlite", timeout=20)
        try:
            cursor = database.execute(text, values)
            rows = cursor.fetchall()
            database.commit()
            return rows if cursor.description else cursor.lastrowid
        finally:
            database.close()

    def raw(self, data, wait=10, more=None):
        """Sends bytes as they are; what comes back until the connection ends or WAIT seconds have passed."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=wait) as connection:
            try:
                connection.sendall(data)
                for piece in more or ():
                    connection.sendall(piece)
            except OSError:
                pass  # it hung up: what it said is what matters
            answer = b""
            try:
                while piece := connection.recv(65536):
                    answer += piece
            except (TimeoutError, socket.timeout):
                return answer, False
            except OSError:
                pass
            return answer, True

    def administrator(self):
        """A browser of the first administrator, who has used the link."""
        browser = Browser(self)
        assert browser.post(self.link, {}).status == 303
        self.link = None
        return browser

    def user(self, administrator, name):
        """Adds a user; a browser that has used the new link."""
        answer = administrator.post("/users", {"name": name})
        found = re.search(r"(/link/[\w-]+)", answer.text)
        assert found, answer
        browser = Browser(self)
        assert browser.post(found[1], {}).status == 303
        browser.name = name
        return browser

    def build(self, project, number=None, **fields):
        """A build in the database, as the coordinator would leave it; its ID."""
        row = {"project_id": project, "number": number or self.next_number(project), "version": "20261130000000",
               "commit_id": "c0ffee" * 6 + "abcd", "cause": "push", "state": "published", "created": now() - 60000,
               "started": now() - 50000, "finished": now() - 10000, **fields}
        return self.insert("build", row)

    def next_number(self, project):
        return self.sql("SELECT coalesce(max(number), 0) + 1 FROM build WHERE project_id = ?", project)[0][0]

    def job(self, build, target, **fields):
        row = {"build_id": build, "target_id": target, "state": "done", "created": now() - 60000, "started": now() - 50000,
               "finished": now() - 10000, **fields}
        return self.insert("job", row)

    def insert(self, table, row):
        return self.sql(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", *row.values())

    def project_id(self, namespace, name):
        return self.sql("SELECT p.id FROM project p JOIN namespace n ON n.id = p.namespace_id WHERE n.name = ? AND p.name = ?",
                        namespace, name)[0][0]

    def target_id(self, project):
        return self.sql("SELECT id FROM target WHERE project_id = ?", project)[0][0]

    def wishes(self, project):
        """How often somebody wished that the project is looked at."""
        return self.sql("SELECT count(*) FROM build_request WHERE project_id = ?", project)[0][0]

    def write_log(self, job, text):
        path = self.store / "logs" / f"{job}.log"
        with open(path, "ab") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return path


class Signer(threading.Thread):
    """Has certificates for whoever asks, and signs nothing."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.bind(path)
        self.socket.listen(16)
        self.start()

    def run(self):
        while True:
            threading.Thread(target=self.serve, args=self.socket.accept()[:1], daemon=True).start()

    def serve(self, connection):
        with connection:
            while data := connection.recv(1 << 20):
                answer = {"version": 1, "answers": {}, "log": {"size": 1, "head": "00"}, "certificates": {"secure-boot": "PEM"},
                          "keyRing": "cmluZw=="}
                if json.loads(data)["type"] != "certificates":
                    answer = {"version": 1, "error": "refused", "detail": "nothing is signed here"}
                connection.send(json.dumps(answer).encode())


def now():
    return int(time.time() * 1000)


class Browser:
    """Keeps cookies and sends what browsers send with forms."""

    def __init__(self, kitchen):
        self.kitchen, self.cookie, self.csrf = kitchen, None, None

    def request(self, method, path, body=None, headers=None, cookie=True):
        connection = http.client.HTTPConnection("127.0.0.1", self.kitchen.port, timeout=30)
        sent = dict(headers or {})
        if cookie and self.cookie:
            sent.setdefault("Cookie", f"kitchen={self.cookie}")
        try:
            connection.request(method, path, body=body, headers={k: v for k, v in sent.items() if v is not None})
            response = connection.getresponse()
            answer = Answer(response.status, response.getheaders(), response.read())
        finally:
            connection.close()
        for key, value in answer.headers:
            if key.lower() == "set-cookie" and cookie and (found := re.match(r"kitchen=([\w-]*)", value)):
                self.cookie, self.csrf = found[1] or None, None
        return answer

    def get(self, path, **headers):
        return self.request("GET", path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    def secret(self):
        """What forms of the session carry."""
        if self.cookie and not self.csrf:
            found = re.search(r'name="csrf" value="([\w-]+)"', self.get("/account").text)
            self.csrf = found[1] if found else None
        return self.csrf

    def post(self, path, fields, csrf=True, **headers):
        values = dict(fields)
        if csrf and self.secret():
            values.setdefault("csrf", self.csrf)
        sent = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.kitchen.url, **headers}
        return self.request("POST", path, urllib.parse.urlencode(values), sent)

    def token(self, scope="read", only="", days=30, name="test"):
        answer = self.post("/account/tokens", {"name": name, "scope": scope, "only": only, "days": str(days)})
        found = re.search(r"kitchen_[\w-]+", answer.text)
        assert found, answer
        return found[0]


class Client:
    """A program with a token (or none)."""

    def __init__(self, kitchen, token=None):
        self.browser, self.token = Browser(kitchen), token

    def call(self, method, path, body=None, **headers):
        sent = {key.replace("_", "-"): value for key, value in headers.items()}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        return self.browser.request(method, path, body, sent)

    def get(self, path, **headers):
        return self.call("GET", path, **headers)

    def post(self, path, body="{}", **headers):
        return self.call("POST", path, body, **headers)
