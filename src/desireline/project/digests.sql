-- One number for the content of each derived table: the sum of a digest of every row, in no order.
SELECT 'interactions' AS name,
       md5(coalesce(sum((md5_number(concat_ws(chr(31), id, occurred_at, source, source_key, handle, channel, touchpoint,
           list_sort(handles), text, properties, about_case, about_order, score, value_minor)) >> 65)::BIGINT), 0)::VARCHAR)
FROM interactions
UNION ALL
SELECT 'handles', md5(coalesce(sum((md5_number(concat_ws(chr(31), handle, kind, value, shared, person)) >> 65)::BIGINT), 0)::VARCHAR)
FROM handles
UNION ALL
SELECT 'ledger', md5(coalesce(sum((md5_number(concat_ws(chr(31), map, map_version, promise, person, journey, key, channel,
           opening_id, opened_at, due_at, settled_at, verdict, breach, breaches, lateness_seconds, settling_id,
           breaking_id, made_good_at, made_good_id)) >> 65)::BIGINT), 0)::VARCHAR)
FROM ledger
