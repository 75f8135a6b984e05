-- What was heard: ids that took effect, each subject's place in its sequence, and records that are parked.
CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);
CALL protect_plumbing('inbox');

-- The last sequence that was applied, passed over or discarded; 0 when the first one is parked.
CREATE TABLE heard_sequence (
    source text NOT NULL,
    subject text NOT NULL,
    last_sequence bigint NOT NULL CHECK (last_sequence >= 0),
    PRIMARY KEY (source, subject)
);
CALL protect_plumbing('heard_sequence');

CREATE TABLE dead_letter (
    dead_letter_id uuid PRIMARY KEY,
    -- The record's content, and its position too when it has no valid envelope: redelivered, it is parked once.
    fingerprint bytea NOT NULL UNIQUE,
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    record_key bytea,
    -- [[name, value in base64 or null], ...]: a record may hold any bytes.
    headers jsonb NOT NULL,
    body bytea,
    -- Of a valid envelope; all null without one.
    event_id uuid,
    event_type text,
    source text,
    subject text,
    sequence bigint,
    journey_id uuid,
    reason text NOT NULL,
    detail text NOT NULL,
    -- It was the next of its subject when it came: later ones wait behind it.
    holds boolean NOT NULL,
    -- Nothing is wrong with it but its turn: it goes on by itself.
    waits boolean NOT NULL,
    state text NOT NULL DEFAULT 'parked' CHECK (state IN ('parked', 'replayed', 'discarded')),
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    closed_at timestamptz,
    closed_by uuid,
    closed_why text,
    CHECK ((state = 'parked') = (closed_at IS NULL)),
    CHECK (num_nulls(event_id, event_type, source, subject, sequence) IN (0, 5)),
    CHECK (event_id IS NOT NULL OR NOT (holds OR waits))
);
CREATE INDEX dead_letter_parked ON dead_letter (dead_letter_id) WHERE state = 'parked';
CREATE INDEX dead_letter_subject ON dead_letter (source, subject, sequence)
    WHERE state = 'parked' OR (state = 'discarded' AND holds);
CALL protect('dead_letter', 'false');
REVOKE DELETE ON dead_letter FROM {worker};
