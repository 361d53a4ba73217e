# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hosts of git repositories on loopback: HTTPS with git's own http-backend behind it, and OpenSSH's server. Each remembers what
it was asked and with which proof."""

import base64
import contextlib
import getpass
import http.server
import os
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

from particleos import call, environment

SSHD = "/usr/sbin/sshd"


class Repositories:
    """Repositories below a directory. ENV keeps the configuration of whoever runs the tests away."""

    def __init__(self, path):
        self.path = Path(path)
        self.path.mkdir(parents=True)

    def git(self, name, *words, **options):
        return call("git", "--git-dir", self.path / name, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", *words,
                    env=environment(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1"), **options).stdout.strip()

    def blob(self, name, content):
        return self.git(name, "hash-object", "-w", "--stdin", input=content)

    def commit(self, name, entries, branch="main"):
        """A commit whose tree has ENTRIES: path to content, or to (mode, object), whatever git would say to that. Paths with
        slashes make trees. The commit becomes BRANCH; its ID."""
        if not (self.path / name).exists():
            call("git", "init", "--quiet", "--bare", "--initial-branch=main", self.path / name)
        commit = self.git(name, "commit-tree", "-m", "A change", self.tree(name, entries))
        self.git(name, "update-ref", f"refs/heads/{branch}", commit)
        return commit

    def tree(self, name, entries):
        lines, below = [], {}
        for path, what in entries.items():
            top, slash, rest = path.partition("/")
            if slash:
                below.setdefault(top, {})[rest] = what
            else:
                mode, identifier = what if isinstance(what, tuple) else ("100644", self.blob(name, what))
                lines.append((top, mode, identifier))
        lines += [(top, "40000", self.tree(name, inner)) for top, inner in below.items()]
        raw = b"".join(f"{mode} {top}".encode() + b"\0" + bytes.fromhex(identifier)
                       for top, mode, identifier in sorted(lines, key=lambda x: x[0] + ("/" if x[1] == "40000" else "")))
        # --literally: git itself would not make some of these.
        return subprocess.run(["git", "--git-dir", self.path / name, "hash-object", "-t", "tree", "-w", "--literally", "--stdin"],
                              input=raw, capture_output=True, check=True).stdout.decode().strip()


def gitlink(commit):
    return "160000", commit


class Authority:
    """A certificate for loopback that vouches for itself."""

    def __init__(self, directory):
        self.key, self.certificate = Path(directory) / "tls.key", Path(directory) / "tls.crt"
        call("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
             "-subj", "/CN=Forge", "-addext", "subjectAltName=IP:127.0.0.1,IP:127.0.0.2", "-keyout", self.key, "-out",
             self.certificate)


class Https:
    """Serves the repositories below ROOT. PASSWORD: only with it ("user:password"). REDIRECT: sends everybody there. HOLD: an
    event that every answer waits for."""

    def __init__(self, authority, root=None, password=None, redirect=None, hold=None, address="127.0.0.1"):
        self.root, self.password, self.redirect, self.hold = root, password, redirect, hold
        self.requests, self.connections = [], 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                outer.answer(self)

            do_POST = do_GET

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def get_request(self):
                connection, peer = super().get_request()
                outer.connections += 1
                return connection, peer

            def finish_request(self, request, peer):
                with contextlib.suppress(ssl.SSLError, OSError):
                    super().finish_request(context.wrap_socket(request, server_side=True), peer)

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(authority.certificate, authority.key)
        self.server = Server((address, 0), Handler)
        self.url = f"https://{address}:{self.server.server_port}"
        self.host = f"{address}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        body = handler.rfile.read(length) if length else self.chunks(handler)
        given = handler.headers.get("Authorization")
        self.requests.append((handler.command, handler.path, given))
        if self.hold:
            self.hold.wait(60)
        wanted = self.password and "Basic " + base64.b64encode(self.password.encode()).decode()
        if self.redirect:
            self.say(handler, 302, [("Location", self.redirect + handler.path)], b"")
        elif wanted and given != wanted:
            self.say(handler, 401, [("WWW-Authenticate", 'Basic realm="x"')], b"who are you\n")
        elif not self.root:
            self.say(handler, 404, [], b"")
        else:
            self.run_git(handler, body)

    @staticmethod
    def chunks(handler):
        body = b""
        while "chunked" in (handler.headers.get("Transfer-Encoding") or "") and (size := int(handler.rfile.readline(), 16)):
            body += handler.rfile.read(size)
            handler.rfile.readline()
        return body

    def run_git(self, handler, body):
        path, _, query = handler.path.partition("?")
        env = {"GIT_PROJECT_ROOT": str(self.root), "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path, "QUERY_STRING": query,
               "REQUEST_METHOD": handler.command, "CONTENT_TYPE": handler.headers.get("Content-Type") or "",
               "CONTENT_LENGTH": str(len(body)), "HTTP_CONTENT_ENCODING": handler.headers.get("Content-Encoding") or "",
               "GIT_PROTOCOL": handler.headers.get("Git-Protocol") or "", "PATH": os.environ["PATH"],
               "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*",
               "GIT_CONFIG_KEY_1": "uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_1": "true"}
        made = subprocess.run(["git", "http-backend"], input=body, capture_output=True, env=env, check=False).stdout
        head, _, content = made.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if ": " in line]
        status = next((int(value.split()[0]) for key, value in headers if key == "Status"), 200)
        self.say(handler, status, [x for x in headers if x[0] != "Status"], content)

    @staticmethod
    def say(handler, status, headers, content):
        handler.send_response(status)
        for key, value in headers:
            handler.send_header(key, value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Ssh:
    """OpenSSH's server, where the one key that it knows reads the repositories below ROOT."""

    def __init__(self, directory, root):
        self.path = Path(directory)
        self.path.mkdir(parents=True)
        self.user = getpass.getuser()
        self.key, self.host_key = self.path / "client", self.path / "host"
        for key in (self.key, self.host_key):
            call("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", key)
        self.commands = self.path / "commands"
        self.commands.touch()
        command = self.path / "command"
        command.write_text(f"#!/bin/sh\necho \"$SSH_ORIGINAL_COMMAND\" >>{self.commands}\ncd {root}\n"
                           "export GIT_CONFIG_COUNT=2 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'"
                           " GIT_CONFIG_KEY_1=uploadpack.allowAnySHA1InWant GIT_CONFIG_VALUE_1=true\n"
                           "path=${SSH_ORIGINAL_COMMAND#git-upload-pack \\'/}\nexec git-upload-pack \"./${path%\\'}\"\n")
        command.chmod(0o755)
        (self.path / "authorized").write_text(f'restrict,command="{command}" {self.key.with_suffix(".pub").read_text()}')
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (self.path / "config").write_text(
            f"ListenAddress 127.0.0.1:{self.port}\nHostKey {self.host_key}\nAuthorizedKeysFile {self.path}/authorized\n"
            f"PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
            f"PermitRootLogin forced-commands-only\nAcceptEnv GIT_PROTOCOL\n")
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.log = open(self.path / "log", "wb")
        self.process = subprocess.Popen([SSHD, "-D", "-e", "-f", self.path / "config"], stdin=subprocess.DEVNULL, stdout=self.log,
                                        stderr=self.log)
        deadline = time.monotonic() + 30
        while b"listening on" not in (self.path / "log").read_bytes():
            assert self.process.poll() is None and time.monotonic() < deadline, (self.path / "log").read_text()
            time.sleep(0.05)
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"ssh://{self.user}@{self.host}"

    def host_line(self):
        return self.host_key.with_suffix(".pub").read_text()

    def secret(self):
        return self.key.read_text()

    def said(self):
        return (self.path / "log").read_text(errors="replace")

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
