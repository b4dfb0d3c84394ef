-- The syntax tree of a SELECT statement, as JSON; nothing of the statement is run.
SELECT json_serialize_sql(?);
