-- The handles to write: those known before that are still there, and those that arrived.
SELECT handle, any_value(kind) AS kind, any_value(value) AS value, any_value(suspect) AS suspect, any_value(rank) AS rank
FROM (
    SELECT handle, kind, value, suspect, rank
    FROM newcomers
    UNION ALL
    SELECT
        handles.handle, handles.kind, handles.value, handles.shared AS suspect,
        coalesce(kinds.rank, getvariable('other_rank'))::TINYINT AS rank
    FROM handles
    LEFT JOIN kinds ON kinds.kind = handles.kind
    WHERE getvariable('keep_known')
)
GROUP BY handle
