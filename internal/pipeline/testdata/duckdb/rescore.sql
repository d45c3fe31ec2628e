-- The rescoring of energyd in SQL, as far as SQL goes: cells of accounts, contacts, deals and reps, temperatures,
-- months by rank class, the lists of A18 and A19, tonight's surges and silences, each account's three reasons.
-- Bands with hysteresis, trends, and the alarms of earlier days that still stand are energyd's alone.

CREATE MACRO points(kind, direction, rank) AS
    CASE kind
        WHEN 'visit_by_customer' THEN 10 WHEN 'visit' THEN 6 WHEN 'web_meeting' THEN 5
        WHEN 'phone' THEN CASE direction WHEN 'in' THEN 4 ELSE 2 END
        WHEN 'mail' THEN CASE direction WHEN 'in' THEN 3 ELSE 1 END
        WHEN 'budget_request' THEN 20 WHEN 'approval_request' THEN 30 END
    * CASE rank WHEN 'president' THEN 8 WHEN 'executive' THEN 5 WHEN 'department_manager' THEN 3 WHEN 'section_manager' THEN 2 ELSE 1 END;
CREATE VIEW scored AS
    SELECT account, contact, deal, rep, id,
        DATE '1970-01-01' + CAST((ts + 9 * 3600) // 86400 AS INTEGER) AS day, -- in Tokyo
        CASE WHEN rank IN ('president', 'executive') THEN 'executive' WHEN rank LIKE '%manager' THEN 'manager' ELSE rank END AS class,
        CASE WHEN direction = 'mutual' AND kind IN ('visit_by_customer', 'budget_request', 'approval_request') THEN 'in' ELSE direction END AS whose,
        1000 * points(kind, direction, rank) AS milli
    FROM activities;

-- cells
CREATE TABLE account_cell AS SELECT account AS id, day, class, whose, sum(milli)::BIGINT AS milli, count(*) AS contacts FROM scored GROUP BY ALL;
CREATE TABLE contact_cell AS SELECT contact AS id, day, class, whose, sum(milli)::BIGINT AS milli, count(*) AS contacts FROM scored WHERE contact IS NOT NULL GROUP BY ALL;
CREATE TABLE deal_cell AS SELECT deal AS id, day, class, whose, sum(milli)::BIGINT AS milli, count(*) AS contacts FROM scored WHERE deal IS NOT NULL GROUP BY ALL;
CREATE TABLE rep_cell AS SELECT rep AS id, day, class, whose, sum(milli)::BIGINT AS milli, count(*) AS contacts FROM scored WHERE rep IS NOT NULL GROUP BY ALL;

-- temperatures
CREATE MACRO left_of(milli, day) AS milli * pow(2, -date_diff('day', day, getvariable('as_of')) / 60.0) / 1000;
CREATE TABLE temperature AS
    SELECT 'account' AS kind, id, sum(left_of(milli, day)) AS points FROM account_cell GROUP BY id UNION ALL
    SELECT 'contact', id, sum(left_of(milli, day)) FROM contact_cell GROUP BY id UNION ALL
    SELECT 'deal', id, sum(left_of(milli, day)) FROM deal_cell GROUP BY id UNION ALL
    SELECT 'rep', id, sum(left_of(milli, day)) FROM rep_cell GROUP BY id;

-- months
CREATE TABLE earned AS SELECT id, date_trunc('month', day) AS month, class, sum(milli)::BIGINT AS milli, sum(contacts)::BIGINT AS contacts FROM account_cell GROUP BY ALL;

-- alarms
CREATE TABLE recent AS
    SELECT id,
        coalesce(sum(milli) FILTER (day > getvariable('as_of') - INTERVAL 3 MONTH), 0) AS lately,
        coalesce(sum(milli) FILTER (date_trunc('month', day) = date_trunc('month', getvariable('as_of')) - INTERVAL 1 MONTH), 0) AS now,
        coalesce(sum(milli) FILTER (date_trunc('month', day) = date_trunc('month', getvariable('as_of')) - INTERVAL 4 MONTH), 0) AS before,
        coalesce(sum(contacts) FILTER (whose = 'in' AND day > getvariable('as_of') - 14), 0)::BIGINT AS theirs,
        coalesce(sum(contacts) FILTER (whose = 'in' AND day <= getvariable('as_of') - 14 AND day > getvariable('as_of') - 194), 0)::BIGINT AS usual,
        min(day) AS since, max(day) AS last
    FROM account_cell GROUP BY id;
CREATE TABLE alarm AS
    WITH habit AS (
        SELECT r.id, any_value(r.last) AS last, 1 + sum(c.contacts)::BIGINT AS contacts,
            45 + least(180, greatest(0, date_diff('day', any_value(r.since), any_value(r.last)) + 1)) AS days
        FROM recent r JOIN account_cell c ON c.id = r.id AND c.day > r.last - 180 GROUP BY r.id
    ), window_of AS (
        SELECT id, theirs, 1 + usual AS a, 45 + least(180, greatest(0, date_diff('day', since, getvariable('as_of')) - 14 + 1)) AS b FROM recent WHERE theirs >= 3
    )
    SELECT id, 'low' AS alarm, lately AS value FROM recent WHERE lately <= 10000 UNION ALL
    SELECT id, 'halved', now FROM recent WHERE before > 0 AND now <= 0.5 * before UNION ALL
    SELECT id, 'surge', chance FROM (
        SELECT id, 1 - list_sum(list_transform(range(theirs), lambda k: exp(lgamma(a + k) - lgamma(a) - lgamma(k + 1) + a * ln(b / (b + 14)) + k * ln(14 / (b + 14))))) AS chance FROM window_of
    ) WHERE chance <= 0.01 UNION ALL
    SELECT id, 'silence', gap FROM (SELECT id, last, days * (pow(0.05, -1 / contacts) - 1) AS gap FROM habit)
    WHERE date_diff('day', last, getvariable('as_of')) BETWEEN floor(gap) + 1 AND floor(gap) + 90;

-- reasons
CREATE TABLE reason AS SELECT account, max_by({'id': id, 'day': day, 'milli': milli}, left_of(milli, day), 3) AS top FROM scored GROUP BY account;
