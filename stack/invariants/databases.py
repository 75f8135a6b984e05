"""Invariants inside one service's database: each is a query that finds what must not be."""

from collections.abc import Mapping
from typing import Final

#: Service -> name of the invariant -> a query whose every row is a violation (one text column).
QUERIES: Final[Mapping[str, Mapping[str, str]]] = {
    "registry": {
        "rows of a batch = accepted + rejected + duplicate": """
            SELECT batch_id::text FROM worker_batch
            WHERE row_count <> accepted_count + rejected_count + duplicate_count""",
        "a person has one active nomination": """
            SELECT worker_id::text FROM nomination WHERE state = 'active'
            GROUP BY worker_id HAVING count(*) > 1""",
        "a relation is one tenant's": """
            SELECT relation_id::text FROM relation r
            WHERE NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = r.tenant_id)""",
    },
    "recruitment": {
        "no vacancy has more placements than openings": """
            SELECT v.vacancy_id::text FROM vacancy v JOIN placement p USING (vacancy_id)
            WHERE p.state <> 'cancelled' GROUP BY v.vacancy_id, v.openings
            HAVING count(*) > v.openings""",
        "openings in use are those of offers and placements": """
            SELECT v.vacancy_id::text FROM vacancy v
            WHERE v.placed_count <> (SELECT count(*) FROM placement p
                WHERE p.vacancy_id = v.vacancy_id AND p.state <> 'cancelled')""",
        "openings taken are those of offers, answers and placements": """
            SELECT v.vacancy_id::text FROM vacancy v
            WHERE v.taken_count <> (SELECT count(*) FROM placement p
                WHERE p.vacancy_id = v.vacancy_id AND p.state <> 'cancelled')
              + (SELECT count(*) FROM offer o
                WHERE o.vacancy_id = v.vacancy_id AND (o.state = 'made' OR o.pending))""",
        "a nomination has one live placement": """
            SELECT nomination_id::text FROM placement WHERE state IN ('confirmed', 'started')
            GROUP BY nomination_id HAVING count(*) > 1""",
    },
    "transport": {
        "no segment of a trip holds more than its seats": """
            SELECT DISTINCT t.trip_id::text FROM trip t JOIN trip_stop s USING (trip_id)
            WHERE t.licensed_capacity < (SELECT count(*) FROM booking b
                WHERE b.trip_id = t.trip_id AND b.state IN ('booked', 'boarded', 'handed_over')
                AND b.board_ordinal <= s.ordinal AND b.alight_ordinal > s.ordinal)""",
        "a placement has one seat": """
            SELECT placement_id::text FROM booking
            WHERE state IN ('pooled', 'waitlisted', 'booked', 'boarded')
            GROUP BY placement_id HAVING count(*) > 1""",
        "a seat is some known tenants'": """
            SELECT booking_id::text FROM booking b
            WHERE NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = b.office_id)
            OR NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = b.enterprise_id)""",
        "nobody boards a cancelled trip": """
            SELECT booking_id::text FROM booking b JOIN trip t USING (trip_id)
            WHERE t.state = 'cancelled' AND b.state IN ('booked', 'boarded')""",
    },
    "lodging": {
        "a bed holds one guest a night": """
            SELECT a.bed_id::text FROM occupancy a JOIN occupancy b
            ON a.bed_id = b.bed_id AND a.nights && b.nights AND a.stay_id < b.stay_id""",
        "a guest lies in one bed a night": """
            SELECT a.worker_id::text FROM occupancy a JOIN occupancy b
            ON a.worker_id = b.worker_id AND a.nights && b.nights AND a.stay_id < b.stay_id""",
        "a room-night holds one gender": """
            SELECT DISTINCT a.room_id::text FROM occupancy a JOIN occupancy b
            ON a.room_id = b.room_id AND a.nights && b.nights AND a.gender < b.gender
            AND a.family_id <> b.family_id""",
        "a confirmed stay has its bed": """
            SELECT stay_id::text FROM stay WHERE state IN ('held', 'confirmed') AND NOT EXISTS
                (SELECT FROM occupancy o WHERE o.stay_id = stay.stay_id AND o.bed_id = stay.bed_id)
            """,
        "a stay is some known tenants'": """
            SELECT stay_id::text FROM stay s
            WHERE NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = s.enterprise_id)
            OR (s.office_id IS NOT NULL
                AND NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = s.office_id))""",
        "a released stay holds no bed": """
            SELECT stay_id::text FROM stay JOIN occupancy USING (stay_id)
            WHERE state IN ('requested', 'waitlisted', 'rejected', 'released')""",
    },
    "console": {
        "an account is some tenant's": """
            SELECT account_id::text FROM account a
            WHERE NOT EXISTS (SELECT FROM tenant t WHERE t.tenant_id = a.tenant_id)""",
    },
}
EVERYWHERE: Final[Mapping[str, str]] = {
    "sequences of what was said have no gap": """
        SELECT subject FROM (SELECT subject, sequence FROM event_log WHERE topic !~ '[.]dlt$'
            UNION SELECT subject, sequence FROM outbox WHERE topic !~ '[.]dlt$') said
        GROUP BY subject HAVING count(*) <> max(sequence) OR min(sequence) <> 1""",
    "nothing that was said waits for ever": """
        SELECT event_id::text FROM outbox
        WHERE recorded_at < clock_timestamp() - interval '5 minutes'""",
    "what callers may read has row security forced": """
        SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relkind IN ('r', 'p') AND NOT (relrowsecurity AND relforcerowsecurity)
        AND has_table_privilege(current_database() || '_api', oid, 'SELECT')""",
}
