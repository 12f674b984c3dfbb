-- The tables, for SQLite and PostgreSQL alike. `docs/serve.md` says what is in them.
CREATE TABLE IF NOT EXISTS marks (
    name TEXT PRIMARY KEY,
    value BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (
    batch_key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    reply TEXT NOT NULL,
    received_ms BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS events (
    place BIGINT PRIMARY KEY,
    body TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS streams (
    stream TEXT PRIMARY KEY,
    entry TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS bundles (
    sha256 TEXT PRIMARY KEY,
    version TEXT NOT NULL,
    task TEXT NOT NULL,
    parent TEXT,
    bytes BIGINT NOT NULL,
    made_at TEXT NOT NULL,
    data TEXT NOT NULL,
    metrics TEXT NOT NULL,
    learnt_up_to BIGINT NOT NULL,
    note TEXT NOT NULL,
    published_ms BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS moves (
    place BIGINT PRIMARY KEY,
    action TEXT NOT NULL,
    current_bundle TEXT NOT NULL REFERENCES bundles (sha256),
    previous_bundle TEXT REFERENCES bundles (sha256),
    percentage BIGINT NOT NULL,
    moved_ms BIGINT NOT NULL
);
CREATE TABLE IF NOT EXISTS rounds (
    place BIGINT PRIMARY KEY,
    parent TEXT NOT NULL REFERENCES bundles (sha256),
    after_move BIGINT NOT NULL,
    up_to BIGINT NOT NULL,
    sessions BIGINT NOT NULL,
    begun_ms BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    bundle TEXT REFERENCES bundles (sha256)
);
CREATE TABLE IF NOT EXISTS gatherings (
    place BIGINT PRIMARY KEY,
    bundle TEXT NOT NULL UNIQUE REFERENCES bundles (sha256),
    multiplier DOUBLE PRECISION NOT NULL,
    wanted BIGINT NOT NULL,
    begun_ms BIGINT NOT NULL,
    candidate TEXT REFERENCES bundles (sha256)
);
CREATE TABLE IF NOT EXISTS contributions (
    gathering BIGINT NOT NULL REFERENCES gatherings (place),
    digest TEXT NOT NULL,
    numbers TEXT NOT NULL,
    PRIMARY KEY (gathering, digest)
);
INSERT INTO marks (name, value) VALUES ('schema', 1), ('events', 0), ('moves', 0)
    ON CONFLICT (name) DO NOTHING;
