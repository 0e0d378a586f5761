-- The different handles of some interactions, each with the rank of its kind, and whether its value may name nobody.
WITH texts AS (
    SELECT DISTINCT unnest(handles) AS text
    FROM arrived
),
parted AS (
    SELECT
        (md5_number(text) >> 65)::BIGINT AS handle,
        split_part(text, ':', 1) AS kind,
        substr(text, strpos(text, ':') + 1) AS value
    FROM texts
)
SELECT
    handle, parted.kind AS kind, value, coalesce(kinds.rank, getvariable('other_rank'))::TINYINT AS rank,
    CASE parted.kind
        WHEN 'email' THEN regexp_matches(
            lower(value),
            'reply|daemon|postmaster|abuse|bounce|notification|auto|undisclosed|test|none|null|mail|unknown|anonymous|asdf|xx|invalid'
        )
        WHEN 'phone' THEN regexp_matches(
            value,
            '0{6}$|1{6}$|2{6}$|3{6}$|4{6}$|5{6}$|6{6}$|7{6}$|8{6}$|9{6}$|0123456789|1234567890'
        )
        ELSE length(replace(lower(regexp_replace(value, '[^0-9A-Za-z]', '', 'g')), lower(regexp_extract(value, '[0-9A-Za-z]')), '')) = 0
    END AS suspect
FROM parted
LEFT JOIN kinds ON kinds.kind = parted.kind
