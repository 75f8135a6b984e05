-- What was heard, in one order, and what it comes to: facts per aggregate, journeys, tasks.

-- Whether a division lies in another: 530902 in 530900 in 530000 in 000000.
CREATE FUNCTION division_within(code text, area text) RETURNS boolean LANGUAGE sql IMMUTABLE
    AS $$ SELECT area <> '' AND code LIKE regexp_replace(area, '(00){1,3}$', '') || '%' $$;

-- The next place in the feed. Its row is locked by whoever writes events, until commit: so ids rise in the
-- order of commits, and a reader that asks for "after the last I saw" misses nothing.
CREATE TABLE feed_position (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    last_feed_id bigint NOT NULL
);
INSERT INTO feed_position (last_feed_id) VALUES (0);
CALL protect('feed_position', 'true');

CREATE TABLE event (
    feed_id bigint PRIMARY KEY,
    event_id uuid NOT NULL,
    type text NOT NULL,
    service text NOT NULL,
    subject text NOT NULL,
    sequence bigint NOT NULL,
    tenant_id uuid NOT NULL,
    journey_id uuid,
    causation_id uuid,
    said_at timestamptz NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Who is named in it, beside the bureau.
    audience uuid[] NOT NULL DEFAULT '{}',
    origins text[] NOT NULL DEFAULT '{}',
    trip_id uuid,
    inn_id uuid,
    body jsonb NOT NULL
);
CREATE UNIQUE INDEX event_once ON event (event_id);
CREATE INDEX event_journey ON event (journey_id, feed_id);
CREATE INDEX event_type ON event (type, feed_id);
CREATE INDEX event_subject ON event (subject, feed_id);
CREATE INDEX event_tenant ON event USING gin (audience);
CREATE INDEX event_said ON event (said_at);

-- Which tenants have somebody on a trip: a trip's events are theirs to see.
CREATE TABLE trip_tenant (
    trip_id uuid NOT NULL,
    tenant_id uuid NOT NULL,
    PRIMARY KEY (trip_id, tenant_id)
);
CALL protect('trip_tenant', 'tenant_id = app_tenant_id()');
CALL protect('event', $$
    app_tenant_id() = ANY (audience)
    OR inn_id = ANY (app_inn_ids())
    OR (service = 'transport' AND audience = '{}' AND trip_id IN (SELECT t.trip_id FROM trip_tenant t))
    OR (app_tenant_kind() = 'office' AND EXISTS (SELECT FROM unnest(origins) AS o
        WHERE division_within(app_division_code(), o) OR division_within(o, app_division_code())))
$$);

-- The newest state of each thing on a person's way: a nomination, an offer, a placement, a booking, a stay.
CREATE TABLE fact (
    source text NOT NULL,
    subject text NOT NULL,
    journey_id uuid NOT NULL,
    noun text NOT NULL,
    state text NOT NULL,
    since timestamptz NOT NULL,
    made_at timestamptz NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (source, subject)
);
CREATE INDEX fact_journey ON fact (journey_id);
CALL protect('fact', 'false');

CREATE TABLE journey (
    journey_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL,
    office_id uuid,
    enterprise_id uuid,
    nomination_id uuid,
    hire_id uuid,
    placement_id uuid,
    drive_id uuid,
    inn_id uuid,
    state text NOT NULL CHECK (state IN ('moving', 'waiting', 'settled', 'done', 'compensated')),
    waiting_for text,
    service text,
    since timestamptz NOT NULL,
    -- When (business time) time alone changes what is to be done; NULL: never.
    due_at timestamptz
);
CREATE INDEX journey_worker ON journey (worker_id);
CREATE INDEX journey_placement ON journey (placement_id);
CREATE INDEX journey_drive ON journey (drive_id, state);
CREATE INDEX journey_state ON journey (state, since);
CREATE INDEX journey_office ON journey (office_id, state);
CREATE INDEX journey_enterprise ON journey (enterprise_id, state);
CREATE INDEX journey_due ON journey (due_at) WHERE due_at IS NOT NULL;
CALL protect('journey', $$office_id = app_tenant_id() OR enterprise_id = app_tenant_id()
    OR inn_id = ANY (app_inn_ids())$$);

CREATE TABLE task (
    kind text NOT NULL,
    subject text NOT NULL,
    journey_id uuid NOT NULL,
    service text NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid,
    enterprise_id uuid,
    inn_id uuid,
    drive_id uuid,
    opened_at timestamptz NOT NULL,
    due_at timestamptz,
    closed_at timestamptz,
    data jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (kind, subject)
);
CREATE INDEX task_open ON task (opened_at) WHERE closed_at IS NULL;
CREATE INDEX task_journey ON task (journey_id);
CALL protect('task', 'office_id = app_tenant_id() OR enterprise_id = app_tenant_id() OR inn_id = ANY (app_inn_ids())');

-- Names of drives, vacancies, inns and trips, for pages that speak of them.
CREATE TABLE thing (
    subject text PRIMARY KEY,
    noun text NOT NULL,
    state text NOT NULL,
    data jsonb NOT NULL,
    audience uuid[] NOT NULL DEFAULT '{}',
    origins text[] NOT NULL DEFAULT '{}',
    changed_at timestamptz NOT NULL
);
CREATE INDEX thing_noun ON thing (noun);
CALL protect('thing', $$
    noun = 'inn' OR app_tenant_id() = ANY (audience)
    OR (noun = 'trip' AND split_part(subject, '/', 2)::uuid IN (SELECT t.trip_id FROM trip_tenant t))
    OR (app_tenant_kind() = 'office' AND EXISTS (SELECT FROM unnest(origins) AS o
        WHERE division_within(app_division_code(), o) OR division_within(o, app_division_code())))
$$);
