-- What the registry has heard from the others: the right to see a name, and when an erasure may take effect.

CREATE TABLE heard_drive (
    drive_id uuid PRIMARY KEY,
    title text NOT NULL,
    state text NOT NULL
);
CALL protect('heard_drive', 'false');

CREATE TABLE heard_placement (
    placement_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL,
    nomination_id uuid,
    office_id uuid,
    enterprise_id uuid,
    drive_id uuid,
    state text NOT NULL CHECK (state IN ('confirmed', 'started', 'cancelled', 'ended')),
    ended_on date
);
CREATE INDEX heard_placement_worker ON heard_placement (worker_id);
CREATE INDEX heard_placement_nomination ON heard_placement (nomination_id);
CALL protect('heard_placement', 'false');

CREATE TABLE heard_trip (
    trip_id uuid PRIMARY KEY,
    state text NOT NULL CHECK (state IN ('scheduled', 'open', 'departed', 'arrived', 'cancelled', 'closed'))
);
CALL protect('heard_trip', 'false');

CREATE TABLE heard_booking (
    booking_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL,
    office_id uuid,
    enterprise_id uuid,
    trip_id uuid,
    state text NOT NULL CHECK (state IN ('booked', 'waitlisted', 'boarded', 'missed', 'released', 'handed_over'))
);
CREATE INDEX heard_booking_worker ON heard_booking (worker_id);
CREATE INDEX heard_booking_trip ON heard_booking (trip_id);
CALL protect('heard_booking', 'false');

CREATE TABLE heard_stay (
    stay_id uuid PRIMARY KEY,
    worker_id uuid NOT NULL,
    office_id uuid,
    enterprise_id uuid,
    inn_id uuid,
    check_in_on date,
    check_out_on date,
    state text NOT NULL CHECK (state IN ('requested', 'held', 'confirmed', 'waitlisted', 'rejected', 'released',
        'checked_in', 'checked_out', 'missed'))
);
CREATE INDEX heard_stay_worker ON heard_stay (worker_id);
CREATE INDEX heard_stay_inn ON heard_stay (inn_id, check_in_on);
CALL protect('heard_stay', 'false');

CREATE TABLE heard_retention (
    placement_id uuid NOT NULL,
    milestone_months integer NOT NULL,
    worker_id uuid NOT NULL,
    result text NOT NULL,
    answered_on date,
    PRIMARY KEY (placement_id, milestone_months)
);
CALL protect('heard_retention', 'false');
