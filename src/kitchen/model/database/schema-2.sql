-- SPDX-License-Identifier: LGPL-2.1-or-later

-- An image ID is that of one target. Those that were shared before stay: devices and the signer know them.
ALTER TABLE target ADD COLUMN shares_image_id INTEGER NOT NULL DEFAULT 0;
UPDATE target SET shares_image_id = 1 WHERE EXISTS (
    SELECT 1 FROM target AS other WHERE other.image_id = target.image_id AND other.id < target.id
);
CREATE UNIQUE INDEX target_by_image_id ON target (image_id) WHERE shares_image_id = 0;

-- What a project is built from besides its recipe. KIND "git": the BRANCH of a repository; "url": a file; "base":
-- what a target of another project published, URL is NAMESPACE/PROJECT/TARGET. WISHED is the revision that a build was
-- wished for last.
DROP TABLE source;
CREATE TABLE source (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project, name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('git', 'url', 'base')), url TEXT NOT NULL, branch TEXT NOT NULL DEFAULT '',
    wished TEXT, UNIQUE (project_id, name)
);
CREATE INDEX source_by_place ON source (kind, url, branch);
-- Each distinct one, however many projects name it. REVISION: a commit, a digest, a version.
CREATE TABLE source_state (
    kind TEXT NOT NULL, url TEXT NOT NULL, branch TEXT NOT NULL, revision TEXT, etag TEXT, last_modified TEXT,
    checked INTEGER, changed INTEGER, error TEXT, PRIMARY KEY (kind, url, branch)
);
-- What a build took of them. OBJECT and FILE: of a base, what is given to its jobs.
CREATE TABLE build_source (
    build_id INTEGER NOT NULL REFERENCES build, name TEXT NOT NULL, kind TEXT NOT NULL, url TEXT NOT NULL,
    branch TEXT NOT NULL, revision TEXT NOT NULL, object TEXT, file TEXT, PRIMARY KEY (build_id, name)
);
CREATE INDEX build_source_by_object ON build_source (object);

-- A kind more: "git-host", the public key of a host, for SSH. SQLite changes no CHECK, and hooks refer to credentials.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE old_credential AS SELECT * FROM credential;
DROP TABLE credential;
CREATE TABLE credential (
    id INTEGER PRIMARY KEY, project_id INTEGER NOT NULL REFERENCES project,
    kind TEXT NOT NULL CHECK (kind IN ('hook', 'forge', 'git-password', 'git-key', 'git-host')), name TEXT NOT NULL,
    secret BLOB NOT NULL, created INTEGER NOT NULL, UNIQUE (project_id, kind, name)
);
INSERT INTO credential SELECT id, project_id, kind, name, secret, created FROM old_credential;
DROP TABLE old_credential;

-- What the signer gave out for the keys of a project: certificates as PEM by purpose; "key-ring" is the OpenPGP key in base64.
CREATE TABLE key_certificate (
    project_id INTEGER NOT NULL REFERENCES project, purpose TEXT NOT NULL, text TEXT NOT NULL,
    created INTEGER NOT NULL, PRIMARY KEY (project_id, purpose)
);
CREATE INDEX job_by_target ON job (target_id, state);
