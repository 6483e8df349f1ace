"""Protocol servers on the loopback interface."""
