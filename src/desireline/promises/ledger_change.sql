-- The judgements that differ from those in force, each with its next number, the cause and, where it was known, its key.
WITH judged AS (
    SELECT $maps[r.promise + 1] AS map, $versions[r.promise + 1] AS map_version, $promises[r.promise + 1] AS promise,
           r.person, r.journey, r.key_hash, $channels[r.channel + 1] AS channel, r.opening_id, r.opened_at,
           nullif(r.due_at, $none) AS due_at, nullif(r.settled_at, $none) AS settled_at,
           $verdicts[r.verdict + 1] AS verdict, $breaches[r.breach + 1] AS breach,
           nullif(r.lateness_seconds, $none) AS lateness_seconds,
           nullif(r.settling_id, $none) AS settling_id, nullif(r.breaking_id, $none) AS breaking_id,
           nullif(r.made_good_at, $none) AS made_good_at, nullif(r.made_good_id, $none) AS made_good_id,
           nullif(r.breached_at, $none) AS breached_at, $sames[r.promise + 1] AS same,
           CASE WHEN r.breach >= 0 THEN array_to_string(list_transform(list_sort(list_filter([
               {'moment': nullif(r.forbidden_at, $none), 'place': 1, 'kind': 'forbidden'},
               {'moment': nullif(r.repeated_at, $none), 'place': 2, 'kind': 'repeated'},
               {'moment': nullif(r.without_consent_at, $none), 'place': 3, 'kind': 'without_consent'},
               {'moment': nullif(r.deadline_at, $none), 'place': 4, 'kind': $breaches[r.deadline_kind + 1]}
           ], lambda each : each.moment IS NOT NULL)), lambda each : each.kind || ' ' || each.moment), ', ') END AS breaches
    FROM judged_rows AS r
), last_rows AS MATERIALIZED (
    SELECT *, coalesce(cause, '') <> 'gone'
              AND ($everybody OR person IN $people) AS in_force
    FROM ledger_past
    QUALIFY row_number() OVER (PARTITION BY map, promise, opening_id ORDER BY number DESC) = 1
), before AS (
    SELECT * FROM last_rows WHERE in_force
), changed AS (
    SELECT j.*, CASE WHEN (md5_number(o.key) >> 65)::BIGINT = j.key_hash THEN o.key END AS key,
           CASE
               WHEN o.opening_id IS NULL AND ($last_judged_at IS NULL OR j.opened_at > $last_judged_at) THEN 'new'
               WHEN o.opening_id IS NULL THEN coalesce($cause, 'late')
               WHEN o.map_version <> j.map_version THEN 'map changed'
               WHEN o.person <> j.person THEN coalesce($cause, 'joined')
               WHEN $cause IS NOT NULL THEN $cause
               WHEN (j.settled_at IS DISTINCT FROM o.settled_at AND coalesce(j.settled_at, 0) <= o.judged_at)
                   OR (j.made_good_at IS DISTINCT FROM o.made_good_at AND coalesce(j.made_good_at, 0) <= o.judged_at)
                   OR (j.breach IS DISTINCT FROM o.breach AND coalesce(j.breached_at, 0) <= o.judged_at
                       AND NOT (o.breach IS NOT DISTINCT FROM 'missing' AND j.breach IS NOT DISTINCT FROM 'late'))
                   OR (o.verdict IN ('kept', 'withdrawn') AND j.verdict <> o.verdict) THEN 'late'
               ELSE 'time passed'
           END AS cause
    FROM judged AS j
    LEFT JOIN before AS o USING (map, promise, opening_id)
    WHERE o.opening_id IS NULL
       OR (o.map_version, o.person, o.journey, o.due_at, o.settled_at, o.verdict, o.breach, o.breaches,
           o.settling_id, o.breaking_id, o.made_good_at, o.made_good_id)
          IS DISTINCT FROM
          (j.map_version, j.person, j.journey, j.due_at, j.settled_at, j.verdict, j.breach, j.breaches,
           j.settling_id, j.breaking_id, j.made_good_at, j.made_good_id)
), gone AS (
    SELECT o.* FROM before AS o
    ANTI JOIN judged AS j USING (map, promise, opening_id)
)
SELECT c.map, c.map_version, c.promise, c.person, c.journey, c.key, c.key_hash, c.same, c.channel, c.opening_id,
       c.opened_at, c.due_at, c.settled_at, c.verdict, c.breach, c.breaches, c.lateness_seconds, c.settling_id,
       c.breaking_id, c.made_good_at, c.made_good_id, c.cause, coalesce(l.number, 0) + 1 AS number
FROM changed AS c
LEFT JOIN last_rows AS l USING (map, promise, opening_id)
UNION ALL BY NAME
SELECT map, map_version, promise, person, journey, key, 0 AS key_hash, '' AS same, channel, opening_id, opened_at,
       NULL AS due_at, NULL AS settled_at, 'withdrawn' AS verdict, NULL AS breach, NULL AS breaches,
       NULL AS lateness_seconds, NULL AS settling_id, NULL AS breaking_id, NULL AS made_good_at, NULL AS made_good_id,
       'gone' AS cause, number + 1 AS number
FROM gone
