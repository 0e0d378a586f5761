-- Every interaction of the world with the person it truly belongs to, in the lake's own columns.
SELECT
    (md5_number(sources.source || chr(31) || world.key_text) >> 65)::BIGINT AS id,
    sources.source AS source,
    world.key_text AS source_key,
    world.line AS position,
    'world' AS import_id,
    world.moment AS occurred_at,
    NULL::VARCHAR AS original_at,
    'UTC' AS zone,
    NULL::BIGINT AS sent_at,
    NULL::BIGINT AS received_at,
    'exact' AS time_quality,
    ['world:' || world.person] AS handles,
    (md5_number('world:' || world.person) >> 65)::BIGINT AS handle,
    NULL::VARCHAR[] AS others,
    nullif(channels.channel, 'backoffice') AS channel,
    kinds.touchpoint AS touchpoint,
    kinds.direction AS direction,
    CASE WHEN kinds.asks THEN TRUE END AS asks,
    CASE WHEN kinds.answers THEN TRUE END AS answers,
    nullif(kinds.topic, '') AS topic,
    nullif(subjects.intent, '') AS intent,
    CASE WHEN world.about_case > 0 THEN printf('C%09d', world.about_case) END AS about_case,
    CASE WHEN world.about_order > 0 THEN printf('O%09d', world.about_order) END AS about_order,
    NULL::VARCHAR AS about_product,
    CASE WHEN world.campaign > 0 THEN printf('Brief %d', world.campaign) END AS about_campaign,
    NULL::VARCHAR AS about_content,
    NULL::VARCHAR AS about_device,
    NULL::VARCHAR AS about_session,
    CASE WHEN world.staff > 0 THEN printf('agent %03d', world.staff) END AS hands,
    NULL::VARCHAR AS role,
    nullif(powers.power, '') AS power,
    NULL::VARCHAR AS outcome,
    CASE WHEN world.value >= 0 THEN world.value END AS value_minor,
    CASE WHEN world.value >= 0 THEN 'EUR' END AS currency,
    NULL::VARCHAR AS value_to,
    NULL::BIGINT AS cost_seconds,
    CASE WHEN world.score > 0 THEN 'csat' END AS score_kind,
    CASE WHEN world.score > 0 THEN '1-5' END AS score_scale,
    CASE WHEN world.score > 0 THEN world.score::DOUBLE END AS score,
    NULL::VARCHAR AS text,
    NULL::VARCHAR AS language,
    CASE WHEN channels.channel = 'social' AND kinds.direction <> 'outbound' THEN people.followers END AS reach,
    CASE WHEN kinds.topic = 'consent' THEN 'marketing' END AS consent,
    NULL::VARCHAR AS properties,
    sources.file || ':' || world.line AS raw
FROM world
JOIN kinds ON kinds.code = world.kind
JOIN channels ON channels.code = world.channel
JOIN sources ON sources.code = world.source
JOIN subjects ON subjects.code = world.subject
JOIN powers ON powers.code = world.power
JOIN people ON people.person = world.person
