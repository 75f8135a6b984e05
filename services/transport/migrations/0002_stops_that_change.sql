-- A trip's stops may be other ones later: a seat that was given up before then may point to none of them.
ALTER TABLE booking DROP CONSTRAINT booking_check;
ALTER TABLE booking ADD CONSTRAINT booking_seat
    CHECK ((trip_id IS NULL) = (board_ordinal IS NULL) OR (state = 'released' AND board_ordinal IS NULL));
