-- What energyd holds after its first pull, as a table in a file: of each record the newest version, its
-- kind, direction and rank in the words of the points table, times in UTC. The variable events names the generator's events.csv.
SELECT source || '/' || ext_key AS id, ts,
    CASE kind WHEN 'web' THEN 'web_meeting' ELSE kind END AS kind,
    CASE WHEN kind IN ('phone', 'mail') THEN ['mutual', 'in', 'out'][ts // 60 % 3 + 1] ELSE 'mutual' END AS direction,
    account_id AS account, contact_id AS contact, deal_id AS deal, rep_id AS rep,
    ['unknown', 'president', 'executive', 'department_manager', 'section_manager', 'staff'][rank + 1] AS rank
FROM read_csv(getvariable('events'), types = {'ext_key': 'VARCHAR', 'contact_id': 'VARCHAR', 'deal_id': 'VARCHAR', 'rep_id': 'VARCHAR'})
QUALIFY row_number() OVER (PARTITION BY source, ext_key ORDER BY updated_at DESC, event_id DESC) = 1
ORDER BY ts
