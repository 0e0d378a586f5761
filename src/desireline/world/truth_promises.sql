-- Every opening of every promise with the verdict that was planted, and why it was broken.
SELECT
    promises.map AS map,
    promises.promise AS promise,
    (md5_number(sources.source || chr(31) || world.key_text) >> 65)::BIGINT AS opening_id,
    sources.source AS source,
    world.key_text AS source_key,
    world.moment AS opened_at,
    world.person AS person,
    planted.journey AS journey,
    verdicts.verdict AS verdict,
    coalesce(breaches.breach, '') AS breach,
    planted.made_good AS made_good,
    coalesce(breaches.why, '') AS why
FROM planted
JOIN world ON world.number = planted.opening
JOIN promises ON promises.code = planted.promise
JOIN sources ON sources.code = world.source
JOIN verdicts ON verdicts.code = planted.verdict
LEFT JOIN breaches ON breaches.code = planted.breach
ORDER BY planted.opening, planted.promise
