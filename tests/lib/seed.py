# SPDX-License-Identifier: LGPL-2.1-or-later
"""A build service that people have used for a while: what its pages look like with something on them."""

import base64
import hashlib
import re
from types import SimpleNamespace

from kitchen import now
from particleos import call, fresh

MINUTE = 60000
LOG = """Reading the recipe...
  20 files, 214 packages
Installing packages...
  Unpacking systemd (262-2)
  Unpacking linux-image-6.19.8-amd64
Running mkosi.build...
  [12/80] cc -c src/main.c
  src/main.c:7:12: error: expected ';' before 'return'
  a-line-that-is-longer-than-any-phone-is-wide/{long}/and-has-no-place-to-break
ninja: build stopped: subcommand failed.
""".replace("{long}", "x" * 120)
FAILING = "src/main.c:7:12: error: expected ';' before 'return'\nninja: build stopped: subcommand failed.\nmkosi.build ended with status 1"
STATES = ("superseded", "cancelled", "skipped", "checking", "publishing")


class Seed:
    """PEOPLE: browsers by name. PAGES: (visitor or None, path, status)."""

    def __init__(self, kitchen):
        self.kitchen, self.people, self.pages = kitchen, {}, []
        self.people["admin"] = kitchen.administrator()
        self.people["luca"] = kitchen.user(self.people["admin"], "luca")
        self.people["maria"] = kitchen.user(self.people["admin"], "maria")

    def project(self, owner, namespace, name, **fields):
        answer = self.people[owner].post("/new", {"namespace": namespace, "name": name, "url": f"https://git.example.com/acme/{name}.git",
                                                  "branch": "main", **fields})
        assert answer.status == 303, answer
        return self.kitchen.project_id(namespace, name)

    def reasons(self, build, *texts):
        for position, text in enumerate(texts):
            self.kitchen.insert("build_reason", {"build_id": build, "position": position, "kind": "package", "text": text})

    def show(self, visitor, *paths, status=200):
        self.pages += [(visitor, path, status) for path in paths]


COMMITS = {  # by state of their builds
    "published": "Let the kernel say less when it starts, and nothing at all on the serial console", "superseded": "Declare what is called",
    "cancelled": "Greet everybody", "skipped": "Say in the README how to build", "checking": "Keep the journal for a month", "publishing": "Add a greeting"}


def commit(all_, project, subject):
    """A commit that was seen; its name."""
    name = hashlib.sha1(subject.encode()).hexdigest()
    if not all_.kitchen.sql("SELECT 1 FROM commit_seen WHERE project_id = ? AND commit_id = ?", project, name):
        all_.kitchen.insert("commit_seen", {"project_id": project, "commit_id": name, "author": "Luca Bianchi", "subject": subject, "seen": now()})
    return name


def fill_history(all_, project, target):
    """Builds in every state; the published one and its job."""
    kitchen = all_.kitchen
    details = {"superseded": "Build #2 takes its place", "skipped": "Nothing changed since #1", "cancelled": "Somebody cancelled it"}
    for number, state in enumerate(STATES):
        begin = now() - (30 - 5 * number) * 60 * MINUTE
        build = kitchen.build(project, state=state, commit_id=commit(all_, project, COMMITS[state]), detail=details.get(state), created=begin,
                              started=begin + 2000, finished=begin + 95000 if state in details else None)
        if state not in details:
            all_.reasons(build, "`mkosi.extra/usr/lib/tmpfiles.d/log.conf` was added")
        kitchen.job(build, target, state="cancelled" if state == "cancelled" else "done", skipped=state == "skipped")
    begin = now() - 65 * MINUTE
    published = kitchen.build(project, commit_id=commit(all_, project, COMMITS["published"]), caused_by="luca", version="20261130104500", created=begin,
                              started=begin + 2000, finished=begin + 99000)
    all_.reasons(published, "systemd 262-1 → 262-2, and 3 more", "`KernelCommandLine`: added quiet",
                 "`mkosi.conf.d/base/mkosi.conf` changed (9f86d081884c, Luca Bianchi)")
    job = kitchen.job(published, target, worker="kitchen-1", step="Done", started=begin + 2000, finished=begin + 97000)
    kitchen.write_log(job, LOG)
    for number, (name, kind, size) in enumerate((("ParticleOS_20261130104500_x86-64.efi", "uki", 71 << 20),
                                                 ("ParticleOS_20261130104500.usr-x86-64.4bf7d1d2a7f0c0c1c2a3b4c5d6e7f809.raw", "partition", 467 << 20),
                                                 ("ParticleOS_20261130104500.manifest", "manifest", 48123))):
        kitchen.insert("artifact", {"job_id": job, "name": name, "kind": kind, "digest": hashlib.sha256(name.encode()).hexdigest(), "size": size})
    for leaf, (kind, title) in enumerate((("verity", "root hash of /usr"), ("pe", "EFI/Linux/ParticleOS_20261130104500.efi"), ("manifest", "SHA256SUMS"))):
        kitchen.insert("signature", {"job_id": job, "project_id": project, "type": kind, "title": title, "leaf": 40 + leaf, "created": now()})
    return published, job


def fill_failures(all_, project, target):
    """Two builds that failed alike, with the jobs of them."""
    kitchen, made = all_.kitchen, []
    for subject in ("Greet everybody by name", "Greet everybody by their first name"):
        begin = now() - (40 - 15 * len(made)) * MINUTE
        build = kitchen.build(project, state="failed", failure="script", detail="mkosi.build failed", commit_id=commit(all_, project, subject),
                              created=begin, started=begin + 2000, finished=begin + 41000)
        all_.reasons(build, "`mkosi.build` changed (9f86d081884c, Luca Bianchi)")
        job = kitchen.job(build, target, state="failed", failure="script", detail="mkosi.build ended with status 1", failing_lines=FAILING,
                          worker="kitchen-1", started=begin + 2000, finished=begin + 41000)
        kitchen.write_log(job, LOG)
        made.append((build, job))
    return made


def fill_present(all_, project, target):
    """One at work, one that waits."""
    kitchen = all_.kitchen
    running = kitchen.build(project, state="running", cause="packages", commit_id=commit(all_, project, COMMITS["published"]), created=now() - 3 * MINUTE, started=now() - 2 * MINUTE, finished=None)
    all_.reasons(running, "linux-image-amd64 6.19.7-1 → 6.19.8-1")
    job = kitchen.job(running, target, state="running", step="Installing packages", worker="kitchen-2", finished=None)
    kitchen.write_log(job, "".join(LOG.splitlines(True)[:5]))
    waiting = kitchen.build(project, state="waiting", commit_id=commit(all_, project, "Greet nobody"), started=None, finished=None, wait_reason="Waits for build #9 of this project")
    kitchen.job(waiting, target, state="queued", started=None, finished=None, wait_reason="Both slots are taken")
    return running, job


def fill_settings(all_, project):
    """Hooks with deliveries, credentials, members, tokens; the hook."""
    kitchen, admin = all_.kitchen, all_.people["admin"]
    assert admin.post("/cook/particleos/settings/hooks", {"kind": "github", "secret": "s" * 20}).status == 303
    hook = kitchen.sql("SELECT id FROM hook WHERE project_id = ?", project)[0][0]
    for number, (valid, status, answer) in enumerate(((1, 202, "Looking at the branch main"), (1, 200, "Already seen"), (0, 403, "The signature is wrong"))):
        kitchen.insert("delivery", {"hook_id": hook, "delivery": f"72d3162e-cc78-11e3-81ab-4c9367dc095{number}", "body_digest": str(number),
                                    "event": "push", "received": now() - number * MINUTE, "valid": valid, "status": status, "answer": answer})
    assert admin.post("/cook/particleos/settings/credentials", {"kind": "forge", "name": "github", "value": "secret"}).status == 303
    assert admin.post("/cook/particleos/settings/members", {"user": "luca", "role": "maintainer"}).status == 303
    admin.token(name="laptop")
    admin.token(scope="build", only="cook/particleos", name="nightly builds")
    return hook


def fill_keys(all_, project):
    """Certificates as the signer gives them out."""
    place = fresh("kitchen-seed")
    for purpose in ("secure-boot", "verity", "manifest"):
        call("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-subj", f"/CN=cook\\/particleos {purpose}/O=Kitchen", "-days", "3650", "-keyout",
             place / "key", "-out", place / f"{purpose}.pem")
        all_.kitchen.insert("key_certificate", {"project_id": project, "purpose": purpose, "text": (place / f"{purpose}.pem").read_text(),
                                                "created": now()})
    all_.kitchen.insert("key_certificate", {"project_id": project, "purpose": "key-ring", "text": base64.b64encode(b"ring").decode(), "created": now()})
    return place


def seed(kitchen):
    """Fills the service; all that there is to see."""
    all_ = Seed(kitchen)
    project = all_.project("admin", "cook", "particleos")
    kitchen.sql("UPDATE project SET title = 'ParticleOS, minimal', polled = ? WHERE id = ?", now() - 4 * MINUTE, project)
    target = kitchen.target_id(project)
    kitchen.insert("target", {"project_id": project, "name": "server", "profiles": "minimal,server", "image_id": "Server", "required": 0})
    published, published_job = fill_history(all_, project, target)
    failures = fill_failures(all_, project, target)
    running, running_job = fill_present(all_, project, target)
    channel = kitchen.sql("SELECT id FROM channel WHERE project_id = ?", project)[0][0]
    kitchen.insert("release", {"channel_id": channel, "build_id": published, "version": "20261130104500", "state": "published",
                               "created": now() - 50 * MINUTE, "published": now() - 50 * MINUTE})
    published_set = kitchen.store / "pub/cook/particleos/main/testing"
    published_set.mkdir(parents=True)
    (published_set / "BEST-BEFORE-2026-12-14").touch()
    hook = fill_settings(all_, project)
    certificates = fill_keys(all_, project)
    all_.project("luca", "luca", "empty", private="yes")
    broken = all_.project("admin", "cook", "as-long-as-the-name-of-a-project-may-be")
    kitchen.sql("UPDATE project SET poll_error = 'git: repository https://git.example/a-name-that-is-as-long-as-names-may-be.git not found' "
                "WHERE id = ?", broken)
    assert all_.people["luca"].post("/cook/particleos/fork", {}).status == 303

    number = {row[0]: row[1] for row in kitchen.sql("SELECT id, number FROM build")}
    builds = [row[0] for row in kitchen.sql("SELECT number FROM build WHERE project_id = ? ORDER BY number", project)]
    logs = [f"/cook/particleos/builds/{number[build]}/jobs/{job}/log" for build, job in ((published, published_job), failures[1], (running, running_job))]
    link = re.search(r"(/link/[\w-]+)", all_.people["admin"].post("/users/maria/link", {}).text)[1]
    all_.show("admin", "/", "/queue", "/new", "/account", "/users", "/cook", "/cook/particleos", f"/cook/particleos?before={builds[-1]}",
              *(f"/cook/particleos/builds/{n}" for n in builds), *logs, f"{logs[0]}?from=0", f"{logs[0]}?q=error", f"{logs[0]}?q=nowhere", "/cook/particleos/channels/testing", "/cook/particleos/keys",
              "/cook/particleos/settings", f"/cook/particleos/settings/hooks/{hook}",
              "/cook/as-long-as-the-name-of-a-project-may-be")
    all_.show("luca", "/", "/luca/empty", "/luca/empty/keys", "/luca/empty/channels/testing", "/luca/empty/settings", "/luca/particleos", "/cook/particleos",
              "/cook/particleos/settings")
    all_.show("maria", "/", "/new", "/account", f"/cook/particleos/builds/{number[failures[1][0]]}")
    all_.show(None, "/", "/login", link, "/queue", "/cook/particleos", f"/cook/particleos/builds/{number[failures[1][0]]}", logs[1])
    all_.show(None, "/nowhere", status=404)
    all_.show("luca", "/users", status=404)
    all_.show("maria", "/cook/particleos/settings", status=403)
    return SimpleNamespace(people=all_.people, pages=all_.pages, project=project, logs=logs, hook=hook, certificates=certificates,
                           published=number[published], failures=[number[build] for build, _ in failures])
