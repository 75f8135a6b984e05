-- Roles' rights, row security's vocabulary, business time, and the outbox: first in every database.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO {api}, {worker};

CREATE FUNCTION app_tenant_id() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT NULLIF(current_setting('app.tenant_id', true), '')::uuid $$;
CREATE FUNCTION app_account_id() RETURNS uuid LANGUAGE sql STABLE
    AS $$ SELECT NULLIF(current_setting('app.account_id', true), '')::uuid $$;
CREATE FUNCTION app_tenant_kind() RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT COALESCE(current_setting('app.tenant_kind', true), '') $$;
CREATE FUNCTION app_division_code() RETURNS text LANGUAGE sql STABLE
    AS $$ SELECT COALESCE(current_setting('app.division_code', true), '') $$;
CREATE FUNCTION app_has_role(role text) RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT role = ANY (string_to_array(COALESCE(current_setting('app.roles', true), ''), ',')) $$;
CREATE FUNCTION app_inn_ids() RETURNS uuid[] LANGUAGE sql STABLE
    AS $$ SELECT COALESCE(string_to_array(NULLIF(current_setting('app.inn_ids', true), ''), ',')::uuid[], '{}'::uuid[]) $$;
CREATE FUNCTION app_sees_all() RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT COALESCE(current_setting('app.tenant_kind', true), '') IN ('bureau', 'auditor') $$;

-- The one way a table gets its rights: row security forced, the worker role sees every tenant's rows, the api role
-- reads what the predicate allows and writes nothing.
CREATE PROCEDURE protect(target regclass, predicate text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', target);
    EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO {worker}', target);
    EXECUTE format('GRANT SELECT ON %s TO {api}', target);
    EXECUTE format('CREATE POLICY worker ON %s TO {worker} USING (true) WITH CHECK (true)', target);
    EXECUTE format('CREATE POLICY caller ON %s FOR SELECT TO {api} USING ((%s) OR app_sees_all())', target, predicate);
END $$;

-- Plumbing that no caller ever sees: the worker role alone has any right. Row security would forbid COPY.
CREATE PROCEDURE protect_plumbing(target regclass) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('REVOKE ALL ON %s FROM PUBLIC, {api}', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO {worker}', target);
END $$;

CREATE TABLE business_clock (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    offset_interval interval NOT NULL DEFAULT '0'
);
INSERT INTO business_clock DEFAULT VALUES;
CALL protect('business_clock', 'true');
REVOKE INSERT, UPDATE, DELETE ON business_clock FROM {worker};
-- As its owner's function: whoever asks, the row is visible.
CREATE POLICY owner_reads ON business_clock FOR SELECT TO {owner} USING (true);
CREATE FUNCTION business_offset() RETURNS interval LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public AS $$ SELECT offset_interval FROM business_clock $$;
CREATE FUNCTION business_now() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT clock_timestamp() + business_offset() $$;

-- The last sequence each aggregate has said. The row is locked until commit, so ids within a subject are in commit order.
CREATE TABLE aggregate_sequence (
    subject text PRIMARY KEY,
    last_sequence bigint NOT NULL CHECK (last_sequence > 0)
);
CALL protect_plumbing('aggregate_sequence');

-- What was said and is not yet in Kafka, in id order; within a subject that is the order of commits.
CREATE TABLE outbox (
    outbox_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id uuid NOT NULL,
    slot smallint NOT NULL CHECK (slot BETWEEN 0 AND 15),
    topic text NOT NULL,
    record_key text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    parked_reason text,
    UNIQUE (subject, sequence, topic)
);
-- A row that no topic takes parks its aggregate; there are next to none, so looking is free.
CREATE INDEX outbox_parked ON outbox (subject) WHERE parked_reason IS NOT NULL;
-- Rows come and go all the time: a share of the table is no measure of how many are dead.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
    autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000);
CALL protect_plumbing('outbox');

-- Everything that was ever said and acknowledged by Kafka, by month; repair and replay read it.
CREATE TABLE event_log (
    event_id uuid NOT NULL,
    topic text NOT NULL,
    record_key text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    recorded_at timestamptz NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    outbox_id bigint NOT NULL,
    PRIMARY KEY (outbox_id, recorded_at)
) PARTITION BY RANGE (recorded_at);
CREATE TABLE event_log_default PARTITION OF event_log DEFAULT;
CREATE INDEX event_log_subject ON event_log (subject, sequence);
CALL protect_plumbing('event_log');
REVOKE UPDATE, DELETE ON event_log FROM {worker};

-- Makes the partitions of this month (UTC) and the next two; the relay calls it, so that the default stays empty.
CREATE FUNCTION make_event_log_partitions() RETURNS integer LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public SET timezone = 'UTC' AS $$
DECLARE
    first_day date;
    name text;
    made integer := 0;
BEGIN
    FOR ahead IN 0..2 LOOP
        first_day := date_trunc('month', clock_timestamp()) + ahead * interval '1 month';
        name := to_char(first_day, '"event_log_"YYYY_MM');
        CONTINUE WHEN to_regclass(name) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE %I PARTITION OF event_log FOR VALUES FROM (%L) TO (%L)',
                name, first_day::timestamptz, (first_day + interval '1 month')::timestamptz);
            made := made + 1;
        -- Another relay was faster, or rows of the month are in the default already: nothing is lost by either.
        EXCEPTION WHEN duplicate_table OR check_violation THEN NULL;
        END;
    END LOOP;
    RETURN made;
END $$;
REVOKE ALL ON FUNCTION make_event_log_partitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION make_event_log_partitions() TO {worker};
SELECT make_event_log_partitions();
