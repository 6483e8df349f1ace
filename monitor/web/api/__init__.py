"""The API for programs: operations over the ports, described by an OpenAPI document that is made from their types."""
