-- Passwords that an administrator handed out, and the codes that stand in for a lost second factor.
ALTER TABLE account ADD COLUMN password_temporary boolean NOT NULL DEFAULT false;

-- Each serves once; of a code only a digest is kept.
CREATE TABLE recovery_code (
    account_id uuid NOT NULL REFERENCES account,
    digest bytea NOT NULL,
    PRIMARY KEY (account_id, digest)
);
CALL protect('recovery_code', 'false');
