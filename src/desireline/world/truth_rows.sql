-- Where each interaction lies in the exports, whose it is, which journey it belongs to, and how it was distorted.
SELECT
    (md5_number(sources.source || chr(31) || world.key_text) >> 65)::BIGINT AS id,
    world.person AS person,
    world.journey AS journey,
    sources.source AS source,
    world.key_text AS source_key,
    sources.file AS file,
    world.line AS line,
    world.part AS part,
    distortions.distortion AS distortion
FROM world
JOIN sources ON sources.code = world.source
JOIN distortions ON distortions.code = world.distortion
ORDER BY world.number
