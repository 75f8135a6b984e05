-- Who takes part, and whose tokens no longer count: what the console says, kept in every service's database.
CREATE TABLE tenant (
    tenant_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('office', 'enterprise', 'inn', 'bureau', 'auditor')),
    name text NOT NULL,
    division_code text NOT NULL,
    uscc text,
    inn_ids uuid[] NOT NULL DEFAULT '{}',
    active boolean NOT NULL
);
CREATE INDEX tenant_uscc ON tenant (uscc);
CALL protect('tenant', 'tenant_id = app_tenant_id()');

-- Tokens issued before `before` are void: of one account, or of the whole tenant (account_id is then its tenant_id).
CREATE TABLE revocation (
    account_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL,
    before timestamptz NOT NULL
);
CALL protect('revocation', 'false');
