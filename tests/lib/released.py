# SPDX-License-Identifier: LGPL-2.1-or-later
"""A build service whose service, publisher and signer are real; what it publishes comes from here instead of from builds."""

import hashlib
import html
import re
import time

from kitchen import Browser, Kitchen, now
from signer import Signer


class Service:
    """A project of the build service with a target "main" that has the image ID Os; its artifacts are FILES: what is behind
    image ID, version and architecture in their names. NAME is a directory for it."""

    def __init__(self, name, files):
        self.files = files
        self.signer = Signer(f"{name}-signer", "--development")
        self.project = self.signer.create("cook/os", {"main": "Os"}, development=True)
        self.kitchen = Kitchen(name)
        admin = self.kitchen.administrator()
        assert admin.post("/new", {"namespace": "cook", "name": "os", "url": "https://git.example/os", "branch": "main"}).status == 303
        self.id = self.kitchen.project_id("cook", "os")
        self.target = self.kitchen.target_id(self.id)
        # Nobody looks at the repository, which is not there.
        self.kitchen.sql("DELETE FROM build_request")
        self.kitchen.sql("UPDATE project SET poll = 0")
        self.kitchen.sql("UPDATE target SET image_id = 'Os'")
        self.kitchen.stop()
        port = self.kitchen.port
        self.kitchen.config.write_text(f"[Web]\nListen=127.0.0.1:{port}\n[Store]\nDirectory={self.kitchen.store}\n[Executor]\nBuilder=/bin/false\n"
                                       f"[Publish]\nBaseURL=http://127.0.0.1:{port}/pub\nSigner={self.signer.socket}\n")
        self.releases = {}

    def publish(self, when):
        """A build of the version WHEN that was killed while it was published: the service goes on there when it starts."""
        kitchen = self.kitchen
        # It must not find half of the build.
        if kitchen.process.poll() is None:
            kitchen.stop()
        job = kitchen.job(kitchen.build(self.id, version=when, state="publishing", finished=None), self.target)
        self.releases[when] = {f"Os_{when}_x86-64{rest}": f"{when}{rest}".encode() * 5000 for rest in self.files}
        for name, content in self.releases[when].items():
            digest = hashlib.sha256(content).hexdigest()
            path = kitchen.store / "objects" / digest[:2] / digest[2:]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            kitchen.insert("object", {"digest": digest, "size": len(content), "created": now()})
            kitchen.insert("job_object", {"job_id": job, "digest": digest})
            kitchen.insert("artifact", {"job_id": job, "name": name, "kind": "partition", "digest": digest, "size": len(content)})
        kitchen.start()
        end = time.monotonic() + 60
        while not kitchen.sql("SELECT 1 FROM release WHERE version = ? AND state = 'published'", when):
            kitchen.alive()
            assert time.monotonic() < end, f"it is not published:\n{kitchen.said()[-3000:]}\n{self.signer.said.read_text()[-2000:]}"
            time.sleep(0.1)

    @property
    def set(self):
        return self.kitchen.store / "pub/cook/os/main/testing"

    @property
    def log(self):
        """The signer's log, as it is published."""
        return self.kitchen.store / "pub/log"

    def sources(self):
        """What the page of the channel gives to devices, but for the UKI, which has no part in this."""
        page = Browser(self.kitchen).get("/cook/os/channels/testing").text
        text = html.unescape(re.search(r"<pre[^>]*>(.*?)</pre>", page, re.S)[1])
        return [f"[Source]{part}" for part in text.split("[Source]")[1:] if ".efi" not in part]

    def stop(self):
        self.kitchen.stop()
        self.signer.stop()
