"""The memory of the product: calls, alerts, verdicts, transcripts, reviews and reports in an SQL database."""
