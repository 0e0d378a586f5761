-- Interactions per month (UTC), for the bars behind the time slider.
SELECT CAST(strftime(make_timestamp(occurred_at * 1000), '%Y-%m') AS VARCHAR) AS month, count(*) AS interactions
FROM interactions
GROUP BY month
ORDER BY month
