-- How well people were told apart: pairs of handles that belong together, in truth and in the lake, over the handles both know.
WITH both_know AS (
    SELECT true_handles.customer AS customer, handles.person AS person, handles.strong AS strong, handles.handle AS handle
    FROM true_handles
    JOIN handles ON handles.kind || ':' || handles.value = true_handles.handle
),
met AS (
    SELECT handle_a AS handle FROM links
    UNION
    SELECT handle_b AS handle FROM links
),
chosen AS (
    SELECT 'all handles' AS what, customer, person FROM both_know
    UNION ALL
    SELECT 'handles seen with another' AS what, customer, person FROM both_know WHERE handle IN (SELECT handle FROM met)
    UNION ALL
    SELECT 'strong handles' AS what, customer, person FROM both_know WHERE strong
),
sizes AS (
    SELECT what, 'together' AS which, count(*) AS handles FROM chosen GROUP BY what, customer, person
    UNION ALL
    SELECT what, 'lake' AS which, count(*) AS handles FROM chosen GROUP BY what, person
    UNION ALL
    SELECT what, 'truth' AS which, count(*) AS handles FROM chosen GROUP BY what, customer
)
SELECT
    what,
    sum(handles) FILTER (which = 'truth')::BIGINT AS handles,
    coalesce(sum(handles * (handles - 1) // 2) FILTER (which = 'truth'), 0)::BIGINT AS true_pairs,
    coalesce(sum(handles * (handles - 1) // 2) FILTER (which = 'lake'), 0)::BIGINT AS found_pairs,
    coalesce(sum(handles * (handles - 1) // 2) FILTER (which = 'together'), 0)::BIGINT AS right_pairs
FROM sizes
GROUP BY what
ORDER BY what
