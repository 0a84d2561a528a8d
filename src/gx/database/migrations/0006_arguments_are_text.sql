-- A command's arguments are an object of texts, as contracts take them. The API writes nothing
-- else; a row that somebody writes by hand is refused here, where it would otherwise stop the
-- submitter, which reads many rows at once. NOT VALID: the rows of before need no reading.

ALTER TABLE commands ADD CONSTRAINT arguments_are_text CHECK (
    jsonb_typeof(arguments) = 'object'
    AND NOT jsonb_path_exists(arguments, '$.* ? (@.type() != "string")')
) NOT VALID;
