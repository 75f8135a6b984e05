-- Idempotency: the answer of each command that came with a key, in the same commit as its effect.
CREATE TABLE command_answer (
    account_id uuid NOT NULL,
    route text NOT NULL,
    idempotency_key text NOT NULL,
    body_digest bytea NOT NULL,
    status smallint,
    body bytea,
    answered_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (account_id, route, idempotency_key)
);
CREATE INDEX command_answer_age ON command_answer (answered_at);
-- The one table that the api role writes: its first row comes before the effect has its rights, and row security makes
-- sure that nobody, not even a bureau, is ever given the stored answer of another account.
ALTER TABLE command_answer ENABLE ROW LEVEL SECURITY;
ALTER TABLE command_answer FORCE ROW LEVEL SECURITY;
GRANT SELECT, INSERT, UPDATE ON command_answer TO {api};
GRANT SELECT, DELETE ON command_answer TO {worker};
CREATE POLICY own ON command_answer TO {api}
    USING (account_id = app_account_id()) WITH CHECK (account_id = app_account_id());
CREATE POLICY pruning ON command_answer TO {worker} USING (true);
