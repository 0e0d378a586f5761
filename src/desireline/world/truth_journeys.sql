-- Every journey: whose it is, what began it and ended it, on how many interactions and channels.
SELECT
    world.journey AS journey,
    world.person AS person,
    arg_min(kinds.touchpoint, world.number) AS begun_by,
    min(world.moment) AS started_at,
    max(world.moment) AS ended_at,
    count(*) AS interactions,
    count(DISTINCT world.channel) AS channels
FROM world
JOIN kinds ON kinds.code = world.kind
WHERE world.journey > 0
GROUP BY world.journey, world.person
ORDER BY world.person, started_at, world.journey
