-- Whom a roster brings for the first time: a chunk of them comes as one array, and is written by one statement.

CREATE TYPE stranger AS (
    worker_id uuid,
    relation_id uuid,
    gender text,
    birth_year_month text,
    origin_division_code text,
    education_code text,
    certificate_codes text[],
    occupation_codes text[],
    preferred_pay_min integer,
    preferred_pay_max integer,
    poverty_lifted boolean,
    monitored boolean,
    name_sealed bytea,
    resident_id_sealed bytea,
    phone_sealed bytea,
    ethnicity_sealed bytea,
    education_sealed bytea,
    registered_residence_sealed bytea,
    present_residence_sealed bytea,
    emergency_contact_sealed bytea,
    emergency_phone_sealed bytea,
    certificates_sealed bytea,
    preferred_occupation_sealed bytea,
    notes_sealed bytea,
    -- Of whoever is nominated at once.
    row_number integer,
    nomination_id uuid,
    available_from date,
    boarding_place_code text,
    needs_bed boolean
);
