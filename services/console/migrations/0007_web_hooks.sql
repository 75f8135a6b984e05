-- Web hooks: an organisation's own programs are told of what it may see. All times here are real time.
CREATE TABLE web_hook (
    web_hook_id uuid PRIMARY KEY,
    tenant_id uuid NOT NULL REFERENCES tenant,
    title text NOT NULL,
    url text NOT NULL CHECK (length(url) <= 500),
    -- Kinds of events without their version: a hook goes on when a kind is said in a newer one.
    event_types text[] NOT NULL CHECK (cardinality(event_types) > 0),
    state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused')),
    paused_why text CHECK (paused_why IN ('by_hand', 'failing', 'gone')),
    -- Sealed under a key that follows from the signing key, with the hook's id.
    secret_sealed bytea NOT NULL,
    -- The one before, which signs, too, for a while.
    previous_sealed bytea,
    previous_until timestamptz,
    -- Since when nothing but failures; NULL: the last attempt was good, or there was none.
    failing_since timestamptz,
    failure_count integer NOT NULL DEFAULT 0,
    rests_until timestamptz,
    delivered_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CHECK ((state = 'paused') = (paused_why IS NOT NULL)),
    -- Telling one place twice is a mistake; and a repeated registration makes no second hook.
    UNIQUE (tenant_id, url)
);
CALL protect('web_hook', 'tenant_id = app_tenant_id() AND app_has_role(''admin'')');

-- What a hook is told, made in the transaction that heard the event; its key is what makes it once. There is no
-- foreign key to the hook: one that is deleted meanwhile must not stop the projection.
CREATE TABLE hook_delivery (
    web_hook_id uuid NOT NULL,
    event_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    event_type text NOT NULL,
    -- Asked for by hand, about nothing that happened.
    trial boolean NOT NULL DEFAULT false,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
    attempt_count integer NOT NULL DEFAULT 0,
    -- When it is to be sent; while somebody is sending it, when they have surely ended.
    due_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    made_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempted_at timestamptz,
    delivered_at timestamptz,
    -- Of the last attempt: the HTTP status, or a code of ours; never a word that the receiver said.
    status integer,
    error text,
    replay_count integer NOT NULL DEFAULT 0,
    replayed_at timestamptz,
    replayed_by uuid,
    CONSTRAINT hook_delivery_once PRIMARY KEY (web_hook_id, event_id)
);
CREATE INDEX hook_delivery_due ON hook_delivery (web_hook_id, due_at) WHERE state = 'waiting';
CREATE INDEX hook_delivery_trial ON hook_delivery (web_hook_id) WHERE state = 'waiting' AND trial;
CREATE INDEX hook_delivery_failed ON hook_delivery (web_hook_id, made_at) WHERE state = 'failed';
CREATE INDEX hook_delivery_list ON hook_delivery (web_hook_id, made_at, event_id);
CREATE INDEX hook_delivery_age ON hook_delivery (made_at);
-- Rows change a few times and go after a month: a share of the table is no measure of how many are dead.
ALTER TABLE hook_delivery SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CALL protect('hook_delivery', 'tenant_id = app_tenant_id() AND app_has_role(''admin'')');

-- Who did what to a hook, and when; it outlives the hook.
CREATE TABLE web_hook_log (
    log_id uuid PRIMARY KEY,
    web_hook_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    -- NULL: the system itself.
    account_id uuid,
    action text NOT NULL CHECK (action IN ('registered', 'changed', 'paused', 'resumed', 'rotated', 'tried',
        'replayed', 'deleted')),
    delivery_count integer,
    done_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX web_hook_log_hook ON web_hook_log (web_hook_id, log_id);
CALL protect('web_hook_log', 'tenant_id = app_tenant_id() AND app_has_role(''admin'')');
REVOKE UPDATE, DELETE ON web_hook_log FROM {worker};
