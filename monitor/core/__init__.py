"""What decides: plain Python and numpy. Data goes in, events come out; no clock, file, thread or socket."""
