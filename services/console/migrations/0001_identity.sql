-- Accounts of tenants (the table `tenant` itself is shared), their sessions, and who failed to sign in.
CREATE TABLE account (
    account_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant,
    name text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{1,62}$'),
    password_hash text NOT NULL,
    roles text[] NOT NULL DEFAULT '{}' CHECK (roles <@ ARRAY['coordinator', 'escort', 'admin']),
    -- Sealed under a key that follows from the signing key; NULL: no second factor yet.
    totp_sealed bytea,
    active boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL
);
CREATE INDEX account_tenant ON account (tenant_id);
CALL protect('account', 'tenant_id = app_tenant_id()');

-- Browser sessions; the cookie's value is kept as a digest only. Real time, not business time.
CREATE TABLE session (
    digest bytea PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account,
    tenant_id uuid NOT NULL,
    form_token text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expiry ON session (expires_at);
CALL protect('session', 'false');

-- Failed sign-ins by account name, so that guessing gets slow; a name that doesn't exist counts, too.
CREATE TABLE failed_sign_in (
    name text NOT NULL,
    failed_at timestamptz NOT NULL
);
CREATE INDEX failed_sign_in_name ON failed_sign_in (name, failed_at);
CALL protect('failed_sign_in', 'false');
