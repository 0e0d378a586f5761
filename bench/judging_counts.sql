-- Ten promises counted by hand: how many instances of each are waiting, kept, broken (and how) or withdrawn, and made good.
WITH log AS (
    SELECT handle AS person, occurred_at AS t, channel, touchpoint, direction, asks, answers, about_case AS kase, id
    FROM interactions WHERE handle IS NOT NULL
),
clock AS (SELECT max(t) AS now, 2592000000 AS quiet FROM log),
a1 AS (
    SELECT o.t + 86400000 AS due, a.t AS settled
    FROM (FROM log WHERE touchpoint = 'support.asked') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'support.answered') a ON o.person = a.person AND o.t <= a.t
),
a2 AS (
    SELECT o.t + 14400000 AS due, a.t AS settled
    FROM (FROM log WHERE touchpoint = 'support.asked') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'support.answered') a
        ON o.person = a.person AND o.kase = a.kase AND o.t <= a.t
),
a3 AS (
    SELECT o.t + CASE o.channel WHEN 'phone' THEN 600000 WHEN 'chat' THEN 600000 WHEN 'email' THEN 86400000
                                WHEN 'web' THEN 7200000 ELSE 86400000 END AS due, a.t AS settled
    FROM (FROM log WHERE asks AND touchpoint LIKE 'invoice.%') o
    ASOF LEFT JOIN (FROM log WHERE answers) a ON o.person = a.person AND o.t <= a.t
),
a4 AS (
    SELECT o.t + 604800000 AS due, a.t AS settled, n.t AS near
    FROM (FROM log WHERE touchpoint = 'invoice.opened') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'invoice.done' AND channel IN ('phone', 'branch')) a
        ON o.person = a.person AND o.t <= a.t
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'invoice.done' AND channel NOT IN ('phone', 'branch')) n
        ON o.person = n.person AND o.t <= n.t
),
a5 AS (
    SELECT o.t + 1209600000 AS due, a.t AS again
    FROM (FROM log WHERE touchpoint = 'cart.done') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint LIKE 'support.%' AND direction = 'inbound') a
        ON o.person = a.person AND o.t < a.t
),
a6 AS (
    SELECT o.t + 259200000 AS due, a.t AS settled, u.t AS undone
    FROM (FROM log WHERE touchpoint = 'delivery.opened') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'delivery.done') a ON o.person = a.person AND o.t <= a.t
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'cart.asked') u ON o.person = u.person AND o.t <= u.t
),
a7 AS (
    SELECT t + 604800000 AS due, lead(t, 2) OVER (PARTITION BY person, kase ORDER BY t) AS again
    FROM log WHERE touchpoint = 'support.opened'
),
a8 AS (
    SELECT o.t + 172800000 AS due, f.t AS forbidden
    FROM (FROM log WHERE touchpoint = 'offer.opened') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint LIKE 'offer.%' AND touchpoint <> 'offer.opened' AND channel = 'sms') f
        ON o.person = f.person AND o.t <= f.t
),
a9 AS (
    SELECT o.due, o.settled, m.t AS mended
    FROM (
        SELECT o.person, o.t + 28800000 AS due, a.t AS settled
        FROM (FROM log WHERE touchpoint = 'account.asked') o
        ASOF LEFT JOIN (FROM log WHERE touchpoint = 'account.answered') a ON o.person = a.person AND o.t <= a.t
    ) o
    ASOF LEFT JOIN (FROM log WHERE channel = 'phone' AND direction = 'outbound') m
        ON o.person = m.person AND o.due <= m.t
),
a10 AS (
    SELECT o.t + 172800000 AS due, a.t AS settled, f.t AS forbidden, n.t AS near
    FROM (FROM log WHERE touchpoint = 'product.asked') o
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'product.answered' AND channel IN ('email', 'chat')) a
        ON o.person = a.person AND o.t <= a.t
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'product.answered' AND channel = 'social') f
        ON o.person = f.person AND o.t <= f.t
    ASOF LEFT JOIN (FROM log WHERE touchpoint = 'product.answered' AND channel NOT IN ('email', 'chat')) n
        ON o.person = n.person AND o.t <= n.t
),
every AS (
    SELECT 'a1' AS promise, due, settled, NULL AS near, NULL AS forbidden, NULL AS again, NULL AS undone, NULL AS mended, true AS answer FROM a1
    UNION ALL SELECT 'a2', due, settled, NULL, NULL, NULL, NULL, NULL, true FROM a2
    UNION ALL SELECT 'a3', due, settled, NULL, NULL, NULL, NULL, NULL, true FROM a3
    UNION ALL SELECT 'a4', due, settled, near, NULL, NULL, NULL, NULL, true FROM a4
    UNION ALL SELECT 'a5', due, NULL, NULL, NULL, again, NULL, NULL, false FROM a5
    UNION ALL SELECT 'a6', due, settled, NULL, NULL, NULL, undone, NULL, true FROM a6
    UNION ALL SELECT 'a7', due, NULL, NULL, NULL, again, NULL, NULL, false FROM a7
    UNION ALL SELECT 'a8', due, NULL, NULL, forbidden, NULL, NULL, NULL, false FROM a8
    UNION ALL SELECT 'a9', due, settled, NULL, NULL, NULL, NULL, mended, true FROM a9
    UNION ALL SELECT 'a10', due, settled, near, forbidden, NULL, NULL, NULL, true FROM a10
),
known AS (
    SELECT promise, due, now, undone, mended, answer,
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
judged AS (
    SELECT promise,
           CASE WHEN withdrawn THEN 'withdrawn'
                WHEN forbidden IS NOT NULL OR again IS NOT NULL THEN 'broken'
                WHEN answer AND in_time THEN 'kept'
                WHEN due > now THEN 'waiting'
                WHEN answer THEN 'broken'
                ELSE 'kept' END AS verdict,
           CASE WHEN withdrawn THEN ''
                WHEN forbidden IS NOT NULL AND (in_time OR due > now OR NOT answer OR forbidden <= due) THEN 'forbidden'
                WHEN again IS NOT NULL THEN 'repeated'
                WHEN NOT answer OR in_time OR due > now THEN ''
                WHEN near IS NOT NULL THEN 'wrong_channel'
                WHEN settled IS NOT NULL THEN 'late'
                ELSE 'missing' END AS breach,
           coalesce(mended <= due + 86400000 AND due <= now AND NOT in_time, false) AS made_good
    FROM named
)
SELECT promise, verdict, breach, count(*) AS instances, count(*) FILTER (made_good) AS made_good
FROM judged GROUP BY ALL ORDER BY ALL
