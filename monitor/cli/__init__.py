"""The `monitor` command: reads arguments, calls the rest, prints, and answers with an exit code."""
