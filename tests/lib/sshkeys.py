# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signatures of SSH as a FIDO2 token makes them (PROTOCOL.u2f and PROTOCOL.sshsig of OpenSSH), by keys in files."""

import base64
import hashlib
import struct
from pathlib import Path

from particleos import call

TYPES = {"sk-ed25519": b"sk-ssh-ed25519@openssh.com", "sk-ecdsa": b"sk-ecdsa-sha2-nistp256@openssh.com"}


def string(data):
    return struct.pack(">I", len(data)) + data


def integers(der):
    """The two numbers of a signature of ECDSA, as SSH writes them."""
    assert der[0] == 0x30 and der[1] == len(der) - 2, der
    at, result = 2, b""
    for _ in range(2):
        assert der[at] == 2
        result += string(der[at + 2:at + 2 + der[at + 1]])
        at += 2 + der[at + 1]
    return result


class TokenKey:
    """A key of KIND at PATH; `line` is its public key."""

    def __init__(self, path, kind, application=b"ssh:"):
        self.path, self.kind, self.application = Path(path), kind, application
        how = ["ed25519"] if kind == "sk-ed25519" else ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"]
        call("openssl", "genpkey", "-algorithm", *how, "-out", self.path)
        der = call("openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER", text=False, errors=None).stdout
        public = string(der[-32:]) if kind == "sk-ed25519" else string(b"nistp256") + string(der[-65:])
        self.blob = string(TYPES[kind]) + public + string(application)
        self.line = f"{TYPES[kind].decode()} {base64.b64encode(self.blob).decode()}"

    def raw(self, body):
        data, out = self.path.with_suffix(".body"), self.path.with_suffix(".raw")
        data.write_bytes(body)
        if self.kind == "sk-ed25519":
            call("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", self.path, "-in", data, "-out", out)
            return string(out.read_bytes())
        call("openssl", "dgst", "-sha256", "-sign", self.path, "-out", out, data)
        return string(integers(out.read_bytes()))

    def sign(self, message, purpose, flags=1, counter=7, application=None):
        """An armored signature; FLAGS 0: nobody touched the token."""
        signed = b"SSHSIG" + string(purpose) + string(b"") + string(b"sha512") + string(hashlib.sha512(message).digest())
        tail = bytes([flags]) + struct.pack(">I", counter)
        body = hashlib.sha256(self.application if application is None else application).digest() + tail + hashlib.sha256(signed).digest()
        signature = string(TYPES[self.kind]) + self.raw(body) + tail
        whole = b"SSHSIG" + struct.pack(">I", 1) + string(self.blob) + string(purpose) + string(b"") + string(b"sha512") + string(signature)
        text = base64.b64encode(whole).decode()
        lines = "".join(f"{text[n:n + 70]}\n" for n in range(0, len(text), 70))
        return f"-----BEGIN SSH SIGNATURE-----\n{lines}-----END SSH SIGNATURE-----\n"
