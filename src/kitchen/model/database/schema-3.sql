-- SPDX-License-Identifier: LGPL-2.1-or-later

-- SCHEDULE of a channel is that of new releases: "5@0h,25@24h,100@72h"; NULL: all devices at once. WANTED counts changes of
-- what devices shall be offered, SWITCHED is how far the published links follow.
ALTER TABLE channel ADD COLUMN schedule TEXT;
ALTER TABLE channel ADD COLUMN wanted INTEGER NOT NULL DEFAULT 1;
ALTER TABLE channel ADD COLUMN switched INTEGER NOT NULL DEFAULT 0;

-- Releases reach a part of the devices (PERCENT) since BEGUN; DETAIL says what one waits for, or why it failed. SQLite changes
-- no CHECK, and files and sets refer to releases.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE old_release AS SELECT * FROM release;
DROP TABLE release;
CREATE TABLE release (
    id INTEGER PRIMARY KEY, channel_id INTEGER NOT NULL REFERENCES channel,
    build_id INTEGER NOT NULL REFERENCES build, version TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('publishing', 'approval', 'published', 'failed', 'withdrawn', 'removed')),
    percent INTEGER NOT NULL DEFAULT 100 CHECK (percent BETWEEN 0 AND 100), halted INTEGER NOT NULL DEFAULT 0,
    schedule TEXT, begun INTEGER, detail TEXT, user_id INTEGER REFERENCES user,
    created INTEGER NOT NULL, published INTEGER, UNIQUE (channel_id, build_id)
);
INSERT INTO release (id, channel_id, build_id, version, state, begun, created, published)
    SELECT id, channel_id, build_id, version, state, published, created, published FROM old_release;
DROP TABLE old_release;
CREATE INDEX release_by_state ON release (state);

-- Versions that nobody shall get any more. TOLD: when the signer noted it.
CREATE TABLE withdrawal (
    project_id INTEGER NOT NULL REFERENCES project, version TEXT NOT NULL, user_id INTEGER REFERENCES user,
    created INTEGER NOT NULL, told INTEGER, PRIMARY KEY (project_id, version)
);

-- What people signed for a release to a channel whose policy asks for it: the signer judges it, nobody else.
CREATE TABLE approval (
    id INTEGER PRIMARY KEY, release_id INTEGER NOT NULL REFERENCES release, target_id INTEGER NOT NULL REFERENCES target,
    user_id INTEGER REFERENCES user, fingerprint TEXT NOT NULL, statement TEXT NOT NULL, signature TEXT NOT NULL,
    created INTEGER NOT NULL, UNIQUE (release_id, target_id, fingerprint)
);
