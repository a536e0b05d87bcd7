-- What is known of a task's whole log. `last_seq` outlives deletions. The rest is the sum over `segment`.
CREATE TABLE task_log (
  task_id TEXT NOT NULL PRIMARY KEY,
  last_seq INTEGER NOT NULL,
  first_seq INTEGER NOT NULL,
  lines INTEGER NOT NULL,
  text_bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  raw_segments INTEGER NOT NULL,
  counts TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX task_log_raw_segments ON task_log (raw_segments);

CREATE TABLE stream (
  task_id TEXT NOT NULL,
  stream_id TEXT NOT NULL,
  n INTEGER NOT NULL,
  end_n INTEGER,
  PRIMARY KEY (task_id, stream_id)
) WITHOUT ROWID;

-- Headers stand together, apart from the bodies, so that thousands of them are a few pages.
CREATE TABLE segment (
  task_id TEXT NOT NULL,
  first_seq INTEGER NOT NULL,
  count INTEGER NOT NULL,
  min_at INTEGER NOT NULL,
  max_at INTEGER NOT NULL,
  text_bytes INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  codec TEXT NOT NULL,
  counts TEXT NOT NULL,
  body_id INTEGER NOT NULL,
  PRIMARY KEY (task_id, first_seq)
) WITHOUT ROWID;
CREATE INDEX segment_recent ON segment (max_at DESC, task_id, first_seq DESC, min_at);

CREATE TABLE body (
  id INTEGER PRIMARY KEY,
  bytes BLOB NOT NULL
);
