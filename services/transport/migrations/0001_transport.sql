-- Placements as they were heard, bookings, trips with their stops, scans, and what is due.

-- An escort of the bureau sees the trips that name its account, and nothing else.
CREATE FUNCTION app_is_escort() RETURNS boolean LANGUAGE sql STABLE
    AS $$ SELECT app_has_role('escort') AND NOT app_has_role('coordinator') AND NOT app_has_role('admin') $$;

CREATE TABLE vehicle (
    vehicle_id uuid PRIMARY KEY,
    plate text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('coach', 'carriage', 'train', 'flight')),
    licensed_capacity integer NOT NULL CHECK (licensed_capacity > 0),
    operator text
);
CALL protect('vehicle', 'false');

CREATE TABLE trip (
    trip_id uuid PRIMARY KEY,
    state text NOT NULL
        CHECK (state IN ('scheduled', 'open', 'departed', 'arrived', 'cancelled', 'closed')),
    destination_division_code text NOT NULL,
    -- The destination's pool: Shanghai's districts count as one.
    city text NOT NULL,
    plate text NOT NULL,
    vehicle_kind text NOT NULL CHECK (vehicle_kind IN ('coach', 'carriage', 'train', 'flight')),
    -- What passengers may use; crew and escort sit on seats of their own.
    licensed_capacity integer NOT NULL CHECK (licensed_capacity > 0),
    operator text NOT NULL,
    contract_number text NOT NULL,
    crew text[] NOT NULL,
    escort text NOT NULL,
    minimum_load integer NOT NULL CHECK (minimum_load >= 0),
    delay_minutes integer NOT NULL DEFAULT 0 CHECK (delay_minutes >= 0),
    reason text,
    departed_at timestamptz,
    arrived_at timestamptz,
    manifest_version integer NOT NULL DEFAULT 0
);
CREATE INDEX trip_coming ON trip (city) WHERE state IN ('scheduled', 'open');
CREATE INDEX trip_under_way ON trip (trip_id) WHERE state = 'departed';

CREATE TABLE trip_stop (
    trip_id uuid NOT NULL REFERENCES trip,
    ordinal integer NOT NULL CHECK (ordinal >= 0),
    place_code text NOT NULL,
    division_code text NOT NULL,
    planned_arrives_at timestamptz,
    planned_departs_at timestamptz,
    arrives_at timestamptz,
    departs_at timestamptz,
    -- When the escort's list of this stop came in.
    synced_at timestamptz,
    PRIMARY KEY (trip_id, ordinal),
    UNIQUE (trip_id, place_code)
);

-- A placement as it was heard last; `city` is its destination pool.
CREATE TABLE placement (
    placement_id uuid PRIMARY KEY,
    nomination_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    journey_id uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('confirmed', 'started', 'cancelled', 'ended')),
    needs_seat boolean NOT NULL,
    city text NOT NULL,
    site_division_code text NOT NULL,
    origin_division_code text NOT NULL,
    boarding_place_code text,
    available_from date NOT NULL,
    starts_on date NOT NULL,
    group_id uuid,
    group_placed_count integer NOT NULL,
    priority integer NOT NULL,
    -- Real time: how long a group has been coming in.
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX placement_worker ON placement (worker_id);
CREATE INDEX placement_group ON placement (group_id) WHERE group_id IS NOT NULL;
CALL protect('placement', 'office_id = app_tenant_id() OR enterprise_id = app_tenant_id()');

-- An end that was heard, also before its beginning.
CREATE TABLE placement_fate (
    placement_id uuid PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('started', 'cancelled', 'ended'))
);
CALL protect('placement_fate', 'false');
CREATE TABLE erased_worker (worker_id uuid PRIMARY KEY);
CALL protect('erased_worker', 'false');

CREATE TABLE booking (
    booking_id uuid PRIMARY KEY,
    placement_id uuid NOT NULL,
    worker_id uuid NOT NULL,
    office_id uuid NOT NULL,
    enterprise_id uuid NOT NULL,
    nomination_id uuid NOT NULL,
    journey_id uuid NOT NULL,
    -- Real time: since when the person waits.
    pooled_at timestamptz NOT NULL,
    group_id uuid,
    state text NOT NULL CHECK (state IN
        ('pooled', 'waitlisted', 'booked', 'boarded', 'missed', 'handed_over', 'released')),
    waiting_for text CHECK (waiting_for IN ('no_trip', 'below_minimum', 'full')),
    trip_id uuid REFERENCES trip,
    board_ordinal integer,
    alight_ordinal integer,
    released_for text CHECK (released_for IN ('cancelled', 'changed', 'rebooked', 'erased')),
    rebooked_as uuid,
    boarded_at timestamptz,
    boarded_stop text,
    missed_at timestamptz,
    handed_over_at timestamptz,
    outcome text CHECK (outcome IN ('received', 'not_arrived', 'left_early')),
    CHECK ((trip_id IS NULL) = (board_ordinal IS NULL)),
    CHECK (board_ordinal < alight_ordinal),
    CHECK (trip_id IS NOT NULL OR state IN ('pooled', 'waitlisted', 'released'))
);
-- One live booking per placement, whatever is heard how often.
CREATE UNIQUE INDEX booking_of_placement ON booking (placement_id)
    WHERE state IN ('pooled', 'waitlisted', 'booked', 'boarded');
CREATE INDEX booking_placement ON booking (placement_id);
CREATE INDEX booking_worker ON booking (worker_id);
CREATE INDEX booking_trip ON booking (trip_id, booking_id);
CREATE INDEX booking_group ON booking (group_id) WHERE group_id IS NOT NULL;
CREATE INDEX booking_waiting ON booking (state) WHERE state IN ('pooled', 'waitlisted');
CREATE INDEX booking_office ON booking (office_id, booking_id);
CREATE INDEX booking_enterprise ON booking (enterprise_id, booking_id);
CALL protect('booking', 'office_id = app_tenant_id() OR enterprise_id = app_tenant_id()');

-- A trip is seen by those with a booking on it.
CALL protect('trip', $$EXISTS (SELECT FROM booking b WHERE b.trip_id = trip.trip_id
    AND (b.office_id = app_tenant_id() OR b.enterprise_id = app_tenant_id()))$$);
CALL protect('trip_stop', 'EXISTS (SELECT FROM trip t WHERE t.trip_id = trip_stop.trip_id)');
CREATE POLICY escort ON trip AS RESTRICTIVE FOR SELECT TO {api}
    USING (NOT app_is_escort() OR escort = app_account_id()::text);
-- Without the trip's policy here the two tables' policies would ask each other for ever.
CREATE FUNCTION app_escorts(trip uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public AS $$
    SELECT EXISTS (SELECT FROM trip t WHERE t.trip_id = $1 AND t.escort = app_account_id()::text) $$;
CREATE POLICY owner_reads ON trip FOR SELECT TO {owner} USING (true);
CREATE POLICY escort ON booking AS RESTRICTIVE FOR SELECT TO {api}
    USING (NOT app_is_escort() OR app_escorts(trip_id));
CREATE POLICY escort ON trip_stop AS RESTRICTIVE FOR SELECT TO {api}
    USING (NOT app_is_escort() OR app_escorts(trip_id));
CREATE POLICY escort ON placement AS RESTRICTIVE FOR SELECT TO {api} USING (NOT app_is_escort());

-- Every scan as it came, and what became of it; a good one that comes again gets the same answer.
CREATE TABLE boarding_scan (
    scan_id uuid NOT NULL,
    trip_id uuid NOT NULL REFERENCES trip,
    booking_id uuid NOT NULL,
    scanned_at timestamptz NOT NULL,
    stop text NOT NULL,
    result text NOT NULL,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (trip_id, scan_id)
);
CREATE INDEX boarding_scan_booking ON boarding_scan (booking_id, scanned_at);
CALL protect('boarding_scan', 'EXISTS (SELECT FROM booking b WHERE b.booking_id = boarding_scan.booking_id
    AND (b.office_id = app_tenant_id() OR b.enterprise_id = app_tenant_id()))');
CREATE POLICY escort ON boarding_scan AS RESTRICTIVE FOR SELECT TO {api}
    USING (NOT app_is_escort() OR app_escorts(trip_id));

-- A manifest as it was published: who sits where, frozen, and what differs from the one before.
CREATE TABLE manifest (
    trip_id uuid NOT NULL REFERENCES trip,
    version integer NOT NULL CHECK (version > 0),
    published_at timestamptz NOT NULL,
    passengers jsonb NOT NULL,
    difference jsonb NOT NULL,
    PRIMARY KEY (trip_id, version)
);
CALL protect('manifest', 'false');
CREATE POLICY escort ON manifest AS RESTRICTIVE FOR SELECT TO {api}
    USING (NOT app_is_escort() OR app_escorts(trip_id));

-- Signs the tickets; made here, known to the service alone.
CREATE TABLE ticket_key (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    key bytea NOT NULL
);
INSERT INTO ticket_key (key)
    VALUES (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));
CALL protect('ticket_key', 'false');
-- Not even who sees everything sees the key.
CREATE POLICY secret ON ticket_key AS RESTRICTIVE FOR SELECT TO {api} USING (false);

-- What the single writer of seats has to look at again: a person about whom something was heard, or a destination
-- whose trips or pool changed. Only ever appended to, so that no note is lost between two transactions.
CREATE TABLE due (
    due_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    worker_id uuid,
    city text,
    cause_id uuid,
    CHECK ((worker_id IS NULL) <> (city IS NULL))
);
CALL protect('due', 'false');
