-- Which handles came together on the interactions of one import, on how many, and since when.
WITH lists AS (
    SELECT handles, count(*) AS seen, min(id) AS first_id, min(occurred_at) AS since
    FROM arrived
    WHERE len(handles) BETWEEN 2 AND getvariable('most_handles')
    GROUP BY ALL
),
each AS (
    SELECT list, (md5_number(handle) >> 65)::BIGINT AS handle, seen, first_id, since
    FROM (
        SELECT row_number() OVER () AS list, unnest(handles) AS handle, seen, first_id, since
        FROM lists
    )
)
SELECT
    a.handle AS handle_a, b.handle AS handle_b, sum(a.seen)::BIGINT AS seen, min(a.first_id) AS first_id,
    'seen together' AS evidence, min(a.since) AS since
FROM each AS a
JOIN each AS b ON a.list = b.list AND a.handle < b.handle
GROUP BY a.handle, b.handle
