"""The server: sockets for audio and for screens, REST, pages, access."""
