"""Work that no client waits for: sweeping overdue rows, purging deleted ones."""
