"""The sections of the report, one a file: `gather` what it says, and pictures drawn from that alone."""
