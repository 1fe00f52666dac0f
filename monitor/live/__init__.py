"""Live calls: one runner each, a hub for screens, journals and recordings on disk, recovery after a kill."""
