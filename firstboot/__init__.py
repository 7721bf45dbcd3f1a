"""Programs that run on the box: what it is, how it is reached, and whether it is well."""
