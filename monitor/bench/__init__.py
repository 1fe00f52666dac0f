"""``monitor bench``: figures of this machine, measured side by side in one run. Each bench returns a plain dict."""
