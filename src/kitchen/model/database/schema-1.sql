-- SPDX-License-Identifier: LGPL-2.1-or-later

-- People, what they own, and what they log in with. Secrets are here as digests (tokens, sessions, tickets)
-- or encrypted (credentials); passwords as yescrypt.
CREATE TABLE user (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, password TEXT, admin INTEGER NOT NULL DEFAULT 0,
    disabled INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL
);
CREATE TABLE login_link (
    hash TEXT PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user, expires INTEGER NOT NULL
);
CREATE TABLE session (
    hash TEXT PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user, csrf TEXT NOT NULL,
    created INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER NOT NULL
);
CREATE TABLE namespace (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, served INTEGER NOT NULL DEFAULT 0,
    created INTEGER NOT NULL
);
CREATE TABLE member (
    namespace_id INTEGER NOT NULL REFERENCES namespace, user_id INTEGER NOT NULL REFERENCES user,
    role TEXT NOT NULL CHECK (role IN ('owner', 'maintainer', 'reader')), PRIMARY KEY (namespace_id, user_id)
);

-- What is built. TOKEN.project_id limits a token to a project, namespace_id to a namespace.
CREATE TABLE project (
    id INTEGER PRIMARY KEY, namespace_id INTEGER NOT NULL REFERENCES namespace, name TEXT NOT NULL,
    title TEXT, url TEXT NOT NULL, branch TEXT NOT NULL, directory TEXT NOT NULL DEFAULT '',
    public INTEGER NOT NULL DEFAULT 1, priority INTEGER NOT NULL DEFAULT 0, poll INTEGER NOT NULL DEFAULT 300,
    packages TEXT NOT NULL DEFAULT 'at-once' CHECK (packages IN ('at-once', 'daily', 'never')),
    boot INTEGER NOT NULL DEFAULT 0, script_network INTEGER NOT NULL DEFAULT 0, disk_limit INTEGER,
    timeout INTEGER NOT NULL DEFAULT 10800, forked_from INTEGER REFERENCES project, version TEXT,
    polled INTEGER, poll_error TEXT, packages_wished INTEGER, created INTEGER NOT NULL, archived INTEGER NOT NULL DEFAULT 0,
    UNIQUE (namespace_id, name)
);
CREATE TABLE target (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project, name TEXT NOT NULL,
    profiles TEXT NOT NULL DEFAULT '', release TEXT, architecture TEXT, image_id TEXT NOT NULL,
    required INTEGER NOT NULL DEFAULT 1, options TEXT NOT NULL DEFAULT '[]', UNIQUE (project_id, name)
);
CREATE TABLE channel (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project, name TEXT NOT NULL,
    follows INTEGER NOT NULL DEFAULT 1, UNIQUE (project_id, name)
);
CREATE TABLE source (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project, name TEXT NOT NULL,
    url TEXT NOT NULL, branch TEXT NOT NULL, seen TEXT, UNIQUE (project_id, name)
);
CREATE TABLE credential (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project,
    kind TEXT NOT NULL CHECK (kind IN ('hook', 'forge', 'git-password', 'git-key')), name TEXT NOT NULL,
    secret BLOB NOT NULL, created INTEGER NOT NULL, UNIQUE (project_id, kind, name)
);
CREATE TABLE token (
    id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES user, name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE, scopes TEXT NOT NULL, namespace_id INTEGER REFERENCES namespace,
    project_id INTEGER REFERENCES project, created INTEGER NOT NULL, expires INTEGER NOT NULL, used INTEGER,
    revoked INTEGER
);

-- What starts builds.
CREATE TABLE hook (
    id TEXT PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project,
    kind TEXT NOT NULL CHECK (kind IN ('github', 'gitlab', 'gitlab-signed', 'gitea', 'forgejo')),
    credential_id INTEGER NOT NULL REFERENCES credential, created INTEGER NOT NULL
);
CREATE TABLE delivery (
    id INTEGER PRIMARY KEY, hook_id TEXT NOT NULL REFERENCES hook, delivery TEXT, body_digest TEXT NOT NULL,
    event TEXT, received INTEGER NOT NULL, valid INTEGER NOT NULL, status INTEGER NOT NULL,
    answer TEXT NOT NULL, build_id INTEGER
);
CREATE INDEX delivery_by_hook ON delivery (hook_id, received);
CREATE TABLE commit_seen (
    project_id INTEGER NOT NULL REFERENCES project, commit_id TEXT NOT NULL, author TEXT, subject TEXT,
    seen INTEGER NOT NULL, PRIMARY KEY (project_id, commit_id)
);
-- Wishes that a project is looked at; a row goes in the transaction that answers it.
CREATE TABLE build_request (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project, cause TEXT NOT NULL,
    caused_by TEXT, force INTEGER NOT NULL DEFAULT 0, user_id INTEGER REFERENCES user,
    created INTEGER NOT NULL
);
CREATE TABLE repository_state (
    url TEXT PRIMARY KEY, etag TEXT, last_modified TEXT, digest TEXT, checked INTEGER, changed INTEGER,
    error TEXT
);
CREATE TABLE project_repository (
    project_id INTEGER NOT NULL REFERENCES project, url TEXT NOT NULL, digest TEXT,
    PRIMARY KEY (project_id, url)
);

-- Versions of a project: build, its jobs, what went in and what came out. SOURCE is the object with the
-- recipe's tree.
CREATE TABLE build (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project, number INTEGER NOT NULL,
    version TEXT NOT NULL, commit_id TEXT, source TEXT,
    cause TEXT NOT NULL CHECK (cause IN ('push', 'poll', 'packages', 'base', 'source', 'manual', 'first')),
    caused_by TEXT,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'checking', 'approval', 'publishing', 'published', 'skipped', 'superseded', 'cancelled', 'failed')),
    failure TEXT CHECK (failure IN ('recipe', 'packages', 'script', 'refused', 'timeout', 'lost', 'check', 'publish')),
    told TEXT, detail TEXT, wait_reason TEXT, priority INTEGER NOT NULL DEFAULT 0, same_as INTEGER REFERENCES build,
    created INTEGER NOT NULL, started INTEGER, finished INTEGER, UNIQUE (project_id, number)
);
CREATE INDEX build_by_state ON build (state, created);
CREATE INDEX build_by_project ON build (project_id, state);
CREATE TABLE build_reason (
    build_id INTEGER NOT NULL REFERENCES build, position INTEGER NOT NULL, kind TEXT NOT NULL,
    text TEXT NOT NULL, target_id INTEGER REFERENCES target, PRIMARY KEY (build_id, position)
);
CREATE TABLE job (
    id INTEGER PRIMARY KEY, build_id INTEGER NOT NULL REFERENCES build,
    target_id INTEGER NOT NULL REFERENCES target, attempt INTEGER NOT NULL DEFAULT 1,
    state TEXT NOT NULL CHECK (state IN ('queued', 'submitted', 'claimed', 'running', 'uploaded', 'done', 'failed', 'lost', 'cancelled')),
    failure TEXT, detail TEXT, failing_lines TEXT, wait_reason TEXT, ticket_hash TEXT, token_hash TEXT,
    token_expires INTEGER, executor_id TEXT, worker TEXT, heartbeat INTEGER,
    log_size INTEGER NOT NULL DEFAULT 0, step TEXT, cancel INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0, force INTEGER NOT NULL DEFAULT 0, created INTEGER NOT NULL, started INTEGER, finished INTEGER,
    UNIQUE (build_id, target_id, attempt)
);
CREATE INDEX job_by_state ON job (state);
CREATE INDEX job_by_ticket ON job (ticket_hash);
CREATE INDEX job_by_token ON job (token_hash);
CREATE TABLE object (
    digest TEXT PRIMARY KEY, size INTEGER NOT NULL, created INTEGER NOT NULL
);
CREATE TABLE job_object (
    job_id INTEGER NOT NULL REFERENCES job, digest TEXT NOT NULL, PRIMARY KEY (job_id, digest)
);
CREATE TABLE input_set (
    job_id INTEGER PRIMARY KEY REFERENCES job, digest TEXT NOT NULL
);
CREATE TABLE artifact (
    id INTEGER PRIMARY KEY, job_id INTEGER NOT NULL REFERENCES job, name TEXT NOT NULL, kind TEXT NOT NULL,
    digest TEXT NOT NULL, size INTEGER NOT NULL, UNIQUE (job_id, name)
);
CREATE INDEX artifact_by_digest ON artifact (digest);
CREATE TABLE signature (
    id INTEGER PRIMARY KEY, job_id INTEGER REFERENCES job, project_id INTEGER NOT NULL REFERENCES project,
    type TEXT NOT NULL, title TEXT NOT NULL, leaf INTEGER, created INTEGER NOT NULL
);

-- What devices get, and what happened.
CREATE TABLE release (
    id INTEGER PRIMARY KEY, channel_id INTEGER NOT NULL REFERENCES channel,
    build_id INTEGER NOT NULL REFERENCES build, version TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('publishing', 'published', 'withdrawn', 'removed')),
    created INTEGER NOT NULL, published INTEGER, UNIQUE (channel_id, build_id)
);
CREATE TABLE release_file (
    release_id INTEGER NOT NULL REFERENCES release, target_id INTEGER NOT NULL REFERENCES target,
    name TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (release_id, target_id, name)
);
CREATE TABLE release_set (
    release_id INTEGER NOT NULL REFERENCES release, target_id INTEGER NOT NULL REFERENCES target,
    digest TEXT NOT NULL, PRIMARY KEY (release_id, target_id)
);
CREATE TABLE event (
    id INTEGER PRIMARY KEY, time INTEGER NOT NULL, project_id INTEGER, build_id INTEGER, job_id INTEGER,
    user_id INTEGER, kind TEXT NOT NULL, detail TEXT
);
CREATE INDEX event_by_build ON event (build_id);
CREATE TABLE idempotency (
    user_id INTEGER NOT NULL, key TEXT NOT NULL, request TEXT NOT NULL, status INTEGER NOT NULL,
    answer TEXT NOT NULL, created INTEGER NOT NULL, PRIMARY KEY (user_id, key)
);
