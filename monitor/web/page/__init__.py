"""The page: what happens, for people who would rather look than read, over the operations of the API."""
