-- For each link, in the order of its later node, its earlier one.
SELECT node, earlier
FROM link
ORDER BY node;
