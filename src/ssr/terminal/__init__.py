"""What a person asks in a terminal: one bug, one episode, one run, and how far a scale is."""
