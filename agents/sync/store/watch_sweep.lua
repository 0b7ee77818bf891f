-- Forgets more of what a value does not depend on any more.
-- Arguments: item, at most. Returns is there more (1 or 0).
return sweep(arg(), arg_number()) and 1 or 0
