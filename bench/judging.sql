-- Ten promises judged by hand: every instance with its due, verdict, breach and the interactions that are its evidence.
CREATE OR REPLACE TEMP TABLE judged AS
WITH log AS (
    SELECT handle AS person, occurred_at AS t, channel, touchpoint, direction, asks, answers, about_case AS kase, id
    FROM interactions WHERE handle IS NOT NULL
),
clock AS (SELECT max(t) AS now, 2592000000 AS quiet FROM log),
a1 AS (
    SELECT o.person, o.id, o.t, o.t + 86400000 AS due, a.t AS settled, a.id AS settling
    FROM (FROM log WHERE touchpoint = 'support.asked') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'support.answered') a ON o.person = a.person AND o.t <= a.t
),
a2 AS (
    SELECT o.person, o.id, o.t, o.t + 14400000 AS due, a.t AS settled, a.id AS settling
    FROM (FROM log WHERE touchpoint = 'support.asked') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'support.answered') a
        ON o.person = a.person AND o.kase = a.kase AND o.t <= a.t
),
a3 AS (
    SELECT o.person, o.id, o.t, o.t + CASE o.channel WHEN 'phone' THEN 600000 WHEN 'chat' THEN 600000 WHEN 'email' THEN 86400000
                                           WHEN 'web' THEN 7200000 ELSE 86400000 END AS due, a.t AS settled, a.id AS settling
    FROM (FROM log WHERE asks AND touchpoint LIKE 'invoice.%') o
    ASOF LEFT JOIN (FROM log WHERE answers) a ON o.person = a.person AND o.t <= a.t
),
a4 AS (
    SELECT o.person, o.id, o.t, o.t + 604800000 AS due, a.t AS settled, a.id AS settling, n.t AS near, n.id AS near_id
    FROM (FROM log WHERE touchpoint = 'invoice.opened') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'invoice.done' AND channel IN ('phone', 'branch')) a
        ON o.person = a.person AND o.t <= a.t
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'invoice.done' AND channel NOT IN ('phone', 'branch')) n
        ON o.person = n.person AND o.t <= n.t
),
a5 AS (
    SELECT o.person, o.id, o.t, o.t + 1209600000 AS due, a.t AS again, a.id AS again_id
    FROM (FROM log WHERE touchpoint = 'cart.done') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint LIKE 'support.%' AND direction = 'inbound') a
        ON o.person = a.person AND o.t < a.t
),
a6 AS (
    SELECT o.person, o.id, o.t, o.t + 259200000 AS due, a.t AS settled, a.id AS settling, u.t AS undone
    FROM (FROM log WHERE touchpoint = 'delivery.opened') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'delivery.done') a ON o.person = a.person AND o.t <= a.t
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'cart.asked') u ON o.person = u.person AND o.t <= u.t
),
a7 AS (
    SELECT person, id, t, t + 604800000 AS due, lead(t, 2) OVER person_case AS again, lead(id, 2) OVER person_case AS again_id
    FROM log WHERE touchpoint = 'support.opened'
    WINDOW person_case AS (PARTITION BY person, kase ORDER BY t)
),
a8 AS (
    SELECT o.person, o.id, o.t, o.t + 172800000 AS due, f.t AS forbidden, f.id AS forbidden_id
    FROM (FROM log WHERE touchpoint = 'offer.opened') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint LIKE 'offer.%' AND touchpoint <> 'offer.opened' AND channel = 'sms') f
        ON o.person = f.person AND o.t <= f.t
),
a9 AS (
    SELECT o.*, m.t AS mended, m.id AS mending
    FROM (
        SELECT o.person, o.id, o.t, o.t + 28800000 AS due, a.t AS settled, a.id AS settling
        FROM (FROM log WHERE touchpoint = 'account.asked') o
        ASOF LEFT JOIN (FROM log WHERE touchpoint = 'account.answered') a ON o.person = a.person AND o.t <= a.t
    ) o
    ASOF LEFT JOIN (FROM log WHERE channel = 'phone' AND direction = 'outbound') m
        ON o.person = m.person AND o.due <= m.t
),
a10 AS (
    SELECT o.person, o.id, o.t, o.t + 172800000 AS due, a.t AS settled, a.id AS settling, f.t AS forbidden, f.id AS forbidden_id, n.t AS near, n.id AS near_id
    FROM (FROM log WHERE touchpoint = 'product.asked') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'product.answered' AND channel IN ('email', 'chat')) a
        ON o.person = a.person AND o.t <= a.t
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'product.answered' AND channel = 'social') f
        ON o.person = f.person AND o.t <= f.t
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'product.answered' AND channel NOT IN ('email', 'chat')) n
        ON o.person = n.person AND o.t <= n.t
),
every AS (
    SELECT 'a1' AS promise, *, true AS answer FROM a1
    UNION ALL BY NAME SELECT 'a2' AS promise, *, true AS answer FROM a2
    UNION ALL BY NAME SELECT 'a3' AS promise, *, true AS answer FROM a3
    UNION ALL BY NAME SELECT 'a4' AS promise, *, true AS answer FROM a4
    UNION ALL BY NAME SELECT 'a5' AS promise, *, false AS answer FROM a5
    UNION ALL BY NAME SELECT 'a6' AS promise, *, true AS answer FROM a6
    UNION ALL BY NAME SELECT 'a7' AS promise, *, false AS answer FROM a7
    UNION ALL BY NAME SELECT 'a8' AS promise, *, false AS answer FROM a8
    UNION ALL BY NAME SELECT 'a9' AS promise, *, true AS answer FROM a9
    UNION ALL BY NAME SELECT 'a10' AS promise, *, true AS answer FROM a10
),
known AS (
    SELECT promise, person, id, due, now, undone, mended, mending, answer, settling, near_id, again_id, forbidden_id,
           CASE WHEN settled <= due + quiet THEN settled END AS settled,
           CASE WHEN near <= due THEN near END AS near,
           CASE WHEN again <= due THEN again END AS again,
           CASE WHEN forbidden <= CASE WHEN NOT answer THEN due
                                       WHEN settled <= due + quiet THEN settled
                                       ELSE due + quiet END THEN forbidden END AS forbidden
    FROM every, clock
),
named AS (
    SELECT *, coalesce(settled <= due, false) AS in_time,
           coalesce(undone <= due AND (settled IS NULL OR settled > undone), false) AS withdrawn
    FROM known
),
breached AS (
    SELECT *,
           CASE WHEN withdrawn THEN NULL
                WHEN forbidden IS NOT NULL AND (in_time OR due > now OR NOT answer OR forbidden <= due) THEN 'forbidden'
                WHEN again IS NOT NULL THEN 'repeated'
                WHEN NOT answer OR in_time OR due > now THEN NULL
                WHEN near IS NOT NULL THEN 'wrong_channel'
                WHEN settled IS NOT NULL THEN 'late'
                ELSE 'missing' END AS breach
    FROM named
)
SELECT promise, id AS opening_id, person, CASE WHEN NOT withdrawn THEN due END AS due_at,
       CASE WHEN NOT withdrawn THEN settled END AS settled_at,
       CASE WHEN withdrawn THEN 'withdrawn'
            WHEN breach IS NOT NULL THEN 'broken'
            WHEN answer AND in_time THEN 'kept'
            WHEN due > now THEN 'waiting'
            ELSE 'kept' END AS verdict,
       breach,
       CASE WHEN NOT withdrawn AND settled > due THEN (settled - due) // 1000 END AS lateness_seconds,
       CASE WHEN NOT withdrawn AND settled IS NOT NULL THEN settling END AS settling_id,
       CASE breach WHEN 'forbidden' THEN forbidden_id WHEN 'repeated' THEN again_id WHEN 'wrong_channel' THEN near_id
                   WHEN 'late' THEN settling END AS breaking_id,
       CASE WHEN breach IN ('late', 'missing') AND mended <= due + 86400000 THEN mending END AS made_good_id
FROM breached
