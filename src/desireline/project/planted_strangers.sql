-- Handles that are no customer's own (a kiosk's cookie, noreply@, a typing error) and how many customers' persons they were joined to.
WITH owned AS (
    SELECT DISTINCT handles.person AS person
    FROM true_handles
    JOIN handles ON handles.kind || ':' || handles.value = true_handles.handle
)
SELECT
    CASE WHEN handles.shared OR contains(handles.value, 'kiosk') THEN handles.value ELSE 'mistyped ' || handles.kind END AS handle,
    count(*) AS handles,
    count(owned.person) AS joined
FROM handles
LEFT JOIN owned ON owned.person = handles.person
WHERE handles.kind || ':' || handles.value NOT IN (SELECT handle FROM true_handles)
GROUP BY ALL
ORDER BY handle
