-- Which event a stay goes back to, so that what is decided of it later names its cause; and the nights that a guest
-- stayed beyond those granted.
ALTER TABLE unsettled ADD traceparent text;
ALTER TABLE stay
    ADD cause_id uuid,
    ADD traceparent text,
    ADD overstayed_nights integer NOT NULL DEFAULT 0 CHECK (overstayed_nights >= 0);
